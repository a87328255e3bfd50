"""Customer accounts in the admin: frozen by the provider, and the partner hears of it."""

from collections.abc import Collection, Iterable, Sequence
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.admin.customers import CustomerAccountAdmin, froze
from accounts.conflicts import freeze_sentences
from accounts.enums import FreezeCause, FreezeScope
from accounts.models import CustomerAccount, Freeze
from accounts.services.freezes import freezes_of, shown_cause, shown_freezes
from association.models import Association
from association.refusals import SENTENCES
from association.services import provider_freezes
from association.services.customer_names import refresh_names_of
from association.services.provider_freezes import CAUSE
from audit.admin import account_name
from web.admin.base import StateFilter
from web.admin.confirmation import ConfirmedAction, reason_form
from web.admin.hubs import Line, object_url, shown_address
from web.moments import moment_text

READERS = _("The owner of the account reads it, and so does the partner, if there is one.")


class FreezeForm(forms.Form):
    scope = forms.ChoiceField(label=_("Scope"), choices=FreezeScope.choices)


def can_be_frozen(freezes: Iterable[Freeze], cause: FreezeCause) -> bool:
    """Whether a freeze would change something: none is open for the cause, or a narrow one."""
    wide = [freeze for freeze in freezes if freeze.is_open and freeze.stops_resources]
    return all(freeze.cause != cause for freeze in wide)


def is_frozen_for(freezes: Iterable[Freeze], causes: Collection[FreezeCause]) -> bool:
    return any(freeze.is_open and freeze.cause in causes for freeze in freezes)


_confirmed = partial(
    ConfirmedAction,
    refusals=SENTENCES,
    permissions=["change"],
    explain=partial(freeze_sentences, who=account_name),
)


class FrozenFilter(StateFilter):
    title = _("frozen")
    parameter_name = "frozen"

    def states(self) -> dict[str, tuple[Any, Q]]:
        return {
            "yes": (_("yes"), Q(is_frozen=True)),
            "by_provider": (_("by the provider"), _frozen_for(CAUSE)),
            "by_partner": (_("by the partner"), _frozen_for(FreezeCause.PARTNER)),
            "no": (_("no"), Q(is_frozen=False)),
        }


def _frozen_for(cause: FreezeCause) -> Q:
    return Q(pk__in=Freeze.objects.open().filter(cause=cause).values("account"))


def _frozen_line(freeze: Freeze, association: Association | None) -> Line:
    """Say who froze and why; lead to the page with the button that lifts it."""
    text = gettext("Frozen since %(moment)s: %(cause)s (%(who)s)") % {
        "moment": moment_text(freeze.frozen_at),
        "cause": freeze.get_cause_display(),
        "who": froze(freeze),
    }
    text += f": “{freeze.reason.removesuffix('.')}”." if freeze.reason else "."
    if freeze.cause == CAUSE:
        return Line(gettext("%(frozen)s The button below lifts it.") % {"frozen": text})
    if association is None:
        return Line(text)
    text = gettext("%(frozen)s Lift it on the page of the association.") % {"frozen": text}
    return Line(text, object_url(association))


# This page takes the place of the one in accounts: it freezes, and what tells a freeze to the
# partner is a service of association, which accounts cannot import.
admin.site.unregister(CustomerAccount)


@admin.register(CustomerAccount)
class FreezableAccountAdmin(CustomerAccountAdmin):
    list_display: Any = (
        *("shown", "external_id", "freeze_state"),
        *("account_type", "country", "registered_at"),
    )
    list_filter = (FrozenFilter, *CustomerAccountAdmin.list_filter)
    actions = ("freeze_for_provider", "unfreeze_for_provider")

    def get_queryset(self, request: HttpRequest) -> QuerySet[CustomerAccount]:
        open_freezes = Freeze.objects.open().filter(account=OuterRef("pk"))
        return super().get_queryset(request).annotate(is_frozen=Exists(open_freezes))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if "name" in form.changed_data:
            refresh_names_of(obj.owner)

    def status_of(self, request: HttpRequest, obj: Any) -> Sequence[Line]:
        """Say whose account it is, whether it is frozen and by whom, and where that is lifted."""
        association = obj.associations.in_force().select_related("partner").first()
        freezes = obj.freezes.open().select_related("frozen_by").order_by("frozen_at", "pk")
        lines = [Line(shown_address(request, obj.owner.email), object_url(obj.owner))]
        if association is not None:
            text = gettext("Customer of %(partner)s, since %(moment)s")
            values = {
                "partner": association.partner,
                "moment": moment_text(association.associated_at),
            }
            lines.append(Line(text % values, object_url(association)))
        frozen = [_frozen_line(freeze, association) for freeze in freezes]
        return [*lines, *(frozen or [Line(gettext("Not frozen"))])]

    @admin.display(description=_("frozen"))
    def freeze_state(self, account: CustomerAccount) -> Any:
        """Say it in a word: Django's green tick would show a freeze as something good."""
        return _("frozen") if account.is_frozen else "–"  # type: ignore[attr-defined]

    @_confirmed(
        title=_("Freeze by decision of the provider"),
        consequences=(
            _("The account cannot buy, renew or change resources. Fees continue."),
            _("With “account and resources” the resources and new fees stop as well."),
            _("The partner cannot lift this freeze."),
            _("The owner, and the partner if there is one, get an e-mail that names the provider."),
        ),
        button=_("Freeze"),
        form=reason_form(READERS, FreezeForm),
        works_for=lambda account: can_be_frozen(freezes_of([account.pk]), CAUSE),
        shows=lambda account: shown_cause(account, freezes_of([account.pk]), CAUSE),
    )
    def freeze_for_provider(self, account: CustomerAccount, *, scope: str, **values: Any) -> None:
        provider_freezes.freeze_for_provider(account=account, scope=FreezeScope(scope), **values)

    @_confirmed(
        title=_("Lift the provider's freeze"),
        consequences=(
            _("The freeze that the provider decided on ends."),
            _("Freezes with another cause stay."),
            _("The owner, and the partner if there is one, get an e-mail that names the provider."),
        ),
        button=_("Lift"),
        form=reason_form(READERS),
        works_for=lambda account: is_frozen_for(freezes_of([account.pk]), [CAUSE]),
        shows=lambda account: shown_freezes(freezes_of([account.pk]), [CAUSE]),
    )
    def unfreeze_for_provider(self, account: CustomerAccount, **values: Any) -> None:
        provider_freezes.unfreeze_for_provider(account=account, **values)
