"""The metadata of an invitation: keys and texts of the partner's own system."""

from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from association.services.invariants.trail import trail_equals_state
from audit.models import AuditEvent
from partners.enums import InvitationProblem
from partners.models import Invitation
from partners.services.invitations import create_invitation
from tests import factories as typed_factories
from web.email_addresses import mask_address
from web.refused import Refused

factories: Any = typed_factories
pytestmark = pytest.mark.django_db

LIMITS = {"k" * 40: "v" * 500, **{f"key {number}": "" for number in range(19)}}


def create(**terms: Any) -> Invitation:
    return create_invitation(
        partner=factories.PartnerFactory(),
        channel="link",
        association_type="reseller",
        label="Spring",
        by=None,
        now=timezone.now(),
        **terms,
    )


def test_an_invitation_has_none_by_default() -> None:
    assert Invitation.objects.get(pk=create().pk).metadata == {}


def test_metadata_up_to_the_limits_is_stored_as_it_is() -> None:
    assert Invitation.objects.get(pk=create(metadata=LIMITS).pk).metadata == LIMITS


@pytest.mark.parametrize(
    "metadata",
    [
        *(None, "text", ["list"], 1),
        {**LIMITS, "one more": ""},
        {"": "empty key"},
        {"k" * 41: "long key"},
        {1: "number as key"},
        {"long value": "v" * 501},
        {"number": 1},
        {"nothing": None},
        {"nested": {"a": "b"}},
        {"nul": "a\0b"},
        {"nul \0": "b"},
        {"half": "\ud800"},
    ],
    ids=lambda metadata: str(metadata)[:20].encode("ascii", "replace").decode(),
)
def test_other_metadata_is_refused(metadata: Any) -> None:
    with pytest.raises(Refused) as refused:
        create(metadata=metadata)
    assert refused.value.code == InvitationProblem.METADATA_NOT_ACCEPTED
    assert Invitation.objects.count() == 0


def test_the_trail_has_it_with_addresses_masked_and_agrees_with_the_row() -> None:
    create(metadata={"order": "17", "owner": "ann@example.org"})
    event = AuditEvent.objects.get(action="invitation.created")
    assert event.after["metadata"] == {"order": "17", "owner": mask_address("ann@example.org")}
    assert list(trail_equals_state()) == []


def test_a_row_that_differs_from_the_trail_is_found() -> None:
    create(metadata={"owner": "ann@example.org", "order": "17"})
    Invitation.objects.update(metadata={"owner": "ann@example.org", "order": "18"})
    assert [found.detail for found in trail_equals_state()] == [
        "differs from its audit trail in metadata"
    ]


def test_the_admin_shows_it_and_cannot_change_it(admin_client: Any) -> None:
    invitation = create(metadata={"order": "N-17"})
    page = admin_client.get(reverse("admin:partners_invitation_change", args=[invitation.pk]))
    assert "N-17" in page.content.decode()
    assert "metadata" not in page.context["adminform"].form.fields
