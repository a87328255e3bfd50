"""Customers: reading and naming them, their budgets, freezes and authorizations."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Self

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from ninja import Query, Router
from pydantic import Field, StrictBool, model_validator

from accounts.enums import FreezeCause, FreezeScope
from association.enums import AuthorizationState, CustomerStatus
from association.models import Association, Authorization
from association.services.authorizations import request_authorization
from association.services.customer_lists import (
    NEWEST_FIRST,
    CustomerState,
    customer_states,
    find_customers,
    with_people,
)
from association.services.customer_names import rename_customer
from association.services.customers import freeze_customer, set_budget, unfreeze_customer
from integration.api.answers import Listed, Paging, answer, answer_once, answer_page_together
from integration.api.callers import ApiRequest, Caller
from integration.api.fields import (
    Changes,
    Input,
    Money,
    MoneyShown,
    Name,
    Note,
    OptionalReason,
    Output,
    Reason,
    Reference,
    ReferenceFilter,
    misplaced,
)
from integration.api.gate import needs
from integration.enums import Scope
from partners.enums import AssociationType, BudgetPeriod, OnExhaustion
from web.random_ids import key_or_404

router = Router(tags=["Customers"])


class CustomerFilters(Paging):
    """Which customers; without `status` all whose association has not ended."""

    status: CustomerStatus | None = None
    association_type: AssociationType | None = None
    reference: ReferenceFilter | None = None


class CustomerChanges(Changes):
    """What you call the customer; a field that is missing stays as it is, "" removes it."""

    customer_name: Name = ""
    reference: Reference = ""
    note: Note = ""


class NewBudget(Input):
    """The budget that replaces the present one."""

    limit: Money
    period: BudgetPeriod
    on_exhaustion: OnExhaustion
    unfreeze: StrictBool = Field(
        False, description="End every freeze but the provider’s own, in the same transaction."
    )
    reason: OptionalReason = Field(
        "", description="Why you unfreeze, with `unfreeze` only. The customer reads it."
    )

    @model_validator(mode="after")
    def check_reason(self) -> Self:
        if self.reason and not self.unfreeze:
            raise misplaced("reason", "A budget that does not unfreeze has no reason.")
        return self


class NewFreeze(Input):
    """What to stop, and why."""

    scope: FreezeScope = FreezeScope.ACCOUNT
    reason: Reason = Field(description="The customer reads it.")


class Unfreeze(Input):
    """Why you unfreeze."""

    reason: OptionalReason = Field("", description="The customer reads it.")


_NO_REASON = Unfreeze(reason="")


class FreezeShown(Output):
    """An open freeze."""

    cause: FreezeCause
    scope: FreezeScope
    reason: str
    frozen_at: datetime


class BudgetShown(Output):
    """The budget in force, and what is used of it in its present period."""

    limit: MoneyShown
    used: MoneyShown
    period: BudgetPeriod
    on_exhaustion: OnExhaustion
    set_at: datetime


class CustomerShown(Output):
    """A customer account that is, or was, associated with you."""

    id: str
    account: str = Field(description="The account name, which customers know too.")
    name: str = Field(description="Your name for the customer, else the best that is known.")
    customer_name: str
    reference: str
    metadata: dict[str, str] = Field(description="Of the invitation.")
    note: str
    address: str
    association_type: AssociationType
    status: CustomerStatus = Field(
        description="`waiting`: a reseller's customer without a budget, who is frozen."
    )
    invitation_id: str
    associated_at: datetime
    ended_at: datetime | None
    freezes: list[FreezeShown]
    budget: BudgetShown | None
    authorization: AuthorizationState | None

    @classmethod
    def of(cls, state: CustomerState, authorization: Authorization | None) -> Self:
        row = state.association
        return cls(
            id=str(row.pk),
            account=row.account.owner.account_name,
            name=row.shown_name,
            customer_name=row.customer_name,
            reference=row.reference,
            metadata=row.invitation.metadata,
            note=row.note,
            address=row.account.owner.email,
            association_type=AssociationType(row.association_type),
            status=state.status,
            invitation_id=str(row.invitation_id),
            associated_at=row.associated_at,
            ended_at=row.ended_at,
            freezes=[
                FreezeShown(
                    cause=FreezeCause(freeze.cause),
                    scope=FreezeScope(freeze.scope),
                    reason=freeze.reason,
                    frozen_at=freeze.frozen_at,
                )
                for freeze in state.freezes
            ],
            budget=_budget_of(state),
            authorization=None if authorization is None else authorization.state,
        )


def _budget_of(state: CustomerState) -> BudgetShown | None:
    if state.budget is None or state.spent is None:
        return None
    return BudgetShown(
        limit=MoneyShown.of(state.budget.amount),
        used=MoneyShown.of(state.spent),
        period=BudgetPeriod(state.budget.period),
        on_exhaustion=OnExhaustion(state.budget.on_exhaustion),
        set_at=state.budget.set_at,
    )


def show_customers(rows: Sequence[Association], now: datetime) -> list[CustomerShown]:
    """Return the customers as the API shows them; as many statements for all as for one."""
    latest: dict[int, Authorization] = {}
    for authorization in Authorization.objects.filter(association__in=rows).order_by("pk"):
        latest[authorization.association_id] = authorization
    states = customer_states(rows, now=now)
    return [CustomerShown.of(state, latest.get(state.association.pk)) for state in states]


def customer_of(caller: Caller, key: str) -> Association:
    """Return the partner's customer, also after the end. Raises Http404 for any other key."""
    rows = with_people(caller.partner.associations.all()).prefetch_related("invitation")
    return get_object_or_404(rows, pk=key_or_404(key))


