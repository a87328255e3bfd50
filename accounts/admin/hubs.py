"""What belongs to a customer account or a user, beneath its form in the admin."""

from collections.abc import Iterable
from functools import partial
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import (
    Bill,
    CashExpenditure,
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
from web.versioned_forms import moment_text

# What the line of a fact says beside its key.
FACTS: dict[Any, Any] = {
    Contract: lambda fact: [fact.get_contract_type_display()],
    Bill: lambda fact: [fact.amount, moment_text(fact.issued_at)],
    CashExpenditure: lambda fact: [fact.amount, moment_text(fact.occurred_at)],
    ReservedInstance: lambda fact: [moment_text(fact.expires_at)],
    Coupon: lambda fact: [fact.balance],
    Resource: lambda fact: [fact.name, fact.get_status_display()],
    Spending: lambda fact: [fact.amount, moment_text(fact.occurred_at)],
}


@adds_sections(CustomerAccount)
def account_sections(request: HttpRequest, account: CustomerAccount) -> Iterable[Section | None]:
    yield first_rows(
        request,
        rows=account.freezes.order_by("-pk"),
        line=freeze_line,
        filters={"account": account.pk},
    )
    for model, details in FACTS.items():
        yield first_rows(
            request,
            rows=model.objects.filter(account=account).order_by("-pk"),
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
    ended = freeze.unfrozen_at
    return (
        freeze.get_cause_display(),
        freeze.get_scope_display(),
        moment_text(freeze.frozen_at),
        gettext("lifted %(moment)s") % {"moment": moment_text(ended)} if ended else _("open"),
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
        rows=AuditEvent.objects.filter(actor=user).order_by("-pk"),
        line=lambda event: (event.action, moment_text(event.occurred_at)),
        title=_("What this user did"),
        filters={"actor": user.pk},
    )
    yield messages_to(request, user.email)
