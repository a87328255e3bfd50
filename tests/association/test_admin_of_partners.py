"""The admin's lists of e-mails and events, by partner and by kind."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.enums import FreezeScope
from association.enums import Side
from association.services.customers import freeze_customer, set_budget
from association.services.endings import ask_to_end
from outbox.models import Event, OutboxMessage
from partners.services.partner_freezes import freeze_partner
from tests import factories as typed_factories

# The checker takes a factory for what it makes.
factories: Any = typed_factories

pytestmark = pytest.mark.django_db

EMAILS = reverse("admin:outbox_outboxmessage_changelist")
EVENTS = reverse("admin:outbox_event_changelist")


@pytest.fixture
def superuser() -> Client:
    client = Client()
    client.force_login(factories.UserFactory(staff=True))
    return client


def make_customer() -> Any:
    """Return a customer about whom both sides get e-mails of several kinds."""
    customer = typed_factories.make_associated()
    boss = factories.PartnerMemberFactory(partner=customer.partner, administrator=True).user
    by: dict[str, Any] = {"by": boss, "now": timezone.now()}
    terms = {"amount": 10, "period": "monthly", "on_exhaustion": "freeze"}
    set_budget(association=customer, unfreeze=True, reason="Paid", **terms, **by)
    scope = FreezeScope.ACCOUNT
    freeze_customer(association=customer, scope=scope, reason="Unpaid", **by)
    ask_to_end(association=customer, side=Side.PARTNER, reason="Unpaid", **by)
    return customer


def test_emails_of_a_partner_are_listed(superuser: Client) -> None:
    customer, other = make_customer(), make_customer()
    staff = factories.UserFactory(staff=True)
    now = timezone.now()
    freeze_partner(partner=customer.partner, reason="Fraud", by=staff, now=now)
    kinds = set(OutboxMessage.objects.values_list("kind", flat=True))
    assert {
        "association.associated",
        "association.unfrozen",
        "association.frozen",
        "association.end_requested",
        "partners.frozen",
    } <= kinds
    of_none = OutboxMessage.objects.filter(partner_id=None).values_list("kind", flat=True)
    assert [kind for kind in of_none if not kind.startswith("accounts.")] == []
    page = superuser.get(reverse("admin:partners_partner_change", args=[other.partner_id]))
    [section] = [
        one
        for one in page.context["sections"]
        if str(one.title) == "E-mails to its members and customers"
    ]
    listed = superuser.get(section.all_url)
    theirs = OutboxMessage.objects.filter(partner_id=other.partner_id)
    assert {row.pk for row in listed.context["cl"].result_list} == {row.pk for row in theirs}
    assert f">{other.partner.name}</a>" in listed.content.decode()


def test_events_are_filtered_by_kind_and_name_their_partner(superuser: Client) -> None:
    customer, _other = make_customer(), typed_factories.make_associated()
    page = superuser.get(EVENTS, {"kind": "budget.set"})
    assert [row.kind for row in page.context["cl"].result_list] == ["budget.set"]
    link = reverse("admin:partners_partner_change", args=[customer.partner_id])
    assert f'<a href="{link}">{customer.partner.name}</a>' in page.content.decode()
    both = superuser.get(EVENTS, {"kind": "association.created"})
    assert both.context["cl"].result_count == 2
    of_one = superuser.get(EVENTS, {"partner_id": customer.partner_id})
    shown = {row.pk for row in of_one.context["cl"].result_list}
    assert shown == set(
        Event.objects.filter(partner_id=customer.partner_id).values_list("pk", flat=True)
    )
