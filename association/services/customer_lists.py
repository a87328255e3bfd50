"""What a partner sees of its customers: lists, and each one's present state."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.enums import FreezeCause
from accounts.models import Freeze, User
from accounts.services.capabilities import widest_scope
from association.enums import CustomerStatus, Side
from association.models import Association, Budget
from association.models.associations import AssociationQuerySet
from association.services.spending import used_of
from audit.services import record_audit_event
from partners.enums import AssociationType
from partners.models import PartnerMember
from partners.services.pages import Order
from partners.services.parts import part_of, part_of_address
from web.email_addresses import InvalidAddress, canonical_address
from web.folding import sought_folded

NEWEST_FIRST = Order("associated_at")
BY_NAME = Order("sort_name", descending=False)
# The filter's value for customers without a manager.
NO_MANAGER = "none"
# The filter's value for customers in force and ended ones.
EVERY_STATUS = "every"
# The filter's value for customers with any open freeze: also those who wait for a budget.
ANY_FROZEN = "any_frozen"
# The filter's value for customers about whom the partner should act.
WAITS_FOR_PARTNER = "waits_for_partner"
_HAS_BUDGET = Q(
    association_type=AssociationType.RESELLER,
    status__in=[CustomerStatus.FROZEN, CustomerStatus.FREE],
)


@dataclass(frozen=True, slots=True)
class CustomerState:
    """A customer with the open freezes, the current budget and what is used of it."""

    association: Association
    freezes: list[Freeze]
    budget: Budget | None
    spent: Decimal | None

    @property
    def status(self) -> CustomerStatus:
        if self.association.has_ended:
            return CustomerStatus.ENDED
        if self.association.is_reseller and self.budget is None:
            return CustomerStatus.WAITING
        return CustomerStatus.FROZEN if self.freezes else CustomerStatus.FREE

    @property
    def frozen_since(self) -> datetime | None:
        return min((freeze.frozen_at for freeze in self.freezes), default=None)

    @property
    def scope(self) -> str | None:
        return widest_scope(self.freezes)

    @property
    def causes(self) -> set[str]:
        return {freeze.cause for freeze in self.freezes}


def find_customers(member: PartnerMember, filters: Mapping[str, Any]) -> AssociationQuerySet:
    """Return the member's customers that match the filters of the list's form; no statement.

    Those that have ended are left out unless they, or all, are asked for.
    """
    first, *others = sets_of_customers(member, filters)
    if not others:
        return first
    keys = (found.values("pk") for found in others)
    return Association.objects.filter(pk__in=first.values("pk").union(*keys))


def sets_of_customers(
    member: PartnerMember, filters: Mapping[str, Any]
) -> tuple[AssociationQuerySet, ...]:
    """Return what `find_customers()` does, in sets which have no customer in common.

    There are several where each is found by an index of its own, and all together by none.
    """
    rows, status = _matching(member, filters), filters.get("status")
    if status == WAITS_FOR_PARTNER:
        return waiting_for_partner(rows)
    if status == ANY_FROZEN:
        # Who waits for a budget is frozen since joining.
        frozen = (CustomerStatus.WAITING, CustomerStatus.FROZEN)
        return tuple(rows.filter(status=status) for status in frozen)
    if status is None:
        return (rows.in_force(),)
    return (rows if status == EVERY_STATUS else rows.filter(status=status),)


def _matching(member: PartnerMember, filters: Mapping[str, Any]) -> AssociationQuerySet:
    """Filter by everything but the status."""
    rows = member.partner.associations.visible_to(member)
    if "q" in filters:
        rows = rows.filter(_searched(filters["q"].strip(), member))
    if "association_type" in filters:
        rows = rows.filter(association_type=filters["association_type"])
    if "manager" in filters:
        manager = filters["manager"]
        rows = rows.filter(manager=None if manager == NO_MANAGER else manager)
    if "budget" in filters:
        rows = rows.filter(
            _HAS_BUDGET
            if filters["budget"] == "with"
            else _has_no_budget(filters.get("association_type"))
        )
    return rows


def waiting_for_partner(customers: AssociationQuerySet) -> tuple[AssociationQuerySet, ...]:
    """Return about whom the partner should act, in three sets that have no customer in common.

    Those who are frozen since joining; those who are frozen since their budget was used up; others
    who ask to end. A customer whom the partner froze itself does not wait to be unfrozen. Each set
    is found by an index of its own.
    """
    own_freezes = Freeze.objects.open().filter(account=OuterRef("account"))
    is_left_frozen = ~Q(status=CustomerStatus.WAITING) & Q(
        Exists(own_freezes.filter(cause=FreezeCause.PARTNER))
    )
    by_joining = Q(is_frozen_by_joining=True) & ~is_left_frozen
    by_budget = Q(is_out_of_budget=True, is_frozen_by_joining=False) & ~is_left_frozen
    asking = customers.in_force().filter(
        end_requests__answered_at__isnull=True, end_requests__asking_side=Side.CUSTOMER
    )
    return (
        customers.filter(by_joining),
        customers.filter(by_budget),
        asking.exclude(by_joining | by_budget),
    )


def next_waiting(
    member: PartnerMember, *, besides: Association, named: int | None = None
) -> Association | None:
    """Return the member's customer who has waited longest for a budget, but not this one.

    The one with the key `named` comes first, if that one still waits.
    """
    waiting = find_customers(member, {"status": CustomerStatus.WAITING}).exclude(pk=besides.pk)
    by_age = waiting.order_by("associated_at", "pk")
    return (by_age.filter(pk=named).first() if named else None) or by_age.first()


def is_waiting(customer: Association) -> bool:
    """Return whether this customer waits for a budget."""
    return customer.status == CustomerStatus.WAITING


def _has_no_budget(association_type: str | None) -> Q:
    """A reseller's customer without a budget waits, or has ended; a referral's never has one.

    Where only resellers are asked for, their status is enough and has an index.
    """
    resellers = Q(status__in=[CustomerStatus.WAITING, CustomerStatus.ENDED])
    if association_type == AssociationType.RESELLER:
        return resellers
    return resellers | Q(association_type=AssociationType.REFERRAL)


def _searched(text: str, member: PartnerMember) -> Q:
    """Match any part (`part_of()`) of a name, an account name or a reference, or the address.

    Names and references are found without their accents too, and with ae for ä. Who sees addresses
    masked finds only whole ones: parts would tell the address letter by letter.
    """
    found = Q()
    for sought in sought_folded(text):
        found |= part_of(["search_names"], sought)
    if member.sees_addresses:
        return found | part_of_address("search_address", text.lower())
    try:
        return found | Q(search_address=canonical_address(text))
    except InvalidAddress:
        return found


def with_people(rows: QuerySet[Association]) -> QuerySet[Association]:
    """Return the rows joined with the account's owner and the manager."""
    return rows.select_related("account__owner", "manager__user")


