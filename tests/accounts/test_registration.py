"""Registration: one transaction, the password policy, and no difference for a known address."""

from datetime import UTC, datetime, timedelta

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction

from accounts.enums import AccountNameRefusal, CodePurpose, CodeRefusal
from accounts.fields import offered_countries
from accounts.forms import CodeForm, CountryAndEmailForm
from accounts.models import CustomerAccount, User, VerificationCode
from accounts.services import registration
from accounts.services.account_names import rename_account
from accounts.services.codes import check_code, derive_code, send_code
from accounts.services.registration import register_account
from audit.models import AuditEvent
from outbox.models import OutboxMessage
from tests.factories.accounts import PASSWORD, UserFactory
from web.refused import Refused

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)
TYPED, ADDRESS = "New.Person@Example.ORG", "new.person@example.org"


def proof_of(address=ADDRESS, flow="flow", now=NOW):
    where = {"email": address, "purpose": CodePurpose.REGISTER, "flow": flow}
    row = send_code(**where, language="en", now=now).row
    return check_code(**where, code=derive_code(row, None), now=now)


def register(proof, address=TYPED, password=PASSWORD, now=NOW):
    return register_account(
        proof=proof,
        address=address,
        password=password,
        password_hash=make_password(password),
        country="FR",
        language="en",
        now=now,
    )


@pytest.mark.django_db
def test_registering_creates_user_proven_address_and_account():
    user = register(proof_of())
    assert (user.email, user.email_original, user.language) == (ADDRESS, TYPED, "en")
    assert user.check_password(PASSWORD)
    account = user.customer_account
    assert (account.country.code, account.registered_at) == ("FR", NOW)
    assert account.registration_site == "international"
    assert account.services_enabled_at is None
    address = EmailAddress.objects.get()
    assert (address.user, address.email) == (user, ADDRESS)
    assert address.verified
    assert address.primary
    event = AuditEvent.objects.get()
    assert (event.action, event.actor, event.object_id) == (
        "account.registered",
        user,
        str(account.pk),
    )
    kinds = OutboxMessage.objects.order_by("pk").values_list("kind", "recipient")
    assert list(kinds) == [
        ("accounts.verification_code", ADDRESS),
        ("accounts.registered", ADDRESS),
    ]


@pytest.mark.django_db
def test_account_name_is_generated():
    assert User.objects.count() == 0
    user = register(proof_of())
    assert user.account_name[:2] == "c-"
    assert len(user.account_name) == 12
    assert set(user.account_name[2:]) <= set("0123456789abcdefghjkmnpqrstvwxyz")


@pytest.mark.django_db
def test_registering_again_with_the_same_code_and_password_gives_the_same_user():
    first = register(proof_of())
    row = VerificationCode.objects.get()
    where = {"email": ADDRESS, "purpose": CodePurpose.REGISTER, "flow": "flow"}
    again = check_code(**where, code=derive_code(row, None), now=NOW + timedelta(seconds=1))
    assert register(again, now=NOW + timedelta(seconds=1)) == first
    assert VerificationCode.objects.get().spent_by == first
    assert (User.objects.count(), CustomerAccount.objects.count()) == (1, 1)
    assert AuditEvent.objects.count() == 1
    assert OutboxMessage.objects.count() == 2


@pytest.mark.django_db
def test_registering_again_with_another_password_is_refused():
    proof = proof_of()
    register(proof)
    with pytest.raises(Refused) as caught:
        register(proof, password="another long password")
    assert caught.value.code == CodeRefusal.WRONG
    assert User.objects.get().check_password(PASSWORD)


@pytest.mark.django_db
def test_spent_code_gives_only_the_user_whom_it_created():
    proof = proof_of()
    register(proof)
    VerificationCode.objects.update(spent_by=UserFactory.create(created_at=NOW))
    with pytest.raises(Refused) as caught:
        register(proof, password=f"not {PASSWORD}")
    assert caught.value.code == CodeRefusal.WRONG
    VerificationCode.objects.update(spent_by=None)
    with pytest.raises(Refused):
        register(proof)


@pytest.mark.django_db
def test_deactivated_user_is_not_returned_again():
    proof = proof_of()
    register(proof)
    User.objects.update(is_active=False)
    with pytest.raises(Refused):
        register(proof)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "values", [{"spent_at": None}, {"purpose": CodePurpose.RESET_PASSWORD}], ids=str
)
def test_only_a_code_spent_on_registering_has_created_a_user(values):
    register(proof_of())
    with pytest.raises(IntegrityError, match="registers_only_when_spent"):
        VerificationCode.objects.update(**values)


@pytest.mark.django_db
def test_proof_of_one_address_registers_no_other():
    proof = proof_of()
    with pytest.raises(Refused):
        register(proof, address="other@example.org")
    assert not User.objects.exists()
    assert VerificationCode.objects.get().spent_at is None


@pytest.mark.django_db
def test_address_that_became_known_meanwhile_is_refused_and_the_code_stays_unspent():
    proof = proof_of()
    UserFactory.create(email=ADDRESS)
    with pytest.raises(Refused) as caught:
        register(proof)
    assert caught.value.code == CodeRefusal.WRONG
    assert VerificationCode.objects.get().spent_at is None


@pytest.mark.django_db
def test_failure_after_the_code_was_spent_rolls_everything_back(monkeypatch):
    proof = proof_of()

    def fail(**details):
        raise IntegrityError("audit")

    monkeypatch.setattr(registration, "record_audit_event", fail)
    with pytest.raises(IntegrityError):
        register(proof)
    assert not User.objects.exists()
    assert not EmailAddress.objects.exists()
    assert VerificationCode.objects.get().spent_at is None


