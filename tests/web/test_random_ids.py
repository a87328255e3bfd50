"""Keys in addresses are random: a partner cannot count another's rows by them."""

import re
from datetime import UTC, datetime
from itertools import pairwise

from accounts.models import ConnectedLogin
from association.models import Association, Consent
from integration.models import ApiKey, WebhookDelivery, WebhookEndpoint
from partners.models import (
    BulkAction,
    Invitation,
    InvitationBatch,
    InvitationRequest,
    MemberInvitation,
    PartnerMember,
)
from partners.services.invitation_drafts import draft_invitation, numbered_links
from tests.conventions.routes import routes
from tests.factories import PartnerFactory
from web.random_ids import RandomIdField, random_id

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
NAMED_IN_ADDRESSES = {
    "association_id": Association,
    "batch_id": InvitationBatch,
    "bulk_action_id": BulkAction,
    "consent_id": Consent,
    "invitation_id": Invitation,
    "invitation_request_id": InvitationRequest,
    "delivery_id": WebhookDelivery,
    "endpoint_id": WebhookEndpoint,
    "key_id": ApiKey,
    "login_id": ConnectedLogin,
    "member_id": PartnerMember,
    "member_invitation_id": MemberInvitation,
}


def test_keys_have_18_digits_and_differ():
    keys = {random_id() for _ in range(10_000)}
    assert len(keys) == 10_000
    assert {len(str(key)) for key in keys} == {18}


def test_no_key_is_near_another():
    """With a sequence one key would tell the next, and the difference how many rows there are."""
    keys = sorted(random_id() for _ in range(1_000))
    assert min(after - before for before, after in pairwise(keys)) > 1_000


def test_every_number_in_an_address_is_a_random_key():
    numbers = {name for route in routes() for name in re.findall(r"<int:(\w+)>", route.pattern)}
    assert numbers == NAMED_IN_ADDRESSES.keys()
    keys = [model._meta.pk for model in NAMED_IN_ADDRESSES.values()]
    assert [type(key) for key in keys] == [RandomIdField] * len(keys)


def test_links_of_a_batch_sort_by_their_numbers():
    draft = draft_invitation(
        partner=PartnerFactory.build(), channel="link", label="Table {n}", now=NOW
    )
    links = numbered_links(draft, range(1, 101))
    by_key = sorted(links, key=lambda link: link.pk)
    assert [link.label for link in by_key] == [f"Table {n}" for n in range(1, 101)]
