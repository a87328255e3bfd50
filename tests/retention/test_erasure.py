"""Erasing an account: the address is in no table, evidence stays, the same address is free."""

from contextlib import suppress
from datetime import timedelta
from functools import partial
from io import StringIO

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.db import models
from django.urls import reverse
from django.utils import timezone

from accounts.enums import CodePurpose, FreezeScope
from accounts.models import User, VerificationCode
from accounts.services.account_names import rename_account
from accounts.services.codes import send_code
from accounts.services.passwords import warn_of_failed_logins
from association.enums import ErasureRefusal, Side
from association.models import Association, Consent
from association.refusals import SENTENCES
from association.services import erasure
from association.services.attempts import defer_attempt, remember_registration
from association.services.customers import freeze_customer
from association.services.endings import ask_to_end
from association.services.erasure import erase_account
from association.services.invariants.checking import find_violations
from audit.models import AuditEvent, Erasure
from outbox.models import OutboxMessage
from partners.models import Invitation
from partners.services.invitation_requests import request_online_invitation
from partners.services.invitations import create_invitation, edit_invitation
from tests.factories import (
    PASSWORD,
    AttemptFactory,
    BatchRowFactory,
    ContractFactory,
    CustomerAccountFactory,
    InvitationFactory,
    PartnerMemberFactory,
    UserFactory,
    end_by_provider,
    make_associated,
    make_attempt,
)
from web.email_addresses import mask_address, replace_address
from web.refused import Refused

pytestmark = pytest.mark.django_db

ADDRESS = "ann.lee@bücher.example"
CANONICAL = "ann.lee@xn--bcher-kva.example"
OTHER = f"jo{CANONICAL}"
NOW = timezone.now()
HOUR = timedelta(hours=1)


@pytest.fixture
def person(client):
    """A former customer, whose address is in every table that can have one."""
    user = UserFactory.create(email=CANONICAL, email_original=ADDRESS)
    account = CustomerAccountFactory.create(owner=user, enabled=True)
    member = PartnerMemberFactory.create(administrator=True)
    values = {"channel": "email", "association_type": "reseller", "by": member.user}
    joined, _sent = (
        create_invitation(
            partner=member.partner,
            label=label,
            recipient=CANONICAL,
            recipient_name="Ann Lee",
            note=f"For {ADDRESS.title()}, as asked by {OTHER}",
            now=NOW - HOUR,
            **values,
        )
        for label in ("Ann Lee", f"Call {CANONICAL}")
    )
    association = make_associated(invitation=joined, account=account, letter=True, now=NOW - HOUR)
    freeze_customer(
        association=association,
        scope=FreezeScope.ACCOUNT,
        reason=f"Ask {CANONICAL}",
        by=member.user,
        now=NOW - HOUR,
    )
    ask_to_end(
        association=association,
        side=Side.CUSTOMER,
        reason=f"Write to {CANONICAL}",
        by=user,
        now=NOW - HOUR,
    )
    end_by_provider(association, reason=f"{CANONICAL} left", now=NOW)
    link = InvitationFactory.create(partner=member.partner)
    request_online_invitation(invitation=link, address=CANONICAL, language="en", now=NOW)
    attempt = AttemptFactory.create(invitation=link)
    remember_registration(attempt=attempt, email=ADDRESS, country="DE", code_asked_at=NOW)
    send_code(email=CANONICAL, purpose=CodePurpose.REGISTER, flow="f", language="en", now=NOW)
    BatchRowFactory.create(name="Ann Lee", email=CANONICAL)
    ContractFactory.create(account=account, external_id=f"{CANONICAL}/1")
    Authenticator.objects.create(user=user, type="totp", data={"secret": "s", "of": CANONICAL})
    rename_account(user=user, account_name="ann-lee", by=user, now=NOW)
    user.refresh_from_db()
    client.post(reverse("account_login"), {"login": CANONICAL, "password": PASSWORD})
    return user


def places_of(*words):
    """Return the columns of all tables that contain one of the words."""
    found = set()
    for model in apps.get_models():
        for column in model._meta.concrete_fields:
            if not isinstance(column, models.CharField | models.TextField | models.JSONField):
                continue
            texts = [
                str(v).lower() for v in model._base_manager.values_list(column.name, flat=True)
            ]
            if any(word in text for text in texts for word in words):
                found.add(f"{model._meta.label}.{column.name}")
    return found


