"""Associations of all partners: the provider's programs read and end them."""

from datetime import datetime
from typing import Self

from django.http import Http404, HttpResponse
from django.utils import timezone
from ninja import Query, Router
from pydantic import Field

from association.enums import CustomerStatus
from association.models import Association
from association.models.associations import AssociationQuerySet
from association.services.customer_lists import NEWEST_FIRST
from association.services.endings import end_association
from integration.api.answers import Listed, Paging, answer, answer_once, answer_page
from integration.api.callers import ProviderRequest
from integration.api.fields import Id, Input, Output, Reason, YesOrNo
from integration.api.gate import provider_needs
from integration.api.problems import not_found
from integration.api.provider.named_accounts import (
    AccountName,
    ExternalId,
    account_with_external_id,
    account_with_name,
)
from integration.api.provider.partners import partner_of
from integration.enums import ProviderScope
from partners.enums import AssociationType
from web.random_ids import key_or_404

router = Router(tags=["Provider: associations"])


class AssociationFilters(Paging):
    """Which associations."""

    account: AccountName | None = None
    external_id: ExternalId | None = None
    partner_id: Id | None = None
    ended: YesOrNo | None = Field(
        None, description="`false`: those in force; `true`: those that have ended; without it: all."
    )


class AssociationShown(Output):
    """An account is, or was, a partner's customer."""

    id: str = Field(description="Partners have it as the id of the customer.")
    partner_id: str
    account: str = Field(description="The account name.")
    external_id: str | None = Field(description="Your own key of the account.")
    association_type: AssociationType
    status: CustomerStatus
    invitation_id: str
    reference: str = Field(description="The partner's own key.")
    associated_at: datetime
    coupons_pay_before: datetime | None = Field(
        description="Of a reseller's customer: coupons pay charges that were incurred before."
    )
    ended_at: datetime | None
    end_reason: str

    @classmethod
    def of(cls, row: Association) -> Self:
        return cls(
            id=str(row.pk),
            partner_id=str(row.partner_id),
            account=row.account.owner.account_name,
            external_id=row.account.external_id,
            association_type=AssociationType(row.association_type),
            status=CustomerStatus(row.status),
            invitation_id=str(row.invitation_id),
            reference=row.reference,
            associated_at=row.associated_at,
            coupons_pay_before=row.coupons_pay_before,
            ended_at=row.ended_at,
            end_reason=row.end_reason,
        )


class AssociationEnd(Input):
    """Why you end the association."""

    reason: Reason = Field(description="The customer and the partner read it.")


@router.get(
    "",
    response=Listed[AssociationShown],
    summary="List associations",
    **provider_needs(ProviderScope.ASSOCIATIONS_READ, finds_one=True),
)
def list_associations(request: ProviderRequest, query: Query[AssociationFilters]) -> HttpResponse:
    """List the associations of all partners, the newest first.

    An account or a partner that does not exist is a 404, so that no list is empty by mistake.
    """
    rows = _associations()
    if query.account is not None:
        rows = rows.filter(account=account_with_name(query.account))
    if query.external_id is not None:
        rows = rows.filter(account=account_with_external_id(query.external_id))
    if query.partner_id is not None:
        rows = rows.filter(partner=partner_of(query.partner_id))
    if query.ended is not None:
        rows = rows.filter(ended_at__isnull=not query.ended)
    return answer_page(request, rows, query, order=NEWEST_FIRST, show=AssociationShown.of)


@router.get(
    "/{association_id}",
    response=AssociationShown,
    summary="Get an association",
    **provider_needs(ProviderScope.ASSOCIATIONS_READ),
)
def get(request: ProviderRequest, association_id: str) -> HttpResponse:
    """Get one association, also after it has ended."""
    return answer(AssociationShown.of(_association_of(association_id)))


@router.post(
    "/{association_id}/end",
    response=AssociationShown,
    summary="End an association",
    **provider_needs(ProviderScope.ASSOCIATIONS_WRITE),
)
def end(request: ProviderRequest, association_id: str, body: AssociationEnd) -> HttpResponse:
    """End the association at once, also with bills open. Both sides are told by e-mail.

    Its budget and authorization end with it, and all freezes but the provider's own are lifted.
    """

    def act() -> AssociationShown:
        end_association(
            association=_association_of(association_id),
            reason=body.reason,
            by=request.auth.user,
            now=timezone.now(),
        )
        return AssociationShown.of(_association_of(association_id))

    return answer_once(request, act)


def _associations() -> AssociationQuerySet:
    return Association.objects.select_related("account__owner")


def _association_of(key: str) -> Association:
    try:
        return _associations().get(pk=key_or_404(key))
    except (Http404, Association.DoesNotExist) as error:
        raise not_found("There is no association with this id.") from error
