"""Hub pages: an object's form, its actions, and the first rows of what belongs to it."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.contrib.admin import helpers
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import ValidationError
from django.db import models
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from web.admin.masking import may_see_addresses
from web.email_addresses import mask_address

MOST_ROWS = 5
FROM_OBJECT = "from_object"


@dataclass(frozen=True, slots=True)
class Line:
    """One row: the text that links to it, and a few of its values."""

    text: Any
    url: str = ""
    details: Sequence[Any] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading with lines; `all_url` is the list of all of them."""

    title: Any
    lines: Sequence[Line] = field(default_factory=list)
    all_url: str = ""
    has_more: bool = False
    empty: Any = _("None.")


Sections = Callable[[HttpRequest, Any], Iterable[Section | None]]
_sections: dict[type[models.Model], list[Sections]] = defaultdict(list)


def adds_sections(model: type[models.Model]) -> Callable[[Sections], Sections]:
    """Decorate a function that returns sections for the page of an object of this model.

    Its number of statements must not depend on how much belongs to the object. None is left out.
    """

    def register(sections: Sections) -> Sections:
        _sections[model].append(sections)
        return sections

    return register


def has_sections(model: type[models.Model]) -> bool:
    """Return whether the pages of such objects list what belongs to them."""
    return model in _sections


def sections_of(request: HttpRequest, obj: models.Model) -> list[Section]:
    found = (
        section for sections in _sections.get(type(obj), ()) for section in sections(request, obj)
    )
    return [section for section in found if section is not None]


def first_rows(
    request: HttpRequest,
    *,
    rows: models.QuerySet[Any],
    line: Callable[[Any], Sequence[Any]],
    filters: Mapping[str, Any],
    title: Any = None,
    shows_empty: bool = True,
) -> Section | None:
    """Return the first of the rows; the list with these filters shows all of them. One statement.

    `line` returns the text of a row, then details. None for users who may not view such rows.
    """
    page = admin.site.get_model_admin(rows.model)
    if not page.has_view_permission(request):
        return None
    found = list(rows[: MOST_ROWS + 1])
    if not found and not shows_empty:
        return None
    lines = [_line(row, *line(row)) for row in found[:MOST_ROWS]]
    return Section(
        title=title or capfirst(rows.model._meta.verbose_name_plural),
        lines=lines,
        all_url=list_url(rows.model, filters) if found else "",
        has_more=len(found) > MOST_ROWS,
    )


def _line(row: models.Model, text: Any, *details: Any) -> Line:
    return Line(text, object_url(row), [detail for detail in details if detail not in {None, ""}])


def object_url(obj: models.Model) -> str:
    return reverse(f"admin:{obj._meta.app_label}_{obj._meta.model_name}_change", args=[obj.pk])


def list_url(model: type[models.Model], filters: Mapping[str, Any]) -> str:
    path = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return f"{path}?{urlencode(filters)}"


def shown_address(request: HttpRequest, address: str) -> str:
    return address if may_see_addresses(request) else mask_address(address)


# --- actions


def buttons_of(page: Any, request: HttpRequest, obj: models.Model) -> list[tuple[str, Any]]:
    """Return the name and label of each confirmed action that this user can do to the object."""
    return [
        (name, label)
        for function, name, label in page.get_actions(request).values()
        if (confirmed := getattr(function, "confirmed", None)) and confirmed.works_for(obj)
    ]


def is_from_object(request: HttpRequest) -> bool:
    """Whether the action was chosen on the page of its one object, and not in the list."""
    chosen = request.POST.getlist(helpers.ACTION_CHECKBOX_NAME)
    return FROM_OBJECT in request.POST and len(chosen) == 1


# --- filters


class GivenFilter(admin.FieldListFilter):
    """A filter that offers nothing until an address gives its value, as links to a list do."""

    # The label of the model whose key the field has, where it is no foreign key.
    names = ""

    def __init__(
        self, field: Any, request: HttpRequest, params: Any, model: Any, page: Any, field_path: str
    ) -> None:
        super().__init__(field, request, params, model, page, field_path)
        values: Any = self.used_parameters.get(field_path, [])
        self.given = [str(value) for value in values]
        if self.given:
            self.shown = self._shown(field, self.given[-1])

    def expected_parameters(self) -> list[str | None]:
        return [self.field_path]

    def has_output(self) -> bool:
        return bool(self.given)

    def choices(self, changelist: Any) -> Any:
        everything = changelist.get_query_string(remove=[self.field_path])
        yield {"selected": False, "query_string": everything, "display": _("All")}
        here = changelist.get_query_string()
        yield {"selected": True, "query_string": here, "display": self.shown}

    def _shown(self, field: Any, value: str) -> str:
        related = self.names or (field.remote_field and field.remote_field.model)
        if not related:
            return value
        related = apps.get_model(related) if isinstance(related, str) else related
        found = related._base_manager.filter(pk=_key(related, value)).first()
        return str(found) if found else value


def given(*paths: str) -> tuple[tuple[str, type[GivenFilter]], ...]:
    """Return a filter for each field, for the `list_filter` of a page."""
    return tuple((path, GivenFilter) for path in paths)


def given_object(path: str, label: str) -> tuple[str, type[GivenFilter]]:
    """Return such a filter for a field with the key of an object of a higher app."""
    return path, type("GivenObjectFilter", (GivenFilter,), {"names": label})


def _key(model: type[models.Model], value: str) -> Any:
    try:
        return model._meta.pk.clean(value, None)
    except ValidationError as error:
        raise IncorrectLookupParameters from error
