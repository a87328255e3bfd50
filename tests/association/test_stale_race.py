"""Two people send pages at once, on PostgreSQL: of two conflicting decisions one is refused."""

import threading
import time

import pytest
from django.db import connection, models
from django.test import Client
from django.urls import reverse
from django.utils import timezone

import association.services.customers
import partners.services.invitations
from accounts.services.passwords import change_password
from association.services.invariants.checking import find_violations
from tests.association.test_races import PATIENCE, at_once
from tests.factories import (
    InvitationFactory,
    PartnerFactory,
    PartnerMemberFactory,
    UserFactory,
    make_associated,
)
from tests.shown_forms import hidden_fields
from web.admin.versions import VersionedModelAdmin, VersionedModelForm

pytestmark = [
    pytest.mark.postgresql,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("waits_without_limit"),
]

ROUNDS = 6
TERMS = {"amount": "250.00", "period": "monthly", "on_exhaustion": "freeze"}
OLD, NEW = "Long winded horses 1", "Long winded horses 2"


def opened(user, address):
    """Open the page; return what sends it and returns the status."""
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(user)
    hidden = hidden_fields(client.get(address))
    return lambda typed: client.post(address, {**hidden, **typed}).status_code


def send_at_once(users, address, forms):
    """Let each of two people, who opened the page before, send a form; return the statuses."""
    pages = [opened(user, address) for user in users]
    return tuple(sorted(at_once(lambda n: pages[n](forms[n]), [0, 1])))


def unguarded(monkeypatch):
    """Remove the guard: a service acts whatever the page showed."""
    for module in (association.services.customers, partners.services.invitations):
        monkeypatch.setattr(module, "check_shown", lambda *arguments, **context: None)


@pytest.fixture
def members():
    first = PartnerMemberFactory.create(administrator=True)
    return [first, PartnerMemberFactory.create(partner=first.partner, administrator=True)]


@pytest.fixture
def customers(members):
    invitation = InvitationFactory.create(partner=members[0].partner)
    return [make_associated(invitation=invitation) for _ in range(ROUNDS)]


def budgets_at_once(members, customer):
    address = reverse("console_set_budget", args=[customer.pk])
    forms = [TERMS, TERMS | {"amount": "300.00"}]
    return send_at_once([member.user for member in members], address, forms)


def test_of_two_budgets_sent_at_once_one_is_refused(members, customers):
    outcomes = {budgets_at_once(members, customer) for customer in customers}

    assert outcomes == {(303, 409)}
    assert {customer.budgets.count() for customer in customers} == {1}
    assert list(find_violations()) == []


def test_without_the_guard_both_budgets_are_set(members, customers, monkeypatch):
    """The positive control."""
    unguarded(monkeypatch)

    assert {budgets_at_once(members, customer) for customer in customers} == {(303, 303)}


def freeze_during_unfreeze(members, customer):
    """Let one member freeze while the other sends an old page to unfreeze; is the freeze open?"""
    customer.budgets.create(set_at=timezone.now(), **TERMS)
    unfreeze = opened(members[0].user, reverse("console_unfreeze", args=[customer.pk]))
    freeze = opened(members[1].user, reverse("console_freeze", args=[customer.pk]))

    def act(number):
        if number == 0:
            # Without it the freeze would mostly come second.
            time.sleep(0.05)
            return unfreeze({"reason": "They paid"})
        return freeze({"scope": "account", "reason": "Fraud found today"})

    at_once(act, [0, 1])
    return customer.account.freezes.open().filter(cause="partner").exists()


def test_unfreeze_at_once_with_a_freeze_never_lifts_it(members, customers):
    assert {freeze_during_unfreeze(members, customer) for customer in customers} == {True}


def test_without_the_guard_it_is_lifted(members, customers, monkeypatch):
    """The positive control."""
    unguarded(monkeypatch)

    assert False in {freeze_during_unfreeze(members, customer) for customer in customers}


def edits_at_once(members):
    invitation = InvitationFactory.create(partner=members[0].partner, label="Spring")
    address = reverse("console_edit_invitation", args=[invitation.pk])
    forms = [{"label": label, "note": "", "expiry": "keep"} for label in ("Summer", "Autumn")]
    return send_at_once([member.user for member in members], address, forms)


def test_of_two_edits_of_an_invitation_one_is_refused(members):
    assert {edits_at_once(members) for _ in range(ROUNDS)} == {(303, 409)}


def test_without_the_guard_both_edits_are_made(members, monkeypatch):
    """The positive control."""
    unguarded(monkeypatch)

    assert (303, 303) in {edits_at_once(members) for _ in range(ROUNDS)}


def administrators_at_once():
    """Let one administrator move a partner to another zone while another renames it."""
    partner = PartnerFactory.create()
    address = reverse("admin:partners_partner_change", args=[partner.pk])
    names = ["name", "slug", "legal_name", "country", "support_email"]
    names += ["time_zone", "csv_separator"]
    shown = {name: str(getattr(partner, name)) for name in names}
    shown |= {"allows_reseller": "on", "allows_referral": "on"}
    users = [UserFactory.create(staff=True) for _ in range(2)]
    forms = [shown | {"time_zone": "Europe/Paris"}, shown | {"name": "New name"}]
    return send_at_once(users, address, forms)


def test_of_two_administrators_one_is_refused():
    assert {administrators_at_once() for _ in range(ROUNDS)} == {(302, 409)}


def test_without_the_lock_both_administrators_save(monkeypatch):
    """The positive control: both compare before either has written."""
    together = threading.Barrier(2)
    clean = VersionedModelForm.clean

    def clean_together(form):
        cleaned = clean(form)
        together.wait(PATIENCE)
        return cleaned

    monkeypatch.setattr(VersionedModelForm, "clean", clean_together)
    monkeypatch.setattr(
        models.QuerySet, "select_for_update", lambda rows, *args, **options: rows.all()
    )

    assert administrators_at_once() == (302, 302)


def password_changed_while_saving(monkeypatch):
    """Change a user's password between an administrator's reading and writing the user's row."""
    user = UserFactory.create(password=OLD)
    page = opened(UserFactory.create(staff=True), f"/admin/accounts/user/{user.pk}/change/")
    was_read, is_changed = threading.Event(), threading.Event()
    clean = VersionedModelForm.clean

    def clean_slowly(form):
        was_read.set()
        # With the lock the change waits for the page instead.
        is_changed.wait(1)
        return clean(form)

    def change():
        try:
            was_read.wait(PATIENCE)
            change_password(user=user, password=NEW, by=user, now=timezone.now())
            is_changed.set()
        finally:
            connection.close()

    monkeypatch.setattr(VersionedModelForm, "clean", clean_slowly)
    owner = threading.Thread(target=change)
    owner.start()
    status = page({"language": "en", "is_active": "on"})
    owner.join(PATIENCE)
    user.refresh_from_db()
    return status, user.language, user.check_password(NEW)


def test_password_changed_while_an_administrator_saves_stays(monkeypatch):
    assert password_changed_while_saving(monkeypatch) == (302, "en", True)


def test_without_lock_and_chosen_fields_the_old_password_is_back(monkeypatch):
    """The positive control: what Django's admin does."""
    monkeypatch.setattr(
        models.QuerySet, "select_for_update", lambda rows, *args, **options: rows.all()
    )
    monkeypatch.setattr(
        VersionedModelAdmin, "save_model", lambda page, request, obj, form, change: obj.save()
    )

    assert password_changed_while_saving(monkeypatch) == (302, "en", False)
