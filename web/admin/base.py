"""The base of all admin pages: bounded lists, masked addresses, checked input, no lost change."""

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.admin import helpers
from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.contrib.admin.widgets import AdminTextInputWidget, AutocompleteSelect
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.utils.functional import cached_property
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from web.admin.hubs import Line, buttons_of, sections_of
from web.admin.masking import masked_field, may_see_addresses
from web.admin.searching import search
from web.admin.versions import VersionedModelAdmin
from web.date_fields import DateField, SplitDateTimeField, has_strange_digits
from web.number_fields import DecimalNumberField, WholeNumberField
from web.random_ids import RandomIdField
from web.text_fields import AddressField, LineField, LinesField
from web.typed_text import clean_line

COUNT_LIMIT = 10_000


def is_key(model: type[models.Model], text: str) -> bool:
    """Return whether the text could be a primary key, so that it is safe to look up."""
    try:
        model._meta.pk.clean(text, None)
    except ValidationError:
        return False
    return True


def _parameter(offer: Any) -> str | None:
    """Return the exact parameter of a filter that is a class, or a field with one."""
    return offer[0] if isinstance(offer, tuple) else getattr(offer, "parameter_name", None)


class StateFilter(admin.SimpleListFilter):
    """A filter whose choices are conditions: subclasses map each key to (label, condition)."""

    title = _("state")
    parameter_name = "state"

    def states(self) -> dict[str, tuple[Any, models.Q]]:
        raise NotImplementedError

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(key, word) for key, (word, _condition) in self.states().items()]

    def queryset(
        self, request: HttpRequest, queryset: models.QuerySet[Any]
    ) -> models.QuerySet[Any]:
        state = self.states().get(self.value() or "")
        return queryset.filter(state[1]) if state else queryset


class LanguageFilter(StateFilter):
    """The languages of the pages; Django's own filter would read every row for those in use."""

    title = _("language")
    parameter_name = "language"

    def states(self) -> dict[str, tuple[Any, models.Q]]:
        return {code: (name, models.Q(language=code)) for code, name in settings.LANGUAGES}


class CarefulAutocompleteSelect(AutocompleteSelect):
    """Shows any posted value again; Django's widget fails on a value that is not a key."""

    def optgroups(self, name: str, value: Any, attr: Any = None) -> Any:
        model: Any = self.field.remote_field.model
        keys = [text for text in value if not text or is_key(model, str(text))]
        return super().optgroups(name, keys, attr)


