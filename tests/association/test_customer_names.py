"""What a partner calls its customers: on which page, found how, written by whom, and forgotten."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.services.account_names import rename_account
from association.models import Association
from association.services.associations import associate
from association.services.customer_names import derived_names, rename_customer
from association.services.invariants.names import names_are_derived
from association.services.retention import forget_names_of_former_customers
from audit.models import AuditEvent
from tests.factories import (
    InvitationFactory,
    PartnerMemberFactory,
    end_by_provider,
    make_associated,
)
from tests.journeys.walk import ready_attempt
from tests.shown_forms import open_and_send, version_of

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)


@pytest.fixture
def boss():
    return PartnerMemberFactory.create(administrator=True)


def joined(boss, **invitation):
    made = InvitationFactory.create(partner=boss.partner, created_by=boss.user, **invitation)
    return make_associated(invitation=made)


def client_of(member):
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(member.user)
    return client


def renamed(association, by, **texts):
    names = {"customer_name": "", "reference": "", "note": ""} | texts
    return rename_customer(association=association, by=by.user, now=timezone.now(), **names)


@pytest.mark.parametrize(
    ("invitation", "account_name", "shown"),
    [
        ({"email": True, "is_bound": False, "recipient_name": "Ada"}, "Acme", "Ada"),
        (
            {"email": True, "is_bound": False, "recipient_name": "Ada", "customer_name": "ACME"},
            "",
            "ACME",
        ),
        ({"max_uses": 1, "customer_name": "One"}, "", "One"),
        ({}, "Acme", "Acme"),
        ({}, "", None),
    ],
)
def test_the_first_name_that_is_known_is_shown(boss, invitation, account_name, shown):
    association = joined(boss, **invitation)
    association.account.name = account_name

    texts = derived_names(association)

    expected = shown or association.account.owner.account_name
    assert (texts["shown_name"], texts["sort_name"]) == (expected, expected.casefold())


def test_the_invitation_gives_the_customer_its_name_and_reference(boss):
    made = joined(boss, max_uses=1, customer_name="Straße & Söhne", reference="CRM-7")

    stored = Association.objects.get(pk=made.pk)
    assert (stored.customer_name, stored.reference) == ("Straße & Söhne", "CRM-7")
    account_name = stored.account.owner.account_name
    assert stored.search_names.split("\n") == ["strasse & sohne", account_name, "crm-7"]


def test_a_name_is_changed_recorded_and_found_at_once(boss):
    association = joined(boss)
    client = client_of(boss)
    page = reverse("console_rename_customer", args=[association.pk])
    typed = {"customer_name": " Nord  Wind ", "reference": "K-12", "note": "Pays late."}

    answer = open_and_send(client, page, typed)

    assert answer.status_code == 303
    found = client.get("/partner/customers/", {"q": "RD W"}).content.decode()
    assert ("Nord Wind" in found, "K-12" in found) == (True, True)
    shown = client.get(reverse("console_customer", args=[association.pk])).content.decode()
    assert "Pays late." in shown
    [event] = AuditEvent.objects.filter(action="association.renamed")
    assert (event.actor, event.after) == (
        boss.user,
        {"customer_name": "Nord Wind", "reference": "K-12", "note": "Pays late."},
    )


def test_an_old_page_does_not_write_its_name_back(boss):
    association, client = joined(boss), client_of(boss)
    page = reverse("console_rename_customer", args=[association.pk])
    old = {**version_of(client.get(page)), "customer_name": "Old", "reference": "", "note": ""}
    renamed(association, boss, customer_name="New")

    answer = client.post(page, old)

    assert answer.status_code == 409
    assert "Now it is “New”" in answer.content.decode()
    association.refresh_from_db()
    assert association.shown_name == "New"


def test_saving_the_same_name_writes_nothing(boss):
    association = joined(boss)
    renamed(association, boss, customer_name="Same")
    renamed(association, boss, customer_name="Same")
    assert AuditEvent.objects.filter(action="association.renamed").count() == 1


@pytest.mark.parametrize(
    "texts",
    [{"customer_name": "x" * 121}, {"reference": "x" * 129}, {"note": "x" * 501}],
    ids=["name", "reference", "note"],
)
def test_a_text_that_is_too_long_is_shown_again(boss, texts):
    association, client = joined(boss), client_of(boss)
    page = reverse("console_rename_customer", args=[association.pk])

    answer = open_and_send(client, page, texts)

    assert answer.status_code == 400
    assert next(iter(texts.values())) in answer.content.decode()
    assert not AuditEvent.objects.filter(action="association.renamed").exists()


def test_another_partners_customer_has_no_such_page(boss):
    association = joined(PartnerMemberFactory.create(administrator=True))
    page = reverse("console_rename_customer", args=[association.pk])
    client = client_of(boss)
    assert [client.get(page).status_code, client.post(page).status_code] == [404, 404]


def test_a_renamed_account_is_found_by_its_new_name(boss):
    association = joined(boss)
    owner = association.account.owner

    rename_account(user=owner, account_name="north-wind", by=owner, now=timezone.now())

    association.refresh_from_db()
    assert association.shown_name == "north-wind"
    assert not list(names_are_derived())


def test_a_name_that_does_not_follow_breaks_an_invariant(boss):
    association = joined(boss)
    assert not list(names_are_derived())
    Association.objects.filter(pk=association.pk).update(shown_name="Other")
    [violation] = names_are_derived()
    assert violation.invariant == "I13"


def test_lists_are_ordered_by_name(boss):
    for name in ("beta", "Alpha", "älg", "Gamma"):
        renamed(joined(boss), boss, customer_name=name)

    page = client_of(boss).get("/partner/customers/", {"order": "name"})

    shown = [line["name"] for line in page.context["lines"]]
    assert shown == ["Alpha", "beta", "Gamma", "älg"]


def test_erasing_an_account_erases_its_names(boss):
    association = joined(boss)
    renamed(association, boss, customer_name="Ada Lovelace", reference="Ada-1", note="Ada's")
    end_by_provider(association, reason="Over")

    call_command("erase_account", association.account.owner.account_name)

    association.refresh_from_db()
    texts = [getattr(association, name) for name in ("customer_name", "note", "search_names")]
    assert "ada" not in " ".join(texts).lower()
    assert association.shown_name.startswith("erased-")
    assert not list(names_are_derived())
    assert "Ada" not in str(list(AuditEvent.objects.values_list("before", "after")))


def test_what_partners_called_former_customers_is_forgotten(boss):
    association = joined(boss, max_uses=1, customer_name="Ada", reference="K-1")
    end_by_provider(association, reason="Over", now=timezone.now())
    association.refresh_from_db()
    due = association.ended_at + settings.RETENTION["INVITATIONS"]

    assert forget_names_of_former_customers(now=due - SECOND) == 0
    assert forget_names_of_former_customers(now=due) == 1
    assert forget_names_of_former_customers(now=due) == 0

    association.refresh_from_db()
    owner = association.account.owner
    assert (association.shown_name, association.reference) == (owner.account_name, "K-1")
    assert not list(names_are_derived())


def test_the_account_name_of_the_moment_is_taken():
    """The owner's request had loaded the former name."""
    attempt = ready_attempt()
    owner = attempt.account.owner
    renamed_meanwhile = type(owner).objects.get(pk=owner.pk)
    rename_account(user=renamed_meanwhile, account_name="north-wind", by=owner, now=timezone.now())
    assert owner.account_name != "north-wind"

    made = associate(attempt=attempt, by=owner, address=None)

    assert made.shown_name == "north-wind"
    assert not list(names_are_derived())
