"""What the landing page reads of an invitation: one prepared statement, and rows without models.

`benchmarks/README.md` has what that saves.
"""

from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import QuerySet
from django_countries.fields import Country

from partners.enums import AssociationType, InvitationRefusal
from partners.models import Invitation
from partners.models.invitations import refusal_of
from partners.models.logos import logo_path, preview_path
from partners.tokens import canonical_token
from web.fixed_queries import TEXT, repeated_query


class Inviter(NamedTuple):
    """What a stranger is shown of a partner, and what decides whether it may invite."""

    name: str
    legal_name: str
    country_code: str
    support_email: str
    time_zone: str
    status: str
    allows_reseller: bool
    allows_referral: bool
    logo_id: str | None
    logo_width: int | None
    logo_height: int | None

    @property
    def logo_path(self) -> str:
        return logo_path(self.logo_id)

    @property
    def preview_path(self) -> str:
        return preview_path(self.logo_id)

    @property
    def country(self) -> Country:
        # Its name is looked up only when the page is rendered.
        return Country(self.country_code)


class Offer(NamedTuple):
    """What the landing page needs of an invitation, live or not."""

    pk: int
    partner_id: int
    token: str
    channel: str
    association_type: str
    note: str
    language: str
    max_uses: int | None
    used_count: int
    expires_at: datetime | None
    revoked_at: datetime | None
    allowed_domains: str
    is_bound: bool
    recipient: str
    partner: Inviter

    def refusal(self, now: datetime) -> InvitationRefusal | None:
        """Return why the invitation cannot be followed at `now`, or None while it is live."""
        return refusal_of(self, now)

    @property
    def is_reseller(self) -> bool:
        return self.association_type == AssociationType.RESELLER

    @property
    def remaining_uses(self) -> int | None:
        return None if self.max_uses is None else self.max_uses - self.used_count


_OWN_COLUMNS = [name for name in Offer._fields if name != "partner"]


def find_offer(token_text: str) -> Offer | None:
    """Return the invitation of this token; None, without a query, for what is no token."""
    token = canonical_token(token_text)
    return None if token is None else _offers.first(token)


def _make_offer(row: list[Any]) -> Offer:
    own = len(_OWN_COLUMNS)
    return Offer._make([*row[:own], Inviter._make(row[own:])])


@repeated_query(TEXT, make=_make_offer)
def _offers(token: str) -> QuerySet[Invitation, Any]:
    columns = ["country" if name == "country_code" else name for name in Inviter._fields]
    rows = Invitation.objects.filter(token=token)
    return rows.values_list(*_OWN_COLUMNS, *(f"partner__{name}" for name in columns))