def erase(login, **options):
    output = StringIO()
    call_command("erase_account", login, stdout=output, **options)
    return output.getvalue()


def test_the_address_and_the_names_are_in_no_table(person):
    places = places_of(f" {CANONICAL}", ADDRESS, "ann-lee", "ann lee")
    assert len(places) > 8
    sent = Invitation.objects.exclude(recipient="").first()
    other = create_invitation(
        partner=sent.partner, channel="email", association_type="reseller", label="Jo",
        recipient=OTHER, recipient_name="Jo Lee", by=sent.created_by, now=NOW,
        note=f"For {ADDRESS.title()}, as asked by {OTHER}",
    )  # fmt: skip

    erase("ann-lee")

    assert places_of(ADDRESS, "ann-lee", "ann lee", f"a…@{CANONICAL.partition('@')[2]}") == set()
    other.refresh_from_db()
    assert other.note == f"For {User.objects.get(pk=person.pk).email}, as asked by {OTHER}"
    assert (other.label, other.recipient_name) == ("Jo", "Jo Lee")
    assert places_of(CANONICAL) == {
        "outbox.OutboxMessage.recipient",
        "partners.Invitation.note",
        "partners.Invitation.recipient",
    }


# Looks like the person's when it is masked, but for the number.
ALIKE = CANONICAL.replace("ann.lee", "amy")


def edited_since(label, user):
    """Return an event about a link whose label has nothing of the person any more."""
    link = create_invitation(
        partner=PartnerMemberFactory.create(administrator=True).partner,
        channel="link",
        association_type="reseller",
        label=label,
        by=user,
        now=NOW - HOUR,
    )
    made = AuditEvent.objects.get(object_id=str(link.pk), action="invitation.created")
    unsaid = {"label": "for our friend", "note": "", "expires_at": None, "max_uses": None}
    edit_invitation(invitation=link, by=user, now=NOW, **unsaid)
    return made


@pytest.mark.parametrize("key", ["this key", "earlier key"])
def test_masks_with_the_persons_number_are_erased_from_every_event(person, settings, key):
    member = UserFactory.create()
    made = edited_since(f"for {ADDRESS}, not {ALIKE}", member)
    if key == "earlier key":
        fallbacks = [settings.SECRET_KEY]
        settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another key", fallbacks
    alike = made.after["label"].rpartition(" not ")[2]
    assert alike.startswith("a…@xn--bcher-kva.example #")

    erase("ann-lee")

    made.refresh_from_db()
    address = User.objects.get(pk=person.pk).email
    assert made.after["label"] == f"for {address}, not {alike}"


def test_masks_of_others_stay_in_events_about_what_named_the_person(person):
    boss = PartnerMemberFactory.create(administrator=True)
    invitation = create_invitation(
        partner=boss.partner, channel="email", association_type="reseller", by=boss.user, now=NOW,
        label=f"{ALIKE} knows {CANONICAL}", recipient=ALIKE,
    )  # fmt: skip

    erase("ann-lee")

    made = AuditEvent.objects.get(object_id=str(invitation.pk), action="invitation.created")
    address = User.objects.get(pk=person.pk).email
    assert made.after["label"] == f"{mask_address(ALIKE)} knows {address}"
    assert list(find_violations()) == []


def test_masks_by_a_key_that_is_gone_are_erased_where_the_address_alone_stood(person, settings):
    settings.SECRET_KEY = "the key of today"

    erase("ann-lee")

    assert (
        places_of(f"a…@{CANONICAL.partition('@')[2]}", f"a…@{ADDRESS.partition('@')[2]}") == set()
    )
    assert list(find_violations()) == []


def test_domain_in_letters_is_found_when_the_user_registered_with_its_ascii_form():
    user = UserFactory.create(email=CANONICAL, email_original=CANONICAL)
    InvitationFactory.create(label=f"for {ADDRESS}")

    erase(user.account_name)

    assert places_of(ADDRESS) == set()


