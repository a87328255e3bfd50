"""The console's overview: what the member should do next, and the last 30 days."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from association.enums import CountedMoment, FrozenAction
from association.models import Attempt
from association.refusal_texts import REFUSAL_TEXTS
from association.services.customer_lists import CustomerState, customer_states
from association.services.freeze_advice import advise
from association.services.overview import (
    PUT_OFF_SHOWN,
    REFUSALS_SEARCHED,
    REFUSED_READ,
    REFUSED_SHOWN,
    REQUESTS_SHOWN,
    SHOWN,
    customers_frozen_by_joining,
    customers_out_of_budget,
    end_requests_open,
    first_day,
    funnel_of,
    invitations_expiring,
    people_refused,
    people_who_put_off,
    refused_by_cause,
    requests_open,
)
from association.views.console.attempt_actions import Action, actions_of, deadline_of
from association.views.console.attempt_rows import row_of
from partners.models import PartnerMember
from partners.services.pages import Count, count_up_to
from partners.views.gate import for_members, show
from partners.views.shared import bars_of

PAGE = "association/console/overview.html"


@require_safe
@for_members
def overview(request: HttpRequest, member: PartnerMember) -> HttpResponse:
    now = timezone.now()
    funnel = funnel_of(member=member, now=now)
    invitations = member.partner.invitations.visible_to(member)
    day = first_day(member=member, now=now)
    context = {
        **_frozen_customers(member, now),
        **_first_rows("end_requests", end_requests_open(member), SHOWN),
        **_first_rows("requests", requests_open(member), REQUESTS_SHOWN),
        **_people(member, now, refusals=funnel.refused.number),
        "undelivered": count_up_to(invitations.undelivered(now)),
        "expiring": invitations_expiring(member=member, now=now),
        "causes": _causes(member, now, day),
        "bars": bars_of(
            started=funnel.started,
            registered=funnel.registered,
            associated=funnel.associated,
            refused=funnel.refused,
            urls={moment: _history_url(day, moment) for moment in CountedMoment},
        ),
        "is_new": not funnel.has_invitations,
    }
    return show(request, member, PAGE, context, section="overview")


def _first_rows(name: str, found: QuerySet[Any], number: int) -> dict[str, Any]:
    rows = list(found)
    return {name: rows[:number], f"more_{name}": len(rows) > number}


def _frozen_customers(member: PartnerMember, now: datetime) -> dict[str, Any]:
    """Return who waits to be unfrozen or for a budget, and apart from them whose budget is used up.

    Somebody whose budget was raised or restored since is among the first.
    """
    found = [list(customers_frozen_by_joining(member)), list(customers_out_of_budget(member))]
    more_joined, more_exhausted = (len(rows) > SHOWN for rows in found)
    shown = [row for rows in found for row in rows[:SHOWN]]
    states = customer_states(shown, now=now)
    used_up = [state.association for state in states if _is_used_up(state)]
    return {
        "frozen": [row for row in shown if row not in used_up],
        "more_frozen": more_joined or more_exhausted,
        "used_up": used_up,
        "more_used_up": more_exhausted,
    }


def _is_used_up(state: CustomerState) -> bool:
    rows = advise(state.freezes, budget=state.budget, used=state.spent)
    return FrozenAction.RAISE_BUDGET in {row.action for row in rows}


def _people(member: PartnerMember, now: datetime, *, refusals: int) -> dict[str, Any]:
    """Return the refused people who can be helped and were not yet, and those who put joining off.

    Each is a row of the history, with the action.
    """
    refused = people_refused(member=member, now=now)
    put_off = people_who_put_off(member=member, now=now)
    actions = actions_of([*refused, *put_off], member, now=now)
    helped = [row for row in refused if row.pk in actions and actions[row.pk].is_open]
    is_searched = refusals <= REFUSALS_SEARCHED and len(refused) < REFUSED_READ
    goes_on = len(helped) > REFUSED_SHOWN or not is_searched
    return {
        "refused": [_person(row, member, actions) for row in helped[:REFUSED_SHOWN]],
        "more_refused": "outcome=refused" if goes_on else "",
        "put_off": [_person(row, member, actions) for row in put_off[:PUT_OFF_SHOWN]],
        "more_put_off": "step=put_off" if len(put_off) > PUT_OFF_SHOWN else "",
    }


def _person(
    attempt: Attempt, member: PartnerMember, actions: Mapping[UUID, Action]
) -> dict[str, Any]:
    action, deadline = actions.get(attempt.pk), deadline_of(attempt)
    return row_of(attempt, member) | {"action": action, "deadline": deadline}


def _history_url(day: date, moment: CountedMoment, **filters: str) -> str:
    """Return where the people are listed of whom this is true since the day."""
    of = {} if moment == CountedMoment.STARTED else {"moment": moment.value}
    return f"{reverse('console_history')}?{urlencode({**filters, **of, 'since': day})}"


def _causes(member: PartnerMember, now: datetime, day: date) -> list[dict[str, Any]]:
    return [
        {
            "text": REFUSAL_TEXTS[code].partner,
            "count": Count(number, is_more=False),
            "url": _history_url(day, CountedMoment.REFUSED, refusal=code),
        }
        for code, number in refused_by_cause(member=member, now=now)
    ]
