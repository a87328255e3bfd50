"""Permissions of an account: what a billing or resource system asks at each purchase."""

from datetime import datetime
from typing import Annotated, Self

from django.http import HttpResponse
from django.utils import timezone
from ninja import Query, Router
from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from accounts.enums import FreezeCause
from accounts.services.capabilities import AccountAction
from association.services.permissions import CouponUse, Permissions, permissions_of
from integration.api.answers import answer
from integration.api.callers import ProviderRequest
from integration.api.fields import Moment, MoneyShown, Output, as_on_pages
from integration.api.gate import provider_needs
from integration.api.provider.named_accounts import NamedAccount, account_of
from integration.enums import ProviderScope
from partners.enums import AssociationType
from web.text_fields import KeyField

router = Router(tags=["Provider: permissions"])


class PermissionsOf(NamedAccount):
    """Which account, and which coupon for which charge: the last three together, or none."""

    coupon_source: (
        Annotated[str, Field(min_length=1, max_length=255), as_on_pages(KeyField(max_length=255))]
        | None
    ) = Field(None, description="The source of the coupon's fact.")
    incurred_at: Moment | None = Field(None, description="When the charge was incurred.")
    coupon: (
        Annotated[str, Field(min_length=1, max_length=120), as_on_pages(KeyField(max_length=120))]
        | None
    ) = Field(None, description="The external id of the coupon's fact.", validate_default=True)

    @field_validator("coupon")
    @classmethod
    def check_coupon(cls, coupon: str | None, before: ValidationInfo) -> str | None:
        others = [before.data.get(name, coupon) for name in ("coupon_source", "incurred_at")]
        if any((other is None) != (coupon is None) for other in others):
            text = "Send coupon_source, coupon and incurred_at together."
            raise PydanticCustomError("misplaced", "{text}", {"text": text})
        return coupon

    @property
    def use(self) -> CouponUse | None:
        if self.coupon_source is None or self.coupon is None or self.incurred_at is None:
            return None
        return CouponUse(self.coupon_source, self.coupon, self.incurred_at)


class AnswerShown(Output):
    """Whether something is allowed now; all reasons if not."""

    allowed: bool
    reasons: list[str]

    @classmethod
    def of(cls, reasons: object) -> Self:
        found = [str(code) for code in reasons]  # type: ignore[attr-defined]
        return cls(allowed=not found, reasons=found)


class ActionShown(Output):
    """One action: by the customer, and by its partner in its name."""

    action: AccountAction
    customer: AnswerShown
    partner: AnswerShown


class BudgetStateShown(Output):
    """The budget in force. An account whose budget is used up is frozen if the budget says so."""

    limit: MoneyShown
    used: MoneyShown


class PermissionsShown(Output):
    """What is true now. Do not keep it: a freeze counts from its moment on."""

    account: str
    external_id: str | None
    partner_id: str | None = Field(description="Of the partner whose customer it is.")
    association_type: AssociationType | None
    freezes: list[FreezeCause] = Field(description="The causes of the open freezes.")
    actions: list[ActionShown]
    budget: BudgetStateShown | None
    coupon: AnswerShown | None = Field(description="Whether the coupon may pay, if you asked.")
    checked_at: datetime


@router.get(
    "",
    response=PermissionsShown,
    summary="Ask what an account may do",
    **provider_needs(ProviderScope.PERMISSIONS_READ, finds_one=True),
)
def get(request: ProviderRequest, query: Query[PermissionsOf]) -> HttpResponse:
    """Ask what an account may do now, what its partner may do for it, and if a coupon may pay."""
    now = timezone.now()
    account = account_of(query)
    found = permissions_of(account=account, coupon=query.use, now=now)
    association = found.association
    return answer(
        PermissionsShown(
            account=account.owner.account_name,
            external_id=account.external_id,
            partner_id=None if association is None else str(association.partner_id),
            association_type=(
                None if association is None else AssociationType(association.association_type)
            ),
            freezes=[FreezeCause(row.cause) for row in found.freezes],
            actions=[
                ActionShown(
                    action=row.action,
                    customer=AnswerShown.of(row.reasons),
                    partner=AnswerShown.of(row.reasons_for_partner),
                )
                for row in found.actions
            ],
            budget=_budget_of(found),
            coupon=None if found.coupon_reasons is None else AnswerShown.of(found.coupon_reasons),
            checked_at=now,
        )
    )


def _budget_of(found: Permissions) -> BudgetStateShown | None:
    if found.budget is None or found.used is None:
        return None
    return BudgetStateShown(
        limit=MoneyShown.of(found.budget.amount), used=MoneyShown.of(found.used)
    )