def test_evidence_stays_and_names_the_pseudonym(person):
    counts = [model.objects.count() for model in (Association, Consent, User)]
    events = AuditEvent.objects.count()

    output = erase(CANONICAL)

    pseudonym = User.objects.get(pk=person.pk).account_name
    assert f"the account is now {pseudonym}." in output
    assert [model.objects.count() for model in (Association, Consent, User)] == counts
    assert AuditEvent.objects.count() > events
    renamed = AuditEvent.objects.get(action="user.renamed")
    assert (renamed.before, renamed.after) == (
        {"account_name": pseudonym},
        {"account_name": pseudonym},
    )
    assert not Erasure.objects.exists()
    assert list(find_violations()) == []


def test_nobody_can_log_in(person, client):
    assert Session.objects.count() == 1

    erase("ann-lee")

    assert not Session.objects.exists()
    assert not EmailAddress.objects.filter(user=person).exists()
    assert not Authenticator.objects.exists()
    assert not VerificationCode.objects.exists()
    assert client.get(reverse("account_home")).status_code == 302
    for login in (CANONICAL, "ann-lee", User.objects.get(pk=person.pk).account_name):
        answer = client.post(reverse("account_login"), {"login": login, "password": PASSWORD})
        assert answer.status_code == 400


def test_the_same_address_may_register_again(person):
    erase("ann-lee")

    again = User.objects.create_user("c-0123456789", ADDRESS, PASSWORD)

    assert (again.email, again.pk != person.pk) == (CANONICAL, True)


def test_what_waits_ends(person):
    erase("ann-lee")

    assert not Invitation.objects.live(NOW).exclude(recipient="").exists()
    reasons = OutboxMessage.objects.exclude(drop_reason="").values_list("drop_reason", flat=True)
    assert set(reasons) == {"The account was erased."}
    assert not OutboxMessage.objects.waiting().filter(recipient__endswith=".invalid").exists()


def test_a_dry_run_counts_and_changes_nothing(person):
    before = places_of(CANONICAL), AuditEvent.objects.count()

    output = erase("ann-lee", dry_run=True)

    assert "Nothing was changed" in output
    assert (places_of(CANONICAL), AuditEvent.objects.count()) == before
    assert erase("ann-lee").splitlines()[:-1] == output.splitlines()[:-1]


def test_an_error_erases_nothing(person, monkeypatch):
    before = places_of(CANONICAL)
    monkeypatch.setattr(erasure, "_erase_trail", lambda *_arguments: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        erase_account(login="ann-lee", by=None, now=NOW)
    assert places_of(CANONICAL) == before


def associated():
    return make_associated().account.owner


def support():
    return UserFactory.create(email=InvitationFactory.create().partner.support_email)


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda: User(account_name="nobody"), ErasureRefusal.UNKNOWN),
        (associated, ErasureRefusal.ASSOCIATED),
        (lambda: PartnerMemberFactory.create().user, ErasureRefusal.IS_MEMBER),
        (lambda: UserFactory.create(is_staff=True), ErasureRefusal.IS_STAFF),
        (support, ErasureRefusal.IS_SUPPORT),
    ],
)
def test_refusals_say_the_way_out(make, code):
    login = make().account_name

    with pytest.raises(Refused) as refused:
        erase_account(login=login, by=None, now=NOW)
    assert refused.value.code == code
    with pytest.raises(CommandError) as error:
        erase(login)
    assert str(error.value) == str(SENTENCES[code])


@pytest.mark.parametrize(
    ("text", "replaced"),
    [
        ("a@b.org", "X"),
        ("A@B.ORG, a@b.org.", "X, X."),
        ("<a@b.org>/1", "<X>/1"),
        ("xa@b.org x.a@b.org a@b.org.uk a@b.orgs a@b.org-x", None),
    ],
)
def test_only_the_whole_address_is_replaced(text, replaced):
    assert replace_address(text, "a@b.org", "X") == (replaced or text)


def put_off(user):
    account = CustomerAccountFactory.create(owner=user)
    attempt = make_attempt(account=account)
    return partial(defer_attempt, attempt=attempt, by=user, now=NOW)


def fail_to_log_in(user):
    return partial(warn_of_failed_logins, user=user, now=NOW)


@pytest.mark.parametrize("begin", [put_off, fail_to_log_in])
def test_a_request_that_began_before_enqueues_no_email_after_it(begin):
    user = UserFactory.create(email="late@example.org")
    go_on = begin(user)
    erase_account(login=user.account_name, by=None, now=NOW)
    with suppress(Refused):
        go_on()
    assert not OutboxMessage.objects.filter(recipient="late@example.org").exists()
