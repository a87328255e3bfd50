"""What is written about ending an association: who ended it, what ends, what stands in the way."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from accounts.enums import FreezeCause
from accounts.models import Freeze
from association.enums import EndObstacle, RefusalCode, Side
from association.models import Association
from association.refusal_texts import ACCOUNT_TEXTS, fill_in
from association.services.end_obstacles import Obstacle
from association.services.endings import find_ending
from association.ways_out import WAYS_TO_END, shown_way
from partners.models import Partner

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

_CUSTOMER, _PARTNER, _PROVIDER = Side.CUSTOMER, Side.PARTNER, Side.PROVIDER

# By who asked and who decided: for the customer, for the partner.
_SENTENCES: "dict[tuple[Side | None, Side], tuple[StrOrPromise, StrOrPromise]]" = {
    (_CUSTOMER, _PARTNER): (
        _("You asked to end the association, and %(partner)s agreed."),
        _("The customer asked to end the association, and you agreed."),
    ),
    (_PARTNER, _CUSTOMER): (
        _("%(partner)s asked to end the association, and you agreed."),
        _("You asked to end the association, and the customer agreed."),
    ),
    (_CUSTOMER, _PROVIDER): (
        _("You asked to end the association, and %(provider)s decided to end it."),
        _("The customer asked to end the association, and %(provider)s decided to end it."),
    ),
    (_PARTNER, _PROVIDER): (
        _("%(partner)s asked to end the association, and %(provider)s decided to end it."),
        _("You asked to end the association, and %(provider)s decided to end it."),
    ),
    (None, _PROVIDER): (
        _("%(provider)s ended the association."),
        _("%(provider)s ended the association."),
    ),
}


def who_ended(association: Association, *, reader: Side) -> str:
    """Return the sentence for one side of an association that has ended."""
    ending = find_ending(association)
    for_customer, for_partner = _SENTENCES[ending.asked_by, ending.decided_by]
    sentence = for_customer if reader == Side.CUSTOMER else for_partner
    return sentence % {"partner": association.partner.name, "provider": settings.PROVIDER_NAME}


# By the cause of a freeze that ends with the association: for the customer, for the partner.
_FREEZES: "dict[str, tuple[StrOrPromise, StrOrPromise]]" = {
    FreezeCause.ASSOCIATION: (_("The freeze that came with joining ends."),) * 2,
    FreezeCause.BUDGET_EXHAUSTED: (_("The freeze that came with the used-up budget ends."),) * 2,
    FreezeCause.PARTNER: (
        _("The freeze by %(partner)s ends."),
        _("Your own freeze of this account ends."),
    ),
}


def ending_freezes(open_freezes: Iterable[Freeze], *, reader: Side, partner: Partner) -> list[str]:
    """Return which of these freezes end with the association, for one side."""
    causes = {freeze.cause for freeze in open_freezes}
    sentences = [pair for cause, pair in _FREEZES.items() if cause in causes]
    is_partner = reader == Side.PARTNER
    return [pair[is_partner] % {"partner": partner.name} for pair in sentences]


@dataclass(frozen=True, slots=True, kw_only=True)
class ObstacleText:
    """What is written about one obstacle to ending; the partner reads no amount and no date."""

    customer: "StrOrPromise"
    fact: "StrOrPromise"
    partner: "StrOrPromise"


OBSTACLE_TEXTS: Mapping[EndObstacle, ObstacleText] = {
    EndObstacle.UNPAID_BILLS: ObstacleText(
        customer=_("All bills must be paid, also those that are not due yet."),
        fact=ACCOUNT_TEXTS[RefusalCode.UNPAID_BILLS].fact,
        partner=_("The customer has unpaid bills."),
    ),
    EndObstacle.RESERVED_INSTANCES: ObstacleText(
        customer=_("Reserved instances that are still valid must be used up or cancelled."),
        fact=ACCOUNT_TEXTS[RefusalCode.RESERVED_INSTANCES].fact,
        partner=_("The customer has reserved instances that are still valid."),
    ),
    EndObstacle.ADMINISTRATOR_FREEZE: ObstacleText(
        customer=_("%(provider)s has frozen this account."),
        fact=_("Frozen: %(frozen_at)s."),
        partner=_("%(provider)s has frozen this account."),
    ),
}


def obstacle_lines(
    obstacles: Iterable[Obstacle], *, reader: Side, partner: Partner
) -> list[dict[str, object]]:
    """Return what stands in the way of ending, for one side; the partner gets only the reasons."""
    return [_obstacle_line(obstacle, reader, partner) for obstacle in obstacles]


def _obstacle_line(obstacle: Obstacle, reader: Side, partner: Partner) -> dict[str, object]:
    text, provider = OBSTACLE_TEXTS[obstacle.code], {"provider": settings.PROVIDER_NAME}
    if reader == Side.PARTNER:
        return {"reason": text.partner % provider}
    return {
        "reason": text.customer % provider,
        "fact": text.fact % fill_in(obstacle.fact),
        "way": shown_way(WAYS_TO_END[obstacle.code], partner),
    }