@pytest.mark.django_db
def test_rollback_of_the_caller_undoes_registration_and_keeps_the_try():
    proof = proof_of()

    def enter_attempt():
        with transaction.atomic():
            register(proof)
            raise RuntimeError("attempt is closed")

    with pytest.raises(RuntimeError):
        enter_attempt()
    row = VerificationCode.objects.get()
    assert (row.tries, row.spent_at) == (1, None)
    assert not User.objects.exists()
    assert register(proof).email == ADDRESS


@pytest.mark.parametrize(
    ("password", "codes"),
    [
        ("elevenchars", ["password_too_short"]),
        ("twelve chars", []),
        ("rain on a tin", []),
        ("x7" * 32, []),
        ("k3" * 64, []),
        ("w5" * 512, []),
        ("w5" * 512 + "!", ["max_length"]),
        ("   four blanks around it    ", []),
        ("🌧️ rain in the 🌲🌲 tall wood", []),
        ("qwertyuiop123", ["password_too_common"]),
        ("123456789012", []),
        ("Example Cloud 1", ["password_is_provider_name"]),
        ("example-cloud-2030", ["password_is_provider_name"]),
        ("why I like example cloud so very much", []),
        ("new.person@example.org", ["password_too_similar"]),
        ("with\x00null character", ["null_characters_not_allowed"]),
        ("", ["required"]),
    ],
)
def test_password_policy(password, codes, settings):
    settings.PROVIDER_NAME = "Example Cloud"
    form = CodeForm({"code": "123456", "password": password}, email=ADDRESS)
    form.is_valid()
    found = [error.code for error in form.errors.as_data().get("password", [])]
    if password == "123456789012":  # in the blocklist or not is Django's decision
        found = []
    assert found == codes


def test_password_is_stored_exactly():
    form = CodeForm({"code": "123456", "password": "  blanks around it  "}, email=ADDRESS)
    assert form.is_valid()
    assert form.cleaned_data["password"] == "  blanks around it  "


def test_code_and_password_are_never_shown_again():
    form = CodeForm({"code": "987654", "password": "tooshort"}, email=ADDRESS)
    assert not form.is_valid()
    assert "987654" not in str(form)
    assert "tooshort" not in str(form)


def test_browsers_do_not_cut_passwords():
    assert "maxlength" not in str(CodeForm(email=ADDRESS)["password"])


@pytest.mark.parametrize(
    "typed",
    [
        "123456",
        " 123 456 ",
        "123-456",
        "12\u201134\u00a056",
        "١٢٣٤٥٦",
        "\uff11\uff12\uff13\uff14\uff15\uff16",
    ],
)
def test_code_may_be_typed_in_many_ways(typed):
    form = CodeForm({"code": typed, "password": PASSWORD}, email=ADDRESS)
    assert form.is_valid(), form.errors
    assert form.cleaned_data["code"] == "123456"


@pytest.mark.parametrize(
    "typed", ["", "12345", "1234567", "12345a", "½23456", "²23456", "1\x0023456"]
)
def test_code_that_is_not_six_digits_is_a_form_error(typed):
    form = CodeForm({"code": typed, "password": PASSWORD}, email=ADDRESS)
    assert list(form.errors) == [] if form.is_valid() else ["code"]
    assert not form.is_valid()


@pytest.mark.parametrize("country", ["", "XX", "de", "CN", "cn", "DEU", "DE\x00"])
def test_country_that_is_not_offered_is_a_form_error(country):
    form = CountryAndEmailForm({"country": country, "email": ADDRESS})
    assert not form.is_valid()
    assert list(form.errors) == ["country"]


def test_all_countries_but_the_mainland_are_offered():
    offered = [code for code, _ in offered_countries() if code]
    assert "CN" not in offered
    assert {"DE", "HK", "MO", "TW", "US"} <= set(offered)
    assert len(offered) == 251


def test_register_fields_say_what_browsers_may_fill_in():
    address, code = str(CountryAndEmailForm()), str(CodeForm(email=ADDRESS))
    assert 'autocomplete="country"' in address
    assert 'autocomplete="email"' in address
    assert 'autocomplete="one-time-code"' in code
    assert 'inputmode="numeric"' in code
    assert 'autocomplete="new-password"' in code


@pytest.mark.django_db
def test_account_name_changes_once():
    user = UserFactory.create()
    before = user.account_name
    renamed = rename_account(user=user, account_name=" Rain.Maker ", by=user, now=NOW)
    assert (renamed.account_name, renamed.account_name_changed_at) == ("rain.maker", NOW)
    event = AuditEvent.objects.get()
    assert (event.before, event.after) == (
        {"account_name": before},
        {"account_name": "rain.maker"},
    )
    with pytest.raises(Refused) as caught:
        rename_account(user=user, account_name="again", by=user, now=NOW)
    assert caught.value.code == AccountNameRefusal.CHANGED_BEFORE


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("abc", "malformed"),
        ("a" * 41, "malformed"),
        ("1rain", "malformed"),
        ("rain@example.org", "malformed"),
        ("rain maker", "malformed"),
        ("rain\u212aing", "malformed"),
        ("c-0123456789", "malformed"),
        ("rain..maker", "malformed"),
        ("taken", "taken"),
        ("TAKEN", "taken"),
    ],
)
def test_account_name_is_refused(name, code):
    UserFactory.create(account_name="taken")
    user = UserFactory.create()
    with pytest.raises(Refused) as caught:
        rename_account(user=user, account_name=name, by=user, now=NOW)
    assert caught.value.code == code
    assert not AuditEvent.objects.exists()