def _act(request: ApiRequest, customer_id: str, service: Callable[..., object]) -> HttpResponse:
    """Call the service for the customer once, and answer the customer as it is then."""
    caller = request.auth

    def act_and_show() -> CustomerShown:
        customer = customer_of(caller, customer_id)
        service(association=customer, by=caller.user, now=timezone.now())
        [shown] = show_customers([customer_of(caller, customer_id)], timezone.now())
        return shown

    return answer_once(request, act_and_show)


@router.get(
    "", response=Listed[CustomerShown], summary="List customers", **needs(Scope.CUSTOMERS_READ)
)
def list_customers(request: ApiRequest, query: Query[CustomerFilters]) -> HttpResponse:
    """List your customers, the newest first."""
    now = timezone.now()
    filters = query.model_dump(include={"status", "association_type"}, exclude_none=True)
    rows = with_people(find_customers(request.auth.member, filters))
    if query.reference is not None:
        rows = rows.filter(reference=query.reference)
    return answer_page_together(
        request,
        # Joined too, it would take PostgreSQL 21 ms to plan, in place of 2.
        rows.prefetch_related("invitation"),
        query,
        order=NEWEST_FIRST,
        show=lambda found: show_customers(found, now),
    )


@router.get(
    "/{customer_id}",
    response=CustomerShown,
    summary="Get a customer",
    **needs(Scope.CUSTOMERS_READ),
)
def get(request: ApiRequest, customer_id: str) -> HttpResponse:
    """Get one of your customers, also after the association has ended."""
    [shown] = show_customers([customer_of(request.auth, customer_id)], timezone.now())
    return answer(shown)


@router.patch(
    "/{customer_id}",
    response=CustomerShown,
    summary="Name a customer",
    **needs(Scope.CUSTOMERS_WRITE),
)
def rename(request: ApiRequest, customer_id: str, body: CustomerChanges) -> HttpResponse:
    """Change what you call the customer, your reference and your note. The customer sees none."""
    names = body.model_dump(exclude_unset=True)
    return _act(request, customer_id, partial(rename_customer, **names))


@router.post(
    "/{customer_id}/budget",
    response=CustomerShown,
    summary="Set the budget",
    **needs(Scope.BUDGETS_WRITE),
)
def budget(request: ApiRequest, customer_id: str, body: NewBudget) -> HttpResponse:
    """Set the budget of a reseller's customer, and unfreeze it if you say so.

    Both are one transaction. A budget alone does not unfreeze.
    """
    service = partial(
        set_budget,
        amount=body.limit.value,
        period=body.period,
        on_exhaustion=body.on_exhaustion,
        unfreeze=body.unfreeze,
        reason=body.reason,
    )
    return _act(request, customer_id, service)


@router.post(
    "/{customer_id}/freeze",
    response=CustomerShown,
    summary="Freeze a customer",
    **needs(Scope.BUDGETS_WRITE),
)
def freeze(request: ApiRequest, customer_id: str, body: NewFreeze) -> HttpResponse:
    """Freeze a reseller's customer. The customer is told by e-mail, with your reason."""
    service = partial(freeze_customer, scope=body.scope, reason=body.reason)
    return _act(request, customer_id, service)


@router.post(
    "/{customer_id}/unfreeze",
    response=CustomerShown,
    summary="Unfreeze a customer",
    **needs(Scope.BUDGETS_WRITE),
)
def unfreeze(request: ApiRequest, customer_id: str, body: Unfreeze = _NO_REASON) -> HttpResponse:
    """End every open freeze but the provider's own. It needs a budget."""
    return _act(request, customer_id, partial(unfreeze_customer, reason=body.reason))


@router.post(
    "/{customer_id}/authorization-request",
    response=CustomerShown,
    summary="Request an authorization",
    **needs(Scope.CUSTOMERS_WRITE),
)
def ask_authorization(request: ApiRequest, customer_id: str) -> HttpResponse:
    """Ask the customer to authorize you to order and operate.

    While a request is open, this changes nothing.
    """
    return _act(request, customer_id, request_authorization)
