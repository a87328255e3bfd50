"""Facts about the demo's accounts, with moments as distances from some moment."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from accounts.enums import Billing, ContractType, ResourceStatus
from accounts.models import Bill, CashExpenditure, Contract, Coupon, Resource
from accounts.models.facts import Fact

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True, slots=True)
class FactExample:
    """A fact about an account; a timedelta among the values is a distance from some moment."""

    name: str
    model: type[Fact]
    values: Mapping[str, Any]

    def values_at(self, moment: datetime) -> dict[str, Any]:
        return {
            name: moment + value if isinstance(value, timedelta) else value
            for name, value in self.values.items()
        }


def contract(contract_type: ContractType, **values: Any) -> FactExample:
    return FactExample("contract", Contract, {"contract_type": contract_type, **values})


def cash(amount: str, *, occurred_at: timedelta) -> FactExample:
    values = {"amount": Decimal(amount), "occurred_at": occurred_at}
    return FactExample("cash", CashExpenditure, values)


def bill(amount: str, *, issued_at: timedelta, **values: Any) -> FactExample:
    unpaid = {"amount": Decimal(amount), "paid_amount": Decimal("0.00"), "issued_at": issued_at}
    return FactExample("bill", Bill, unpaid | values)


def coupon(number: int, balance: str) -> FactExample:
    values = {"balance": Decimal(balance), "expires_at": 180 * DAY}
    return FactExample(f"coupon-{number}", Coupon, values)


def resource(name: str) -> FactExample:
    values = {"name": name, "billing": Billing.PAY_PER_USE, "status": ResourceStatus.RUNNING}
    return FactExample(name, Resource, values)


IN_FORCE = {
    "signed_at": -45 * DAY,
    "effective_from": -30 * DAY,
    "effective_to": 300 * DAY,
    "terminated_at": None,
}