class BoundedPaginator(Paginator):  # type: ignore[type-arg]
    """Counts at most `COUNT_LIMIT` rows, never the whole table."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        found: int = rows.order_by()[:COUNT_LIMIT].count()
        return found


class SafeModelAdmin(VersionedModelAdmin):
    """An admin page that stays fast with large tables and answers any URL without an error.

    `addresses` names fields with e-mail addresses, masked for users without the permission.
    `lower_case_search` means that the searched columns are stored in lower case.
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
    addresses: ClassVar[Sequence[str]] = ()
    lower_case_search = False
    # Neither pages nor the audit trail show these fields.
    secrets: ClassVar[Sequence[str]] = ("password",)
    formfield_overrides = {
        models.CharField: {"form_class": LineField},
        models.TextField: {"form_class": LinesField},
        models.EmailField: {"form_class": AddressField, "named": True},
        # Accepts ASCII letters only.
        models.SlugField: {"widget": AdminTextInputWidget},
        models.IntegerField: {"form_class": WholeNumberField},
        models.BigIntegerField: {"form_class": WholeNumberField},
        models.DecimalField: {"form_class": DecimalNumberField},
        models.DateField: {"form_class": DateField},
        models.DateTimeField: {"form_class": SplitDateTimeField},
    }

    def _with_masks(self, request: HttpRequest, names: Iterable[Any]) -> list[Any]:
        if may_see_addresses(request):
            return list(names)
        model: Any = self.model
        return [masked_field(model, n) if n in self.addresses else n for n in names]

    def get_ordering(self, request: HttpRequest) -> Any:
        """Show the newest first by the moment that the list shows: keys follow another clock."""
        model: Any = self.model
        moment = self.date_hierarchy
        if self.ordering != SafeModelAdmin.ordering or not moment or "__" in moment:
            return super().get_ordering(request)
        if model._meta.get_field(moment).null and not isinstance(model._meta.pk, RandomIdField):
            return super().get_ordering(request)
        return (f"-{moment}", "-pk")

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return self._with_masks(request, super().get_list_display(request))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        names = super().get_fields(request, obj)
        return self._with_masks(request, names) if obj is not None else list(names)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        names = list(super().get_readonly_fields(request, obj))
        if obj is not None:
            names += [name for name in self.addresses if name not in names]
        return self._with_masks(request, names) if obj is not None else names

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """Allow offered filters only: others would let a user guess a column letter by letter."""
        name = lookup.split("__", maxsplit=1)[0]
        if any(lookup == _parameter(offer) for offer in self.list_filter):
            return True
        fields = [offer for offer in (*self.list_filter, self.date_hierarchy) if offer]
        offered = {offer.split("__")[0] for offer in fields if isinstance(offer, str)}
        return name in offered and super().lookup_allowed(lookup, value, request)

    def get_search_results(
        self, request: HttpRequest, queryset: models.QuerySet[Any], search_term: str
    ) -> tuple[models.QuerySet[Any], bool]:
        term = clean_line(search_term)
        term = term.lower() if self.lower_case_search else term
        fields = list(self.get_search_fields(request))
        return (search(queryset, fields, term) if fields else queryset), False

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """Treat a moment outside the calendar as a filter that makes no sense.

        And a year or day that only a program would write: Django reads `2_026` as a year.
        """
        for name, value in request.GET.items():
            if name.startswith(f"{self.date_hierarchy}__") and has_strange_digits(str(value)):
                raise IncorrectLookupParameters
        try:
            return super().get_changelist_instance(request)
        except (OverflowError, ValueError) as error:
            raise IncorrectLookupParameters from error

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        try:
            return super().changelist_view(request, extra_context)
        except DisallowedModelAdminLookup as error:
            raise PermissionDenied from error

    def response_action(
        self, request: HttpRequest, queryset: models.QuerySet[Any], *args: Any, **options: Any
    ) -> HttpResponse | None:
        """Drop selected keys that cannot be keys, instead of looking them up."""
        posted = request.POST.copy()
        chosen = [
            pk for pk in posted.getlist(helpers.ACTION_CHECKBOX_NAME) if is_key(self.model, pk)
        ]
        posted.setlist(helpers.ACTION_CHECKBOX_NAME, chosen)
        request.POST = posted  # type: ignore[assignment]
        return super().response_action(request, queryset, *args, **options)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **options: Any
    ) -> HttpResponse:
        obj = options.get("obj")
        if obj is not None:
            context["buttons"] = buttons_of(self, request, obj)
            context["sections"] = sections_of(request, obj)
            context["status"] = self.status_of(request, obj)
        return super().render_change_form(request, context, *args, **options)

    def status_of(self, request: HttpRequest, obj: Any) -> Sequence[Line]:
        """Return what an operator asks first about the object, shown above everything else."""
        return ()

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> Any:
        """Return the object with exactly this key: Python also reads `1_0` as ten."""
        obj = super().get_object(request, object_id, from_field)
        return obj if obj is None or from_field or str(obj.pk) == object_id else None

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        if db_field.name not in ("language", "invitation_language"):
            return super().formfield_for_dbfield(db_field, request, **options)
        none = [("", gettext("the reader's own"))] if db_field.blank else []
        return forms.ChoiceField(
            label=capfirst(db_field.verbose_name),
            required=not db_field.blank,
            choices=[*none, *settings.LANGUAGES],
        )

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        if "widget" not in options and db_field.name in self.get_autocomplete_fields(request):
            options["widget"] = CarefulAutocompleteSelect(db_field, self.admin_site)
        return super().formfield_for_foreignkey(db_field, request, **options)
