"""Partners, as the provider's programs read them."""

from datetime import datetime
from typing import Annotated, Self

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from ninja import Query, Router
from pydantic import Field

from integration.api.answers import Listed, Paging, answer, answer_page
from integration.api.fields import Output, as_on_pages
from integration.api.gate import ProviderRequest, provider_needs
from integration.enums import ProviderScope
from partners.enums import AssociationType, PartnerStatus
from partners.models import Partner
from partners.services.pages import Order
from web.random_ids import key_or_404
from web.text_fields import LineField

router = Router(tags=["Provider: partners"])
# By the key, which is a sequence.
_OLDEST_FIRST = Order("id", descending=False)

Slug = Annotated[str, Field(min_length=1, max_length=50), as_on_pages(LineField(max_length=50))]


class PartnerFilters(Paging):
    """Which partners."""

    slug: Slug | None = None
    status: PartnerStatus | None = None


class PartnerShown(Output):
    """An organisation that invites customers."""

    id: str
    slug: str = Field(description="The short name, which no other partner has.")
    name: str
    legal_name: str
    country: str
    support_email: str
    support_phone: str
    time_zone: str
    association_types: list[AssociationType] = Field(description="How it may invite.")
    status: PartnerStatus
    frozen_at: datetime | None
    frozen_reason: str
    created_at: datetime

    @classmethod
    def of(cls, row: Partner) -> Self:
        return cls(
            id=str(row.pk),
            slug=row.slug,
            name=row.name,
            legal_name=row.legal_name,
            country=str(row.country),
            support_email=row.support_email,
            support_phone=row.support_phone,
            time_zone=row.time_zone,
            association_types=[one for one in AssociationType if row.allows(one)],
            status=PartnerStatus(row.status),
            frozen_at=row.frozen_at,
            frozen_reason=row.frozen_reason,
            created_at=row.created_at,
        )


@router.get(
    "",
    response=Listed[PartnerShown],
    summary="List partners",
    **provider_needs(ProviderScope.PARTNERS_READ),
)
def list_partners(request: ProviderRequest, query: Query[PartnerFilters]) -> HttpResponse:
    """List the partners, the oldest first."""
    filters = query.model_dump(include={"slug", "status"}, exclude_none=True)
    return answer_page(
        request,
        Partner.objects.filter(**filters),
        query,
        order=_OLDEST_FIRST,
        show=lambda found: [PartnerShown.of(row) for row in found],
    )


@router.get(
    "/{partner_id}",
    response=PartnerShown,
    summary="Get a partner",
    **provider_needs(ProviderScope.PARTNERS_READ),
)
def get(request: ProviderRequest, partner_id: str) -> HttpResponse:
    """Get one partner by its id."""
    return answer(PartnerShown.of(partner_of(partner_id)))


def partner_of(key: str) -> Partner:
    """Return the partner with this id. Raises Http404 for any other text."""
    return get_object_or_404(Partner, pk=key_or_404(key))
