"""Whether any account may join any partner, with every rule's result and the facts behind it."""

from datetime import datetime
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from ninja import Query, Router
from pydantic import Field

from association.services.eligibility import snapshot
from association.services.previews import preview_eligibility
from integration.api.answers import answer
from integration.api.callers import ProviderRequest
from integration.api.fields import Id, Output
from integration.api.gate import provider_needs
from integration.api.provider.named_accounts import NamedAccount, account_of
from integration.api.provider.partners import partner_of
from integration.enums import ProviderScope
from partners.enums import AssociationType

router = Router(tags=["Provider: eligibility"])


class Joining(NamedAccount):
    """Who would join whom, and how."""

    partner_id: Id
    association_type: AssociationType


class RuleShown(Output):
    """One rule."""

    code: str
    is_met: bool
    evidence: dict[str, str | int | None] | None = Field(description="The fact that refuses it.")


class JoiningShown(Output):
    """What the rules say now. The decision is made again when the customer joins."""

    account: str
    external_id: str | None
    partner_id: str
    association_type: AssociationType
    is_customer: bool = Field(description="Whether it is the partner's customer already.")
    is_eligible: bool
    refusals: list[str] = Field(description="All codes that refuse it, the partner's first.")
    rules: list[RuleShown]
    facts: dict[str, Any] = Field(description="What the rules have read. Partners never see it.")
    checked_at: datetime


@router.get(
    "",
    response=JoiningShown,
    summary="Check any account",
    **provider_needs(ProviderScope.ELIGIBILITY_READ, finds_one=True),
)
def check(request: ProviderRequest, query: Query[Joining]) -> HttpResponse:
    """Check an account as if it followed an invitation of the partner. Nothing is consumed."""
    now = timezone.now()
    account, partner = account_of(query), partner_of(query.partner_id)
    preview = preview_eligibility(
        account=account, partner=partner, association_type=query.association_type, now=now
    )
    content: dict[str, Any] = snapshot(preview.decision)
    codes = [*preview.obstacles, *(row.code for row in preview.decision.refusals)]
    return answer(
        JoiningShown(
            account=account.owner.account_name,
            external_id=account.external_id,
            partner_id=str(partner.pk),
            association_type=query.association_type,
            is_customer=preview.present is not None,
            is_eligible=preview.may_join,
            refusals=[str(code) for code in codes],
            rules=[
                RuleShown(
                    code=row["code"],
                    is_met=row["refused_for"] is None,
                    evidence=row["refused_for"],
                )
                for row in content["checks"]
            ],
            facts=content["facts"],
            checked_at=now,
        )
    )
