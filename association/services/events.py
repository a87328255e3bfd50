"""Events about customers, for other systems: which ids and codes each of them has."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Model

from accounts.models import CustomerAccount, Freeze
from association.models import Association, Attempt, Authorization, BudgetAlert, EndRequest
from outbox.services.events import NewEvent, publish, publish_many
from partners.enums import EventKind
from partners.services.invitation_events import keys_of


def publish_customer_event(
    *, kind: EventKind, about: Model, association: Association, now: datetime, **codes: str
) -> None:
    """Publish one event about this customer; the invitation must be loaded."""
    publish_many(events=[build_customer_event(kind, about, association, **codes)], now=now)


def build_customer_event(
    kind: EventKind, about: Model, association: Association, **codes: object
) -> NewEvent:
    """Return an event for the customer's partner, which knows the customer by these keys."""
    data = {
        "customer_id": str(association.pk),
        "invitation_id": str(association.invitation_id),
        "reference": association.reference,
        "metadata": association.invitation.metadata,
        **codes,
    }
    return NewEvent(kind, about, association.partner_id, data)


def build_authorization_event(authorization: Authorization, association: Association) -> NewEvent:
    """Return the event of an authorization that has changed, with its new state."""
    kind, state = EventKind.AUTHORIZATION_CHANGED, authorization.state
    return build_customer_event(kind, authorization, association, state=state.value)


def build_threshold_event(alert: BudgetAlert) -> NewEvent:
    """Return the event of so much of a budget being used; without the amount."""
    kind, association = EventKind.BUDGET_THRESHOLD_REACHED, alert.budget.association
    return build_customer_event(kind, alert.budget, association, threshold=alert.threshold)


def publish_end_request(
    *, end_request: EndRequest, association: Association, now: datetime
) -> None:
    """Publish that a request to end was made or answered: `state` is "open" or the answer."""
    publish_customer_event(
        kind=EventKind.END_REQUEST_CHANGED,
        about=end_request,
        association=association,
        now=now,
        end_request_id=str(end_request.pk),
        asking_side=end_request.asking_side,
        state=end_request.answer or "open",
    )


def build_frozen_event(
    freeze: Freeze, account: CustomerAccount, association: Association | None
) -> NewEvent:
    """Return the event of a freeze that was opened, for the partner in force if there is one."""
    return _account_event(EventKind.ACCOUNT_FROZEN, freeze, account, association, is_frozen=True)


def build_unfrozen_events(
    closed: Iterable[Freeze],
    still_open: Iterable[Freeze],
    customers: Iterable[tuple[CustomerAccount, Association | None]],
) -> list[NewEvent]:
    """Return an event for each freeze that was lifted; it says whether another one is open."""
    frozen = {freeze.account_id for freeze in still_open}
    by_account = {account.pk: (account, association) for account, association in customers}
    return [
        _account_event(
            EventKind.ACCOUNT_UNFROZEN,
            freeze,
            *by_account[freeze.account_id],
            is_frozen=freeze.account_id in frozen,
        )
        for freeze in closed
    ]


def _account_event(
    kind: EventKind,
    freeze: Freeze,
    account: CustomerAccount,
    association: Association | None,
    *,
    is_frozen: bool,
) -> NewEvent:
    codes = {"cause": freeze.cause, "scope": freeze.scope, "is_frozen": is_frozen}
    if association is None:
        return NewEvent(kind, account, None, codes)
    return build_customer_event(kind, account, association, **codes)


def publish_refused_attempt(*, attempt: Attempt, now: datetime) -> None:
    """Publish that a refused customer told the partner, with the codes."""
    invitation = attempt.invitation
    publish(
        kind=EventKind.ATTEMPT_REFUSED,
        about=attempt,
        partner_id=invitation.partner_id,
        data={
            **keys_of(invitation),
            "attempt_id": str(attempt.pk),
            "codes": attempt.refusal_codes,
        },
        now=now,
    )
