"""What belongs to a customer account or a user, beneath its form in the admin."""

from collections.abc import Iterable
from functools import partial
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.admin.customers import freeze_state, froze
from accounts.models import (
    Bill,
    CashExpenditure,
    ConnectedLogin,
    Contract,
    Coupon,
    CustomerAccount,
    EnterpriseRelation,
    Freeze,
    ReservedInstance,
    Resource,
    Spending,
    User,
)
from audit.models import AuditEvent
from outbox.admin.hubs import messages_to
from web.admin.hubs import Section, adds_sections, first_rows
from web.moments import moment_text
from web.templatetags.money import money

# The moment that sorts the facts, and what the line of one says beside its key.
FACTS: dict[Any, Any] = {
    Contract: ("effective_from", lambda fact: [fact.get_contract_type_display()]),
    Bill: ("issued_at", lambda fact: [money(fact.amount), moment_text(fact.issued_at)]),
    CashExpenditure: (
        "occurred_at",
        lambda fact: [money(fact.amount), moment_text(fact.occurred_at)],
    ),
    ReservedInstance: ("expires_at", lambda fact: [moment_text(fact.expires_at)]),
    Coupon: ("expires_at", lambda fact: [money(fact.balance)]),
    Resource: ("pk", lambda fact: [fact.name, fact.get_status_display()]),
    Spending: ("occurred_at", lambda fact: [money(fact.amount), moment_text(fact.occurred_at)]),
}


@adds_sections(CustomerAccount)
def account_sections(request: HttpRequest, account: CustomerAccount) -> Iterable[Section | None]:
    yield first_rows(
        request,
        rows=account.freezes.select_related("frozen_by").order_by("-frozen_at", "-pk"),
        line=freeze_line,
        filters={"account": account.pk},
    )
    for model, (moment, details) in FACTS.items():
        yield first_rows(
            request,
            rows=model.objects.filter(account=account).order_by(f"-{moment}", "-pk"),
            line=partial(_fact_line, details),
            filters={"account": account.pk},
            shows_empty=False,
        )
    for role, other, title in (
        ("master", "member", _("Members")),
        ("member", "master", _("Master")),
    ):
        rows = EnterpriseRelation.objects.filter(**{role: account})
        yield first_rows(
            request,
            rows=rows.select_related(f"{other}__owner").order_by("-pk"),
            line=partial(_relation_line, other),
            title=title,
            filters={role: account.pk},
            shows_empty=False,
        )


def _fact_line(details: Any, fact: Any) -> tuple[Any, ...]:
    return fact, *details(fact)


def _relation_line(other: str, fact: EnterpriseRelation) -> tuple[Any, ...]:
    return getattr(fact, other), fact.get_accounting_display()


def freeze_line(freeze: Freeze) -> tuple[Any, ...]:
    return (
        freeze.get_cause_display(),
        freeze.get_scope_display(),
        moment_text(freeze.frozen_at),
        froze(freeze),
        freeze_state(freeze),
    )


@adds_sections(User)
def user_sections(request: HttpRequest, user: User) -> Iterable[Section | None]:
    yield first_rows(
        request,
        rows=CustomerAccount.objects.filter(owner=user).select_related("owner"),
        line=lambda account: (account, account.get_account_type_display()),
        filters={"owner": user.pk},
        shows_empty=False,
    )
    yield first_rows(
        request,
        rows=ConnectedLogin.objects.filter(user=user).order_by("-connected_at", "-pk"),
        line=lambda row: (row, moment_text(row.connected_at)),
        filters={"user": user.pk},
        shows_empty=False,
    )
    yield first_rows(
        request,
        rows=AuditEvent.objects.filter(actor=user).order_by("-occurred_at", "-pk"),
        line=lambda event: (event.action, moment_text(event.occurred_at)),
        title=_("What this user did"),
        filters={"actor": user.pk},
    )
    yield messages_to(request, user.email)
