"""Associations in the admin: read, given a budget, frozen, unfrozen and ended."""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.enums import FreezeCause
from accounts.models import Freeze
from accounts.services.freezes import freezes_of, shown_cause, shown_freezes
from association.admin.accounts import FreezeForm, can_be_frozen, is_frozen_for
from association.admin.preview import eligibility_preview
from association.budget_words import budget_facts
from association.conflicts import terms_sentences
from association.enums import AssociationRefusal
from association.forms.budgets import first_terms
from association.models import Association, Budget
from association.refusal_texts import REFUSAL_TEXTS
from association.refusals import SENTENCES
from association.services.customer_lists import customer_states
from association.services.customers import (
    ALL_BUT_ADMINISTRATOR,
    freeze_customer,
    set_budget,
    shown_terms,
    unfreeze_customer,
)
from association.services.endings import end_association
from association.services.spending import spent_this_month
from audit.admin import EvidenceAdmin, account_name
from partners.admin.shared import TokenSearch
from partners.forms.budgets import BudgetForm
from web.admin.base import StateFilter
from web.admin.confirmation import ConfirmedAction, reason_form
from web.admin.hubs import given
from web.templatetags.money import money

ACCOUNT_SEARCH = ("account__owner__account_name__startswith", "account__owner__email__exact")

READERS = _("The customer and the partner read it.")


def association_name(association: Association) -> str:
    """Return the account's name and the partner's, as confirmation pages name an association."""
    return f"{association.account} – {association.partner}"


_confirmed = partial(
    ConfirmedAction,
    name=association_name,
    refusals=SENTENCES,
    permissions=["act"],
    explain=partial(terms_sentences, who=account_name),
)


def _budget(association: Association) -> Budget | None:
    return association.budgets.current().first()


def _freezes(association: Association) -> list[Freeze]:
    return freezes_of([association.account_id])


def _check_words(check: dict[str, Any]) -> str:
    text = REFUSAL_TEXTS.get(check["code"])
    title = str(text.title) if text else check["code"]
    return f"{title}: {_('passes') if check['refused_for'] is None else _('refused')}"


def bills_after(association: Association) -> Iterator[Any]:
    """Say who bills the customer when the association has ended."""
    if association.is_reseller:
        yield _("From then on the provider bills the customer.")
    else:
        yield _("The provider goes on billing the customer.")


def _budget_facts(association: Association) -> Iterator[Any]:
    """Say what the budget is, and what has been spent."""
    now, budget = timezone.now(), _budget(association)
    if budget is not None:
        yield from budget_facts(budget, now=now)
    [spent] = spent_this_month([association], partner=association.partner, now=now).values()
    yield _("Spent this month: %(spent)s.") % {"spent": money(spent)}
    if spent > 0:
        yield _("A monthly budget up to what is spent is used up at once.")


def _unfreeze_facts(association: Association) -> Iterable[str]:
    budget = _budget(association)
    return budget_facts(budget, now=timezone.now()) if budget is not None else ()


def _first_terms(associations: Sequence[Association]) -> dict[str, Any]:
    """Return the present budget of a single customer, or what its partner begins with."""
    if len(associations) != 1:
        return {}
    [association] = associations
    [state] = customer_states([association], now=timezone.now())
    _from, terms = first_terms(state, partner=association.partner)
    return terms


def _why_not(association: Association) -> Any:
    if association.has_ended:
        return SENTENCES[AssociationRefusal.ENDED]
    return "" if association.is_reseller else SENTENCES[AssociationRefusal.NOT_RESELLER]


def _why_not_unfreeze(association: Association) -> Any:
    why_not = _why_not(association)
    if why_not or _budget(association) is not None:
        return why_not
    return SENTENCES[AssociationRefusal.NO_BUDGET]


def _is_open_reseller(association: Association) -> bool:
    return not _why_not(association)


def _can_be_frozen(association: Association) -> bool:
    freezes = _freezes(association) if _is_open_reseller(association) else None
    return freezes is not None and can_be_frozen(freezes, FreezeCause.PARTNER)


def _can_be_unfrozen(association: Association) -> bool:
    return not _why_not_unfreeze(association) and is_frozen_for(
        _freezes(association), ALL_BUT_ADMINISTRATOR
    )


class AssociationStateFilter(StateFilter):
    def states(self) -> dict[str, tuple[Any, Q]]:
        in_force = Q(ended_at__isnull=True)
        open_freezes = Association.objects.filter(
            account__freezes__isnull=False, account__freezes__unfrozen_at__isnull=True
        )
        return {
            "in_force": (_("in force"), in_force),
            "frozen": (_("in force and frozen"), in_force & Q(pk__in=open_freezes.values("pk"))),
            "ended": (_("ended"), ~in_force),
        }


