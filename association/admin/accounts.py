"""Customer accounts in the admin: frozen by the provider, and the partner hears of it."""

from collections.abc import Collection, Iterable
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.admin.customers import CustomerAccountAdmin
from accounts.conflicts import freeze_sentences
from accounts.enums import FreezeCause, FreezeScope
from accounts.models import CustomerAccount, Freeze
from accounts.services.freezes import freezes_of, shown_cause, shown_freezes
from association.refusals import SENTENCES
from association.services import provider_freezes
from association.services.customer_names import refresh_names_of
from association.services.provider_freezes import CAUSE
from audit.admin import account_name
from web.admin.confirmation import ConfirmedAction, reason_form

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

# This page takes the place of the one in accounts: it freezes, and what tells a freeze to the
# partner is a service of association, which accounts cannot import.
admin.site.unregister(CustomerAccount)


@admin.register(CustomerAccount)
class FreezableAccountAdmin(CustomerAccountAdmin):
    list_display: Any = (*CustomerAccountAdmin.list_display, "is_frozen")
    actions = ("freeze_for_provider", "unfreeze_for_provider")

    def get_queryset(self, request: HttpRequest) -> QuerySet[CustomerAccount]:
        open_freezes = Freeze.objects.open().filter(account=OuterRef("pk"))
        return super().get_queryset(request).annotate(is_frozen=Exists(open_freezes))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if "name" in form.changed_data:
            refresh_names_of(obj.owner)

    @admin.display(description=_("frozen"), boolean=True)
    def is_frozen(self, account: CustomerAccount) -> bool:
        return account.is_frozen  # type: ignore[attr-defined, no-any-return]

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
