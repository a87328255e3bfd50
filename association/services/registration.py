"""Registering in an attempt: a code proves the e-mail address, and the new account enters."""

from datetime import datetime

from django.contrib.auth.hashers import make_password
from django.db import transaction

from accounts.enums import CodePurpose
from accounts.models import CustomerAccount, User
from accounts.services.codes import check_code, find_usable_code, send_code
from accounts.services.issuer_registration import Person, register_person
from accounts.services.registration import register_account
from association.models import Attempt
from association.services.attempts import enter_attempt, remember_registration
from partners.enums import Channel
from web.email_addresses import canonical_address, canonical_or_none
from web.transactions import whole_transaction


@whole_transaction
def send_attempt_code(
    *, attempt: Attempt, email: str, country: str, next_page: str, now: datetime
) -> None:
    """Send a code and keep what was typed, both or neither.

    The e-mail to a known address names the partner and leads through the log-in to `next_page`.
    Raises Refused: FINISHED, and the CodeRefusal of a limit.
    """
    with transaction.atomic():
        sent = send_code(
            email=canonical_address(email),
            purpose=CodePurpose.REGISTER,
            flow=_flow_of(attempt),
            language=attempt.language,
            now=now,
            data={
                "partner": attempt.invitation.partner.name,
                "for_new_accounts": attempt.invitation.channel == Channel.LINK,
                "next": next_page,
            },
        )
        remember_registration(
            attempt=attempt,
            email=email,
            country=country,
            code_asked_at=now,
            code_again_at=sent.again_at,
        )


@whole_transaction
def resume_attempt_code(
    *, attempt: Attempt, email: str, country: str, again_at: datetime | None, now: datetime
) -> bool:
    """Return to the code that this attempt sent to the address, if it can still be typed.

    `again_at`: from when the next one is possible. Raises Refused: FINISHED.
    """
    code = find_usable_code(
        email=canonical_address(email),
        purpose=CodePurpose.REGISTER,
        flow=_flow_of(attempt),
        now=now,
    )
    if code is not None:
        remember_registration(
            attempt=attempt,
            email=email,
            country=country,
            code_asked_at=code.sent_at,
            code_again_at=again_at,
        )
    return code is not None


@whole_transaction
def register_for_attempt(*, attempt: Attempt, code: str, password: str, now: datetime) -> User:
    """Create the account for the proven e-mail address and enter the attempt, both or neither.

    Call it outside every transaction, so that a wrong code stays counted. Repeating it with the
    same code and password returns the same user. Raises Refused when the code is refused, when
    another account has entered the attempt, and when the attempt is finished; Busy when too many
    passwords are being hashed.
    """
    proof = check_code(
        # What was typed is as old as the attempt: the rules may refuse it by now. No code has "".
        email=canonical_or_none(attempt.registration_email) or "",
        purpose=CodePurpose.REGISTER,
        flow=_flow_of(attempt),
        code=code,
        now=now,
    )
    password_hash = make_password(password)
    with transaction.atomic():
        user = register_account(
            proof=proof,
            address=attempt.registration_email,
            password=password,
            password_hash=password_hash,
            country=attempt.registration_country.code,
            language=attempt.language,
            now=now,
        )
        enter_attempt(attempt=attempt, account=user.customer_account, now=now, registered=True)
    return user


@whole_transaction
def register_person_for_attempt(
    *, attempt: Attempt, person: Person, country: str, now: datetime
) -> User:
    """Create the account of a person whom an issuer has proven, and enter the attempt, or neither.

    It counts as registered through the invitation only where the issuer says that it was registered
    after the attempt began. Repeating it returns the same user. Raises Refused: ADDRESS_TAKEN,
    FINISHED, OTHER_ACCOUNT.
    """
    registered_at = person.registered_at
    is_new = registered_at is not None and registered_at > attempt.started_at
    with transaction.atomic():
        user = register_person(person=person, country=country, language=attempt.language, now=now)
        account = CustomerAccount.objects.get(owner=user)
        enter_attempt(attempt=attempt, account=account, now=now, registered=is_new)
    return user


def _flow_of(attempt: Attempt) -> str:
    return f"attempt:{attempt.pk}"
