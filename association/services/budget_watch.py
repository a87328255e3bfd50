"""Alerts, e-mails and the freeze when spending rises against a budget.

Only spending of the present period has an effect, and only when it rises. Nothing is reversed: a
refund leaves alerts and freezes as they are, and a new month unfreezes no account, since that is
the partner's decision. The next spending freezes an account again whose budget is still used up.
"""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from decimal import Decimal

from accounts.enums import FreezeCause, FreezeScope
from accounts.models import Freeze
from accounts.services.freezes import latest_moment, open_freeze
from association.models import Association, Budget, BudgetAlert
from association.models.budgets import USED_UP
from association.services.events import build_frozen_event, build_threshold_event
from association.services.recipients import email_owners, recipients_of_many
from association.services.spending import period_start, used_of
from outbox.services.events import publish_many
from outbox.services.queue import OutgoingMessage, enqueue_messages
from partners.enums import OnExhaustion
from partners.services.notifications import messages_to_members

# In percent; at the last one the budget is used up.
THRESHOLDS = (75, 90, USED_UP)
CHUNK = 500

_BUDGETS = Budget.objects.current().select_related(
    "association__partner", "association__account__owner", "association__invitation"
)


def measure_budgets(*, accounts: Collection[int], now: datetime) -> dict[int, Decimal]:
    """Return what is used of each budget of these accounts, which the caller has locked.

    The result is by the budget's key and has only current budgets of associations in force. Two
    statements for 500 accounts. Call it inside the transaction that will write the spending.
    """
    used: dict[int, Decimal] = {}
    for keys in _chunks(accounts):
        in_force = Association.objects.in_force().filter(account__in=keys)
        used |= used_of(list(_BUDGETS.filter(association__in=in_force)), now)
    return used


def watch_budgets(*, used_before: Mapping[int, Decimal], now: datetime) -> None:
    """Alert and freeze for the budgets of which more is used than before.

    Call it in the transaction of `measure_budgets()`, which returned `used_before`.
    """
    for keys in _chunks(used_before):
        budgets = list(_BUDGETS.filter(pk__in=keys).order_by("association__account"))
        used = used_of(budgets, now)
        risen = [budget for budget in budgets if used[budget.pk] > used_before[budget.pk]]
        if risen:
            # The clock was read before the lock; a budget may have been set meanwhile.
            at = max([now, *(budget.set_at for budget in risen)])
            just_frozen = _freeze_exhausted(risen, used, at)
            _alert(risen, used, at, just_frozen={row.pk for row in just_frozen})


def reached_thresholds(*, amount: Decimal, used: Decimal) -> tuple[int, ...]:
    """Return the thresholds that are reached; with a budget of 0 any spending reaches all."""
    if used <= 0:
        return ()
    return tuple(percent for percent in THRESHOLDS if used * 100 >= amount * percent)


def _alert(
    budgets: list[Budget],
    used: Mapping[int, Decimal],
    now: datetime,
    *,
    just_frozen: Collection[int],
) -> None:
    """Write the newly reached thresholds; send e-mails about the highest one of each budget.

    The partner gets one, and the customer too, unless the association is among `just_frozen`: that
    customer's e-mail about the freeze says that the budget is used up.
    """
    starts = {budget.pk: period_start(budget, now) for budget in budgets}
    known = set(
        BudgetAlert.objects.filter(
            budget__in=starts, period_start__in=set(starts.values())
        ).values_list("budget", "period_start", "threshold")
    )
    alerts = BudgetAlert.objects.bulk_create(
        BudgetAlert(
            budget=budget, period_start=starts[budget.pk], threshold=threshold, alerted_at=now
        )
        for budget in budgets
        for threshold in reached_thresholds(amount=budget.amount, used=used[budget.pk])
        if (budget.pk, starts[budget.pk], threshold) not in known
    )
    highest = {alert.budget_id: alert for alert in alerts}
    kind = "association.customer_budget_alert"
    associations = [alert.budget.association for alert in highest.values()]
    people, messages = recipients_of_many(associations, email_kind=kind), []
    for alert in highest.values():
        association = alert.budget.association
        data = {"used": f"{used[alert.budget_id]:.2f}"}
        is_frozen = association.pk in just_frozen
        # That the customer is frozen now is told to every member.
        messages += messages_to_members(
            kind, alert, people[association.pk], now=now, data=data, is_duty=is_frozen
        )
        if not is_frozen:
            owner = association.account.owner
            messages.append(
                OutgoingMessage(
                    "association.budget_alert",
                    owner.email,
                    alert,
                    owner.language,
                    data,
                    partner_id=association.partner_id,
                )
            )
    publish_many(events=map(build_threshold_event, alerts), now=now)
    enqueue_messages(messages=messages, now=now)


def _freeze_exhausted(
    budgets: list[Budget], used: Mapping[int, Decimal], now: datetime
) -> list[Association]:
    """Freeze the accounts whose budget is used up and says so; e-mail their owners.

    Return the associations whose accounts were not frozen for this cause before.
    """
    exhausted = [
        budget.association
        for budget in budgets
        if budget.on_exhaustion == OnExhaustion.FREEZE
        and THRESHOLDS[-1] in reached_thresholds(amount=budget.amount, used=used[budget.pk])
    ]
    cause = FreezeCause.BUDGET_EXHAUSTED
    freezes = list(
        Freeze.objects.filter(account__in=[association.account_id for association in exhausted])
    )
    frozen_before = {row.account_id for row in freezes if row.is_open and row.cause == cause}
    newly = [row for row in exhausted if row.account_id not in frozen_before]
    now = latest_moment(freezes, now)
    opened = [
        open_freeze(
            account=association.account,
            cause=cause,
            scope=FreezeScope.ACCOUNT,
            reason="",
            by=None,
            now=now,
        )
        for association in newly
    ]
    frozen = [(freeze, row.account, row) for freeze, row in zip(opened, newly, strict=True)]
    publish_many(events=[build_frozen_event(*one) for one in frozen], now=now)
    email_owners("association.frozen", frozen, now=now)
    return newly


def _chunks(keys: Collection[int]) -> Iterator[list[int]]:
    """Yield the keys in order, in lists that one statement can take."""
    ordered = sorted(keys)
    for begin in range(0, len(ordered), CHUNK):
        yield ordered[begin : begin + CHUNK]
