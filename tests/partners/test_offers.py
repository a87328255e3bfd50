"""What the landing page reads is the invitation as its model tells it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from partners.services.offers import Offer, find_offer
from tests.factories import InvitationFactory, PartnerFactory

pytestmark = pytest.mark.django_db
NOW = timezone.now()
KINDS = {
    "live": {},
    "by e-mail": {"email": True},
    "referral": {"referral": True},
    "expired": {"expired": True},
    "expires now": {"expires_at": NOW},
    "expires later": {"expires_at": NOW + timedelta(seconds=1)},
    "revoked": {"revoked": True},
    "used up": {"used_up": True},
    "limited": {"max_uses": 3},
    "partner frozen": {"partner__frozen": True},
    "reseller not allowed": {"partner__allows_reseller": False},
    "referral not allowed": {"referral": True, "partner__allows_referral": False},
}


@pytest.mark.parametrize("traits", KINDS.values(), ids=KINDS)
def test_an_offer_tells_what_the_model_tells(traits):
    invitation = InvitationFactory.create(**traits)
    offer = find_offer(invitation.token)
    own = [name for name in Offer._fields if name != "partner"]
    assert [getattr(offer, name) for name in own] == [getattr(invitation, name) for name in own]
    assert offer.refusal(NOW) == invitation.refusal(NOW)
    assert offer.is_reseller == invitation.is_reseller
    assert offer.remaining_uses == invitation.remaining_uses
    for name in ("name", "legal_name", "country", "support_email", "status"):
        assert getattr(offer.partner, name) == getattr(invitation.partner, name)


def test_there_is_no_offer_for_an_unknown_token(django_assert_num_queries):
    PartnerFactory.create()
    with django_assert_num_queries(1):
        assert find_offer("z" * 26) is None
    with django_assert_num_queries(0):
        assert find_offer("no token") is None
