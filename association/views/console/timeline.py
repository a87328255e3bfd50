"""The timeline of a customer's page: everything that happened, in words, newest first."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.enums import FreezeCause
from accounts.models import User
from association.enums import EndAnswer, FrozenAction, Side
from association.freeze_words import partner_reads_reason
from association.models import Association, EndRequest
from association.services.customer_records import CustomerRecord
from association.views.console.customer_rows import who
from partners.models import PartnerMember
from web.templatetags.money import money

RECORDED: Mapping[str, Any] = {
    "association.renamed": gettext_lazy("Changed the name, the reference or the note"),
    "association.manager_changed": gettext_lazy("Changed the manager"),
    "association.address_revealed": gettext_lazy("Saw the whole e-mail address"),
    "freeze.widened": gettext_lazy("Froze the resources too"),
}
ANSWERS: Mapping[str, Any] = {
    EndAnswer.AGREED: gettext_lazy("Agreed to end the association"),
    EndAnswer.DECLINED: gettext_lazy("Declined to end the association"),
    EndAnswer.WITHDRAWN: gettext_lazy("Withdrew the request to end"),
    EndAnswer.CLOSED: gettext_lazy("Closed the request to end"),
}
CAUSES: Mapping[str, Any] = {
    FreezeCause.ASSOCIATION: gettext_lazy("joining"),
    FreezeCause.BUDGET_EXHAUSTED: gettext_lazy("the used-up budget"),
    FreezeCause.PARTNER: gettext_lazy("your decision"),
    FreezeCause.ADMINISTRATOR: gettext_lazy("a decision of %(provider)s"),
}
ASKED: Mapping[str, Any] = {
    FrozenAction.SET_BUDGET: gettext_lazy("Asked you to set a budget"),
    FrozenAction.UNFREEZE: gettext_lazy("Asked you to unfreeze the account"),
    FrozenAction.RAISE_BUDGET: gettext_lazy("Asked you to raise the budget"),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """What was done, by whom, and why."""

    at: datetime
    what: str
    who: str
    reason: str = ""


def timeline_of(
    record: CustomerRecord, association: Association, member: PartnerMember
) -> list[Entry]:
    """Return everything in the record, newest first.

    What has the same moment is in the order of causes: a budget before the unfreezing by it.
    """
    entries = [
        *_joining(record, association, member),
        *_requests(record),
        *_budgets(record, association),
        *_freezes(record, association),
        *_authorizations(record, association),
        *_recorded(record, association),
        *_ending(record, association),
    ]
    return sorted(entries, key=lambda entry: entry.at)[::-1]


def _joining(
    record: CustomerRecord, association: Association, member: PartnerMember
) -> Iterator[Entry]:
    attempt, customer = record.attempt, _("the customer")
    label = {"label": member.readable(attempt.invitation.label)}
    yield Entry(attempt.started_at, _("Followed the invitation “%(label)s”") % label, customer)
    if attempt.registered_at is not None:
        yield Entry(attempt.registered_at, _("Registered an account"), customer)
    elif attempt.entered_at is not None:
        yield Entry(attempt.entered_at, _("Entered with an existing account"), customer)
    for consent in record.consents:
        names = {"title": consent.document.title, "version": consent.document.version}
        what = _("Agreed to “%(title)s”, version %(version)s") % names
        yield Entry(consent.agreed_at, what, customer)
    yield Entry(association.associated_at, _("Became your customer"), customer)


def _requests(record: CustomerRecord) -> Iterator[Entry]:
    for row in record.budget_requests:
        yield Entry(row.asked_at, str(ASKED[row.asked_for]), _("the customer"))


def _budgets(record: CustomerRecord, association: Association) -> Iterator[Entry]:
    for budget in record.budgets:
        names = {"amount": money(budget.amount), "period": budget.get_period_display()}
        what = _("Set a budget: %(amount)s, %(period)s") % names
        set_by = who(budget.set_by, association, by_provider=budget.set_by_provider)
        yield Entry(budget.set_at, what, set_by)


def _freezes(record: CustomerRecord, association: Association) -> Iterator[Entry]:
    for freeze in record.freezes:
        cause = CAUSES[freeze.cause] % {"provider": settings.PROVIDER_NAME}
        names = {"cause": cause, "scope": freeze.get_scope_display()}
        is_by_joining = freeze.cause == FreezeCause.ASSOCIATION
        yield Entry(
            freeze.frozen_at,
            _("Frozen by %(cause)s (%(scope)s)") % names,
            who(
                None if is_by_joining else freeze.frozen_by,
                association,
                by_provider=freeze.frozen_by_provider,
            ),
            freeze.reason if partner_reads_reason(freeze, association) else "",
        )
        if freeze.unfrozen_at is not None:
            yield Entry(
                freeze.unfrozen_at,
                _("Unfrozen, was frozen by %(cause)s") % names,
                who(freeze.unfrozen_by, association, by_provider=freeze.unfrozen_by_provider),
                freeze.unfreeze_reason,
            )


def _authorizations(record: CustomerRecord, association: Association) -> Iterator[Entry]:
    customer = _("the customer")
    for row in record.authorizations:
        if row.requested_at is not None:
            by = who(row.requested_by, association, by_provider=row.requested_by_provider)
            yield Entry(row.requested_at, _("Asked for the authorization"), by)
        if row.granted_at is not None:
            yield Entry(row.granted_at, _("Granted the authorization"), customer)
        if row.declined_at is not None:
            what = _("Declined the authorization")
            yield Entry(row.declined_at, what, customer, row.reason)
        if row.revoked_at is not None and row.has_ended_with_association:
            what = _("The authorization ended with the association")
            yield Entry(row.revoked_at, what, _("automatically"))
        elif row.revoked_at is not None:
            yield Entry(row.revoked_at, _("Revoked the authorization"), customer, row.reason)


def _recorded(record: CustomerRecord, association: Association) -> Iterator[Entry]:
    for event in record.actions:
        reason = str((event.after or {}).get("reason", ""))
        by = who(event.actor, association)
        yield Entry(event.occurred_at, str(RECORDED[event.action]), by, reason)


def _ending(record: CustomerRecord, association: Association) -> Iterator[Entry]:
    for row in record.end_requests:
        by = _side(row.asking_side, row.asked_by, association)
        yield Entry(row.asked_at, _("Asked to end the association"), by, row.reason)
        if row.answered_at is not None:
            yield _answer(row, row.answered_at, association)
    if association.ended_at is not None:
        by = who(association.ended_by, association)
        reason = association.end_reason
        yield Entry(association.ended_at, _("The association ended"), by, reason)


def _answer(row: EndRequest, at: datetime, association: Association) -> Entry:
    by = _side(row.answering_side, row.answered_by, association)
    return Entry(at, str(ANSWERS[row.answer]), by, row.answer_reason)


def _side(side: str, actor: User | None, association: Association) -> str:
    """Return who acted for a side; of the provider and the customer no person is named."""
    if side == Side.CUSTOMER:
        return _("the customer")
    return str(settings.PROVIDER_NAME) if side == Side.PROVIDER else who(actor, association)
