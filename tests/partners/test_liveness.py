"""Whether an invitation is live: one rule, for a row, for a set of rows, and in the UPDATE."""

from datetime import UTC, datetime, timedelta

import pytest

from partners.enums import InvitationRefusal
from partners.models import Invitation
from partners.services.invitation_use import InvitationRefused, use_invitation
from tests.factories import InvitationFactory, PartnerFactory

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
MOMENT = timedelta(microseconds=1)
CASES = {
    "without limits": ({}, {}, None),
    "by e-mail": ({"email": True, "expires_at": NOW + timedelta(days=7)}, {}, None),
    "referral": ({"referral": True}, {}, None),
    "a moment before its expiry": ({"expires_at": NOW + MOMENT}, {}, None),
    "at its expiry": ({"expires_at": NOW}, {}, InvitationRefusal.EXPIRED),
    "after its expiry": ({"expires_at": NOW - MOMENT}, {}, InvitationRefusal.EXPIRED),
    "one use left": ({"max_uses": 3, "used_count": 2}, {}, None),
    "used without limit": ({"used_count": 1_000}, {}, None),
    "no use left": ({"max_uses": 3, "used_count": 3}, {}, InvitationRefusal.USED_UP),
    "revoked": ({"revoked_at": NOW - MOMENT}, {}, InvitationRefusal.REVOKED),
    "revoked now": ({"revoked_at": NOW}, {}, InvitationRefusal.REVOKED),
    "partner frozen": (
        {},
        {"frozen": True},
        InvitationRefusal.PARTNER_UNAVAILABLE,
    ),
    "reseller not allowed": (
        {},
        {"allows_reseller": False},
        InvitationRefusal.TYPE_NOT_ALLOWED,
    ),
    "referral not allowed": (
        {"referral": True},
        {"allows_referral": False},
        InvitationRefusal.TYPE_NOT_ALLOWED,
    ),
    "the other type not allowed": ({"referral": True}, {"allows_reseller": False}, None),
}


@pytest.mark.parametrize(("fields", "partner", "refusal"), CASES.values(), ids=CASES)
def test_row_set_and_use_agree(fields, partner, refusal):
    invitation = InvitationFactory(partner=PartnerFactory(**partner), **fields)
    assert invitation.refusal(NOW) == refusal
    assert Invitation.objects.live(NOW).filter(pk=invitation.pk).exists() is (refusal is None)
    used_before = invitation.used_count
    if refusal is None:
        use_invitation(invitation=invitation, now=NOW)
    else:
        with pytest.raises(InvitationRefused) as refused:
            use_invitation(invitation=invitation, now=NOW)
        assert refused.value.code == refusal
    invitation.refresh_from_db()
    assert invitation.used_count == used_before + (refusal is None)


def test_use_is_one_statement_that_decides_on_the_row_itself(django_assert_num_queries):
    invitation = InvitationFactory(max_uses=1)
    with django_assert_num_queries(1) as queries:
        use_invitation(invitation=invitation, now=NOW)
    # The result of a sub-select would not change while the UPDATE waits for the row.
    assert "IN (SELECT" not in queries[0]["sql"]


def test_use_of_vanished_invitation_is_refused_as_unknown():
    invitation = InvitationFactory()
    Invitation.objects.filter(pk=invitation.pk).delete()
    with pytest.raises(InvitationRefused) as refused:
        use_invitation(invitation=invitation, now=NOW)
    assert refused.value.code == InvitationRefusal.UNKNOWN
