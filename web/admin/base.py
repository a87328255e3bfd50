"""The base of the admin's pages: bounded lists, masked e-mail addresses, careful look-ups."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.admin import helpers
from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.utils.functional import cached_property
from django.utils.text import capfirst
from django.utils.translation import gettext

from web.admin.masking import masked_field, may_see_addresses
from web.admin.widgets import CarefulAutocompleteSelect, is_key

if TYPE_CHECKING:
    AnyModelAdmin = admin.ModelAdmin[Any]
    AnyPaginator = Paginator[Any]
else:
    AnyModelAdmin = admin.ModelAdmin
    AnyPaginator = Paginator

COUNT_LIMIT = 10_000


class BoundedPaginator(AnyPaginator):
    """Counts no further than `COUNT_LIMIT`: what lies beyond is found by search and filters."""

    @cached_property
    def count(self) -> int:
        """How many rows there are, at most `COUNT_LIMIT`; the whole table is never counted."""
        rows: Any = self.object_list
        found: int = rows.order_by()[:COUNT_LIMIT].count()
        return found


class SafeModelAdmin(AnyModelAdmin):
    """A page of the admin that is safe to open, whatever is in the table and in the address.

    `addresses` names the fields that hold e-mail addresses; they are masked for whoever lacks the
    permission. `lower_case_search` says that what is searched in is stored in lower case.
    """

    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50
    list_max_show_all = 50
    paginator = BoundedPaginator
    ordering: ClassVar[Any] = ("-pk",)
    list_filter: ClassVar[Any] = ()
    list_select_related: ClassVar[Any] = False
    search_fields: ClassVar[Any] = ()
    actions_selection_counter = True
    addresses: ClassVar[Sequence[str]] = ()
    lower_case_search = False
    # Kept out of every page and of the audit trail.
    secrets: ClassVar[Sequence[str]] = ("password",)

    # --- what is shown

    def _with_masks(self, request: HttpRequest, names: Iterable[Any]) -> list[Any]:
        if may_see_addresses(request):
            return list(names)
        model: Any = self.model
        return [masked_field(model, n) if n in self.addresses else n for n in names]

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """The columns, with addresses masked."""
        return self._with_masks(request, super().get_list_display(request))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """The fields, with addresses masked where they are only shown."""
        names = super().get_fields(request, obj)
        return self._with_masks(request, names) if obj is not None else list(names)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """The fields that are only shown; an existing address is one of them."""
        names = list(super().get_readonly_fields(request, obj))
        if obj is not None:
            names += [name for name in self.addresses if name not in names]
        return self._with_masks(request, names) if obj is not None else names

    # --- what may be asked for

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """Only the filters that are offered: any other column could be guessed letter by letter."""
        name = lookup.split("__", maxsplit=1)[0]
        if any(name == getattr(offer, "parameter_name", None) for offer in self.list_filter):
            return True
        fields = [offer for offer in (*self.list_filter, self.date_hierarchy) if offer]
        offered = {offer.split("__")[0] for offer in fields if isinstance(offer, str)}
        return name in offered and super().lookup_allowed(lookup, value, request)

    def get_search_results(
        self, request: HttpRequest, queryset: models.QuerySet[Any], search_term: str
    ) -> tuple[models.QuerySet[Any], bool]:
        """Search; in lower case where that is how it is stored."""
        term = search_term.lower() if self.lower_case_search else search_term
        return super().get_search_results(request, queryset, term)

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """The list; a moment beyond the calendar is a filter that cannot be understood."""
        try:
            return super().get_changelist_instance(request)
        except (OverflowError, ValueError) as error:
            raise IncorrectLookupParameters from error

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list; a filter that is not offered is refused, not answered."""
        try:
            return super().changelist_view(request, extra_context)
        except DisallowedModelAdminLookup as error:
            raise PermissionDenied from error

    def response_action(
        self, request: HttpRequest, queryset: models.QuerySet[Any], *args: Any, **options: Any
    ) -> HttpResponse | None:
        """Run the action on what was selected; what cannot be a row's id is not looked up."""
        posted = request.POST.copy()
        chosen = [
            pk for pk in posted.getlist(helpers.ACTION_CHECKBOX_NAME) if is_key(self.model, pk)
        ]
        posted.setlist(helpers.ACTION_CHECKBOX_NAME, chosen)
        request.POST = posted  # type: ignore[assignment]
        return super().response_action(request, queryset, *args, **options)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        """The field; a language is one of those that we speak."""
        if db_field.name != "language":
            return super().formfield_for_dbfield(db_field, request, **options)
        none = [("", gettext("the reader's own"))] if db_field.blank else []
        return forms.ChoiceField(
            label=capfirst(db_field.verbose_name),
            required=not db_field.blank,
            choices=[*none, *settings.LANGUAGES],
        )

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        """The field, with an autocomplete that survives whatever is posted."""
        if "widget" not in options and db_field.name in self.get_autocomplete_fields(request):
            options["widget"] = CarefulAutocompleteSelect(db_field, self.admin_site)
        return super().formfield_for_foreignkey(db_field, request, **options)
