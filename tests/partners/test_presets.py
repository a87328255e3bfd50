"""A budget to begin with, and the domains that may join: in the forms, and on the invitation."""

from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from association.services.invariants.trail import trail_equals_state
from partners.models import Invitation, InvitationBatch
from partners.services.batches import make_batches
from tests.factories import InvitationFactory, PartnerFactory, PartnerMemberFactory
from web.email_addresses import InvalidAddress, canonical_domain, readable_domains

pytestmark = pytest.mark.django_db

PRESET = {"budget_amount": "1500", "budget_period": "one_time", "budget_on_exhaustion": "notify"}
STORED = (Decimal("1500.00"), "one_time", "notify")
LINK = {"label": "Fair", "association_type": "reseller"}
PERSON = {
    "action": "send",
    "recipient": "ada@example.org",
    "association_type": "reseller",
    "recipient_only": "on",
}


@pytest.fixture
def boss():
    return PartnerMemberFactory.create(administrator=True)


@pytest.fixture
def client(boss):
    client = Client()
    client.force_login(boss.user)
    return client


def preset_of(row):
    return (row.budget_amount, row.budget_period, row.budget_on_exhaustion)


def test_link_carries_preset_and_domains_and_its_copy_too(client):
    typed = {**LINK, **PRESET, "allowed_domains": "@Nordwind.example; müller.example,a.example"}
    assert client.post(reverse("console_new_link"), typed).status_code == 303
    made = Invitation.objects.get()
    assert preset_of(made) == STORED
    assert made.allowed_domains == "a.example nordwind.example xn--mller-kva.example"
    page = client.get(reverse("console_invitation", args=[made.pk])).content.decode()
    assert "<bdi>a.example, nordwind.example or müller.example</bdi>" in page
    assert "1,500.00\u00a0USD" in page
    form = client.get(f"{reverse('console_new_link')}?copy={made.pk}").context["form"]
    assert form.is_unfolded()
    assert form["allowed_domains"].value() == made.allowed_domains
    assert form["budget_period"].value() == "one_time"
    assert list(trail_equals_state()) == []


def test_without_them_nothing_is_stored_and_the_form_stays_folded(client):
    assert client.post(reverse("console_new_link"), LINK).status_code == 303
    made = Invitation.objects.get()
    assert preset_of(made) == (None, "", "")
    assert made.allowed_domains == ""
    assert not client.get(reverse("console_new_link")).context["form"].is_unfolded()
    copy = client.get(f"{reverse('console_new_link')}?copy={made.pk}").context["form"]
    assert not copy.is_unfolded()


def test_amount_alone_is_monthly_and_freezes(client):
    assert (
        client.post(reverse("console_new_link"), {**LINK, "budget_amount": "0"}).status_code == 303
    )
    assert preset_of(Invitation.objects.get()) == (Decimal(0), "monthly", "freeze")


def test_email_carries_the_preset(client):
    typed = {**PERSON, **PRESET, "allowed_domains": "ignored.example"}
    assert client.post(reverse("console_new_email"), typed).status_code == 303
    made = Invitation.objects.get()
    assert (preset_of(made), made.allowed_domains) == (STORED, "")


def test_links_of_a_batch_carry_both(client):
    from django.utils import timezone

    typed = {**LINK, **PRESET, "size": "2", "allowed_domains": "a.example"}
    assert client.post(reverse("console_new_batch"), typed).status_code == 303
    assert preset_of(InvitationBatch.objects.get()) == STORED
    assert make_batches(now=timezone.now()) == 2
    made = list(Invitation.objects.all())
    assert [(preset_of(row), row.allowed_domains) for row in made] == [(STORED, "a.example")] * 2
    assert list(trail_equals_state()) == []


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"budget_amount": "-1"}, "budget_amount"),
        ({"budget_amount": "many"}, "budget_amount"),
        ({"budget_amount": "1", "budget_period": "weekly"}, "budget_period"),
        ({"budget_amount": "1", "budget_on_exhaustion": "explode"}, "budget_on_exhaustion"),
        ({"budget_amount": "1", "association_type": "referral"}, "budget_amount"),
        ({"allowed_domains": "nordwind"}, "allowed_domains"),
        ({"allowed_domains": "a@nordwind.example"}, "allowed_domains"),
        ({"allowed_domains": "nordwind.example, <b>"}, "allowed_domains"),
        ({"allowed_domains": "x" * 501}, "allowed_domains"),
        ({"allowed_domains": "*.nordwind.example"}, "allowed_domains"),
    ],
)
def test_bad_ones_are_errors_that_keep_what_was_typed(client, typed, field):
    page = client.post(reverse("console_new_link"), {**LINK, **typed})
    form = page.context["form"]
    assert (page.status_code, list(form.errors)) == (400, [field])
    assert form.is_unfolded()
    assert form[field].value() == typed[field]
    assert not Invitation.objects.exists()


def test_partner_that_only_refers_is_not_asked_for_a_budget(boss, client):
    boss.partner.allows_reseller = False
    boss.partner.save()
    for kind in ("new_link", "new_email", "new_batch", "many_emails"):
        form = client.get(reverse(f"console_{kind}")).context["form"]
        assert "budget_amount" not in form.fields


@pytest.mark.parametrize(
    "fields",
    [
        {"budget_amount": 1},
        {"budget_period": "monthly"},
        {"budget_amount": -1, "budget_period": "monthly", "budget_on_exhaustion": "freeze"},
        {
            "budget_amount": 1,
            "budget_period": "monthly",
            "budget_on_exhaustion": "freeze",
            "association_type": "referral",
        },
        {"email": True, "allowed_domains": "a.example"},
    ],
)
def test_database_accepts_only_whole_ones(fields):
    partner = PartnerFactory.create()
    with pytest.raises(IntegrityError), transaction.atomic():
        InvitationFactory.create(partner=partner, **fields)


@pytest.mark.parametrize(
    "text", ["", "a", "a..example", "a@b.example", "a b.example", "-a.example"]
)
def test_what_is_no_domain(text):
    with pytest.raises(InvalidAddress):
        canonical_domain(text)


def test_domains_are_shown_as_people_write_them():
    stored = f"a.example {canonical_domain('Müller.Example')}"
    assert readable_domains(stored) == "a.example or müller.example"
    assert readable_domains("a.example") == "a.example"
    assert readable_domains("") == ""