@admin.register(Association)
class AssociationAdmin(TokenSearch, EvidenceAdmin):
    path_to_invitation = "invitation__"
    list_display = (
        "shown_name",
        "status",
        "account",
        "partner",
        "association_type",
        "associated_at",
    )
    list_select_related = ("account__owner", "partner")
    list_filter = (
        AssociationStateFilter,
        "association_type",
        *given("account", "partner", "invitation", "attempt"),
    )
    search_fields = (*ACCOUNT_SEARCH, "search_names__folded_contains", "partner__name__icontains")
    search_help_text = _(
        "Part of a name or reference of the customer or of the partner's name, a whole e-mail "
        "address, or a link or token of the invitation"
    )
    lower_case_search = True
    date_hierarchy = "associated_at"
    readonly_fields = ("decision",)
    actions = ("set_budget", "freeze_account", "unfreeze_account", "end")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """Show the decision in words before its facts, which are JSON."""
        names = super().get_fields(request, obj)
        others = [name for name in names if name not in {"status", "decision", "eligibility"}]
        return ["status", *others, "decision", "eligibility"]

    @admin.display(description=_("rules when decided"))
    def decision(self, association: Association) -> str:
        checks = association.eligibility.get("checks", [])
        return "; ".join(_check_words(check) for check in checks) or "-"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(eligibility_preview)
        return [path("preview/", view, name="eligibility_preview"), *super().get_urls()]

    def has_act_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("association.change_association")

    @_confirmed(
        title=_("Set the budget for the partner"),
        consequences=(
            _("It replaces the current budget, which stays in the history."),
            _("A one-time budget counts from now, a monthly one from the first of the month."),
            _("It does not unfreeze the account: that is a separate action."),
            _("No e-mail is sent. Both sides see the budget, and that the provider set it."),
        ),
        button=_("Set the budget"),
        form=BudgetForm,
        works_for=_is_open_reseller,
        why_not=_why_not,
        shows=lambda association: shown_terms(association, _budget(association), []),
        facts=_budget_facts,
        initial=_first_terms,
    )
    def set_budget(self, association: Association, **values: Any) -> None:
        set_budget(association=association, **values)

    @_confirmed(
        title=_("Freeze for the partner"),
        consequences=(
            _("The account cannot buy, renew or change resources. Fees continue."),
            _("With “account and resources” the resources and new fees stop as well."),
            _("The partner can lift this freeze once there is a budget."),
            _("Both sides are told by e-mail that the provider did it, and read the reason."),
        ),
        button=_("Freeze"),
        form=reason_form(READERS, FreezeForm),
        works_for=_can_be_frozen,
        why_not=_why_not,
        shows=lambda association: shown_cause(
            association.account, _freezes(association), FreezeCause.PARTNER
        ),
    )
    def freeze_account(self, association: Association, **values: Any) -> None:
        freeze_customer(association=association, **values)

    @_confirmed(
        title=_("Unfreeze for the partner"),
        consequences=(
            _("Every freeze ends, except one that the provider decided on."),
            _("The customer can buy and change resources."),
            _("Both sides are told by e-mail that the provider did it, and read the reason."),
            _("It is possible only when the partner has set a budget."),
        ),
        button=_("Unfreeze"),
        form=reason_form(READERS),
        works_for=_can_be_unfrozen,
        why_not=_why_not_unfreeze,
        shows=lambda association: shown_freezes(_freezes(association), ALL_BUT_ADMINISTRATOR),
        facts=_unfreeze_facts,
    )
    def unfreeze_account(self, association: Association, **values: Any) -> None:
        unfreeze_customer(association=association, **values)

    @_confirmed(
        title=_("End the association"),
        consequences=(
            _("The account stops being the partner's customer. This cannot be taken back."),
            _("Its freezes end, except one that the provider decided on."),
            _("The partner's budget and authorization for the account end."),
            _("Both sides are told by e-mail that the provider did it, and read the reason."),
        ),
        button=_("End the association"),
        facts=bills_after,
        form=reason_form(READERS),
        works_for=lambda association: not association.has_ended,
        why_not=lambda association: (
            SENTENCES[AssociationRefusal.ENDED] if association.has_ended else ""
        ),
    )
    def end(self, association: Association, **values: Any) -> None:
        end_association(association=association, **values)
