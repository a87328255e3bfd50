"""Every page of the console in a real browser: axe, widths, targets and its own policy."""

from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from outbox.services.queue import OutgoingMessage, enqueue_messages, mark_dead
from partners.models import Invitation
from tests import factories
from tests.conventions.routes import Route
from tests.conventions.test_console_gates import console_routes
from tests.integration.calls import make_key
from tests.integration.webhooks import make_delivery

pytestmark = pytest.mark.browser

# Files and pictures, and sheets whose size is the paper's.
NO_PAGES = {
    "console_bad_rows",
    "console_batch_codes",
    "console_batch_labels",
    "console_batch_links",
    "console_batch_outcomes",
    "console_batch_undelivered",
    "console_bulk_customers_csv",
    "console_bulk_invitations_csv",
    "console_customers_csv",
    "console_history_csv",
    "console_list_remarks",
    "console_list_template",
    "console_print_invitation",
    "console_qr_png",
    "console_qr_svg",
}


def shown() -> list[Route]:
    return [route for route in console_routes() if route.name not in NO_PAGES]


@pytest.fixture
def ids() -> dict[str, Any]:
    """One of everything, all of them the administrator's, with something on every page."""
    make: Any = factories
    # As long as addresses come, so that what cannot break shows.
    boss = make.PartnerMemberFactory(
        administrator=True,
        partner__name="Nimbus",
        user__email="maximiliane.hohenzollern-sigmaringen@vertrieb.nimbus-partner.example",
    )
    partner = boss.partner
    invitation = make.InvitationFactory(partner=partner, created_by=boss.user)
    mailed = make.InvitationFactory(email=True, partner=partner, created_by=boss.user)
    association = make.make_associated(invitation=invitation)
    make.ResourceFactory(account=association.account)
    make.AttemptFactory(invitation=invitation, refused=True, entered=True)
    now = timezone.now()
    make.AttemptFactory(invitation=invitation, entered=True, deferred_at=now)
    refused = make.InvitationFactory(email=True, partner=partner, created_by=boss.user)
    outgoing = OutgoingMessage("partners.invitation", refused.recipient, refused, "en")
    [message] = enqueue_messages(messages=[outgoing], now=now)
    mark_dead(message=message, error="550 SMTPRecipientsRefused", now=now)
    draft = make.InvitationBatchFactory(
        partner=partner, created_by=boss.user, email=True, draft=True, size=1
    )
    make.BatchRowFactory(batch=draft)
    bulk_customers = make.BulkActionFactory(kind="freeze", partner=partner, created_by=boss.user)
    make.BulkActionRowFactory(action=bulk_customers, object_id=association.pk)
    bulk = make.BulkActionRowFactory(
        invitation=invitation, action__partner=partner, action__created_by=boss.user
    ).action
    delivery = make_delivery(partner)
    return {
        "boss": boss,
        "invitation_id": invitation.pk,
        "mailed": mailed,
        "invitation_request_id": make.InvitationRequestFactory(invitation=invitation).pk,
        "association_id": association.pk,
        "attempt_id": association.attempt_id,
        # Of a running one the page would load itself again while it is looked at.
        "batch_id": make.InvitationBatchFactory(
            partner=partner, created_by=boss.user, cancelled=True
        ).pk,
        "bulk_action_id": bulk.pk,
        "console_bulk_customers": bulk_customers.pk,
        "console_bulk_customers_csv": bulk_customers.pk,
        "console_mailing": draft.pk,
        "key_id": make_key(partner)[0].pk,
        "endpoint_id": delivery.endpoint_id,
        "delivery_id": delivery.pk,
        "member_id": make.PartnerMemberFactory(partner=partner).pk,
        "member_invitation_id": make.MemberInvitationFactory(partner=partner).pk,
    }


def address(route: Route, ids: dict[str, Any]) -> str:
    values = [ids.get(route.name, ids[parameter]) for parameter in route.parameters]
    return reverse(route.name, args=values)


def test_every_page_of_the_console_is_in_order(new_visitor, ids):
    colleague = new_visitor(viewport={"width": 1280, "height": 900})
    colleague.open("/account/login/", "login")
    colleague.log_in(ids["boss"].user, "Overview", variant="console")

    seen = []
    for route in shown():
        answer = colleague.page.request.get(address(route, ids))
        if answer.status != 200:
            # What only takes a POST, or leads on.
            continue
        colleague.open(address(route, ids), "[^<]+", variant=route.name)
        seen.append(route.name)
    mailed: Invitation = ids["mailed"]
    colleague.open(reverse("console_invitation", args=[mailed.pk]), mailed.label, variant="mailed")

    assert len(seen) > 25


def test_the_console_of_a_frozen_partner_is_in_order(new_visitor, ids, settings):
    settings.PROVIDER_SUPPORT_EMAIL = "customers-and-partners@support.provider.example"
    boss = ids["boss"]
    factories.mark_frozen(boss.partner, frozen_reason="Complaint-" * 25)
    colleague = new_visitor(viewport={"width": 1280, "height": 900})
    colleague.open("/account/login/", "login")
    colleague.log_in(boss.user, "Overview", variant="console of a frozen partner")

    for name in ("console_customer", "console_attempt", "console_mailing", "console_freeze"):
        route = next(route for route in shown() if route.name == name)
        colleague.open(address(route, ids), "[^<]+", variant=f"{name} of a frozen partner")
