"""What has to be settled before one side may ask to end an association, or agree to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, F, Max, Sum

from accounts.enums import FreezeCause
from accounts.models import CustomerAccount
from association.enums import EndObstacle


@dataclass(frozen=True, slots=True)
class Obstacle:
    """One thing that stands in the way, with its fact, which only the customer may see."""

    code: EndObstacle
    fact: Mapping[str, Any]


def find_obstacles(*, account: CustomerAccount, now: datetime) -> list[Obstacle]:
    """Return what stands in the way of ending the account's association."""
    found = []
    unpaid = account.bills.filter(paid_amount__lt=F("amount")).aggregate(
        count=Count("pk"), outstanding=Sum(F("amount") - F("paid_amount"))
    )
    if unpaid["count"]:
        found.append(Obstacle(EndObstacle.UNPAID_BILLS, unpaid))
    valid = account.reserved_instances.filter(cancelled_at__isnull=True, expires_at__gt=now)
    reserved = valid.aggregate(count=Count("pk"), last_expires_at=Max("expires_at"))
    if reserved["count"]:
        fact = {**reserved, "last_expires_at": reserved["last_expires_at"].isoformat()}
        found.append(Obstacle(EndObstacle.RESERVED_INSTANCES, fact))
    freeze = account.freezes.open().filter(cause=FreezeCause.ADMINISTRATOR).first()
    if freeze is not None:
        fact = {"frozen_at": freeze.frozen_at.isoformat()}
        found.append(Obstacle(EndObstacle.ADMINISTRATOR_FREEZE, fact))
    return found