def customer_states(rows: Collection[Association], *, now: datetime) -> list[CustomerState]:
    """Return the states of these customers, in their order; three statements.

    The rows must have their partner and account loaded. Of an association that has ended nothing is
    returned that the account did since.
    """
    freezes: dict[int, list[Freeze]] = defaultdict(list)
    accounts = [row.account_id for row in rows if not row.has_ended]
    open_freezes = Freeze.objects.open()
    for freeze in open_freezes.filter(account__in=accounts).order_by("pk"):
        freezes[freeze.account_id].append(freeze)
    by_key = {row.pk: row for row in rows}
    budgets: dict[int, Budget] = {}
    for budget in Budget.objects.current().filter(association__in=by_key):
        budget.association = by_key[budget.association_id]
        budgets[budget.association_id] = budget
    spent = used_of(list(budgets.values()), now)
    return [
        CustomerState(
            association=row,
            freezes=[] if row.has_ended else freezes[row.account_id],
            budget=budgets.get(row.pk),
            spent=spent[budgets[row.pk].pk] if row.pk in budgets else None,
        )
        for row in rows
    ]


def reveal_customer_address(*, association: Association, by: User, now: datetime) -> str:
    """Return the owner's whole address; its audit event has none."""
    record_audit_event(action="association.address_revealed", about=association, by=by, now=now)
    address: str = association.account.owner.email
    return address
