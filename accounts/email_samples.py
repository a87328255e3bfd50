"""An example of each e-mail of accounts, and the customer whom the examples are about."""

from datetime import datetime, timedelta
from functools import partial

from django.utils.translation import gettext_lazy as _

from accounts.emails import write_answer
from accounts.enums import CodePurpose
from accounts.models import CustomerAccount, User, VerificationCode
from outbox.services.samples import NO_KEY, EmailSample

ADDRESS = "ada@customer.example"
CODE = "042137"


def sample_user() -> User:
    return User(pk=NO_KEY, account_name="c-4f7k2m9q1x", email=ADDRESS)


def sample_account(now: datetime) -> CustomerAccount:
    return CustomerAccount(
        pk=NO_KEY, owner=sample_user(), country="IE", registered_at=now - timedelta(days=6, hours=1)
    )


def samples(*, now: datetime) -> list[EmailSample]:
    """Return an example of each kind."""
    code = VerificationCode(pk=NO_KEY, email=ADDRESS, purpose=CodePurpose.REGISTER)
    user, moment = sample_user(), now.isoformat()
    answer = partial(EmailSample, about=code, recipient=ADDRESS, write=write_answer)
    with_code = partial(answer, write=partial(write_answer, code=CODE))
    to_holder = partial(answer, write=partial(write_answer, holder=user, code=CODE))
    notice = partial(EmailSample, about=user, recipient=ADDRESS)
    anyone, owner = _("the person with the address"), _("user")
    return [
        with_code(
            kind="accounts.verification_code",
            reader=anyone,
            occasion=_("Somebody registers with an address that has no account."),
        ),
        answer(
            kind="accounts.already_registered",
            reader=owner,
            occasion=_("Somebody registers with an address that has an account."),
        ),
        to_holder(
            kind="accounts.password_reset_code",
            reader=owner,
            occasion=_("Somebody has forgotten the password."),
        ),
        answer(
            kind="accounts.password_reset_unknown",
            reader=anyone,
            occasion=_("Somebody has forgotten the password, and the address has no account."),
        ),
        to_holder(
            kind="accounts.log_in_code",
            reader=owner,
            occasion=_("After very many wrong passwords, a new browser proves the mailbox."),
        ),
        answer(
            kind="accounts.log_in_unknown",
            reader=anyone,
            occasion=_("The same, and the address has no account."),
        ),
        notice(
            kind="accounts.registered",
            reader=owner,
            occasion=_("An account has been registered."),
        ),
        notice(
            kind="accounts.password_changed",
            reader=owner,
            occasion=_("The password was changed or reset."),
            data={"changed_at": moment},
        ),
        notice(
            kind="accounts.second_factor_changed",
            reader=owner,
            occasion=_("The second step of the log-in was turned on or off."),
            data={"changed_at": moment, "is_on": True},
        ),
        notice(
            kind="accounts.connected_login_changed",
            reader=owner,
            occasion=_("A log-in at another system was connected or disconnected."),
            data={"issuer": "https://id.provider.example", "is_on": True, "changed_at": moment},
        ),
        notice(
            kind="accounts.reset_link",
            reader=owner,
            occasion=_("An administrator sends the way to a new password."),
        ),
        notice(
            kind="accounts.failed_logins",
            reader=owner,
            occasion=_("There were many wrong passwords within an hour."),
            data={"noticed_at": moment},
        ),
    ]
