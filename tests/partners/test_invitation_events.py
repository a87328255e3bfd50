"""Which events invitations publish: made, revoked, not delivered; and who asks for one."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from outbox.models import Event, OutboxMessage
from outbox.services.queue import drop_late_messages, mark_dead, revive_message
from partners.enums import EventKind
from partners.models import Invitation, InvitationRequest
from partners.services.batches import make_batches, start_links
from partners.services.invitation_requests import request_online_invitation
from partners.services.invitations import (
    create_invitation,
    create_links,
    edit_invitation,
    revoke_invitation,
)
from tests import factories as typed_factories
from web.refused import Refused

factories: Any = typed_factories
pytestmark = pytest.mark.django_db

NOW = timezone.now()
LATER = NOW + timedelta(minutes=1)
KEYS = {"reference": "N-17", "metadata": {"order": "17"}}


def events() -> list[tuple[str, int | None, dict[str, Any]]]:
    rows = Event.objects.order_by("occurred_at", "pk")
    return list(rows.values_list("kind", "partner_id", "data"))


def create(**terms: Any) -> Invitation:
    return create_invitation(
        **{
            "partner": factories.PartnerFactory(),
            "channel": "link",
            "association_type": "reseller",
            "label": "Spring",
            "by": None,
            "now": NOW,
            **KEYS,
            **terms,
        }
    )


def test_an_invitation_is_published_with_the_keys_of_the_partners_systems() -> None:
    invitation = create(note="Dear Ann")
    data = {"invitation_id": str(invitation.pk), **KEYS}
    assert events() == [(EventKind.INVITATION_CREATED, invitation.partner_id, data)]
    event = Event.objects.get()
    assert (event.object_label, event.object_id) == ("partners.invitation", str(invitation.pk))
    assert event.occurred_at == NOW


def test_a_refused_or_rolled_back_invitation_is_not_published() -> None:
    with pytest.raises(Refused):
        create(max_uses=0)
    with transaction.atomic():
        create()
        transaction.set_rollback(True)
    assert events() == []


def test_many_links_are_published_each() -> None:
    partner = factories.PartnerFactory()
    links = create_links(
        count=3, partner=partner, label="{n}", association_type="reseller", by=None, now=NOW
    )
    found = [data["invitation_id"] for _kind, _partner, data in events()]
    assert found == [str(link.pk) for link in links]


def test_a_batch_publishes_with_its_invitations() -> None:
    member = factories.PartnerMemberFactory(administrator=True)
    words = {"partner": member.partner, "by": member.user, "now": NOW}
    start_links(size=1000, label="{n}", association_type="reseller", **words)
    with CaptureQueriesContext(connection) as statements:
        make_batches(now=NOW)
    inserts = [one for one in statements if one["sql"].startswith('INSERT INTO "outbox_event"')]
    # Eight columns each; SQLite takes 999 parameters in a statement with Django 5.2.
    assert len(inserts) == (9 if connection.features.max_query_params == 999 else 1)
    assert Event.objects.filter(kind=EventKind.INVITATION_CREATED).count() == 1000


def test_a_revocation_is_published_once() -> None:
    invitation = create()
    for _ in range(2):
        revoke_invitation(invitation=invitation, by=None, now=LATER)
    kinds = [kind for kind, _partner, _data in events()]
    assert kinds == [EventKind.INVITATION_CREATED, EventKind.INVITATION_REVOKED]
    assert events()[1][2] == {"invitation_id": str(invitation.pk), **KEYS}


def test_editing_publishes_nothing() -> None:
    invitation = create()
    edit_invitation(
        invitation=invitation,
        label="Summer",
        note="",
        expires_at=None,
        max_uses=None,
        by=None,
        now=NOW,
    )
    assert [kind for kind, *_ in events()] == [EventKind.INVITATION_CREATED]


def die(invitation: Invitation) -> OutboxMessage:
    message = OutboxMessage.objects.get(about_id=str(invitation.pk))
    mark_dead(message=message, error="550 No such user", now=timezone.now())
    message.refresh_from_db()
    return message


def failures() -> list[dict[str, Any]]:
    return [data for kind, _p, data in events() if kind == EventKind.INVITATION_DELIVERY_FAILED]


def test_an_email_that_dies_is_published_each_time() -> None:
    invitation = create(channel="email", recipient="ann@example.org")
    message = die(invitation)
    data = {"invitation_id": str(invitation.pk), **KEYS}
    assert failures() == [data]
    revive_message(message=message, by=None, now=timezone.now())
    assert failures() == [data]
    die(invitation)
    assert failures() == [data, data]


def test_an_email_that_is_late_is_published_as_not_delivered() -> None:
    expires_at = NOW + timedelta(hours=1)
    invitation = create(channel="email", recipient="ann@example.org", expires_at=expires_at)
    drop_late_messages(now=expires_at - timedelta(seconds=1))
    assert failures() == []
    for _ in range(2):
        drop_late_messages(now=expires_at)
    assert failures() == [{"invitation_id": str(invitation.pk), **KEYS}]


def test_a_request_for_an_online_invitation_is_published_without_the_address() -> None:
    link = create()
    for _ in range(2):
        request_online_invitation(
            invitation=link, address="ann@example.org", language="en", now=LATER
        )
    opened = InvitationRequest.objects.get()
    data = {
        "invitation_id": str(link.pk),
        "invitation_request_id": str(opened.pk),
        **KEYS,
    }
    assert events()[1:] == [(EventKind.INVITATION_REQUEST_CREATED, link.partner_id, data)]
