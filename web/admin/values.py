"""Stored values (JSON) on admin pages: lists of names and values, with links to objects."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from django.contrib import admin
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db import models
from django.utils.dateparse import parse_datetime
from django.utils.html import format_html, format_html_join
from django.utils.text import capfirst
from django.utils.translation import gettext

from web.admin.hubs import object_url
from web.email_addresses import mask_addresses
from web.moments import moment_text

NOTHING = "–"
Model = type[models.Model]
# A stored value, and the model whose fields its names are.
Stored = tuple[Any, Model | None]
Objects = Mapping[tuple[Model, str], models.Model]


def value_lists(stored: Sequence[Stored], *, is_masked: bool) -> list[str]:
    """Return each value as escaped HTML: names as the fields are called, objects as links.

    One statement for each model that the values name an object of.
    """
    objects = _find_objects(stored)
    return [_shown(value, model, objects, is_masked) for value, model in stored]


@cache
def json_field(
    model: Any, name: str, *, is_masked: bool, describes: Callable[[Any], Model | None]
) -> Callable[[Any], str]:
    """Return a column of the page that shows the field; `describes` as in `Stored`."""

    @admin.display(description=model._meta.get_field(name).verbose_name, empty_value=NOTHING)
    def shown(obj: Any) -> str:
        return value_lists([(getattr(obj, name), describes(obj))], is_masked=is_masked)[0]

    shown.__name__ = f"shown_{name}"
    return shown


def _field(model: Model | None, name: str) -> Any:
    try:
        return model._meta.get_field(name) if model else None
    except FieldDoesNotExist:
        return None


def _related(model: Model | None, name: str) -> Model | None:
    field = _field(model, name)
    related = getattr(field, "related_model", None)
    return related if related is not None and admin.site.is_registered(related) else None


def _find_objects(stored: Iterable[Stored]) -> Objects:
    keys: dict[Model, set[Any]] = defaultdict(set)
    for value, model in stored:
        for name, inner in value.items() if isinstance(value, Mapping) else ():
            related = _related(model, name)
            if related is not None:
                keys[related] |= {key for key in _several(inner) if isinstance(key, int | str)}
    return find_objects(keys)


def find_objects(keys: Mapping[Model, Iterable[Any]]) -> Objects:
    """Return the objects by model and key, with what their names need; one statement per model."""
    found: dict[tuple[Model, str], models.Model] = {}
    for model, of_model in keys.items():
        related: Any = admin.site.get_model_admin(model).list_select_related
        rows: Any = model._base_manager.all()
        if related and related is not True:
            rows = rows.select_related(*related)
        possible = filter(None, (_key(model, key) for key in of_model))
        found |= {(model, str(key)): obj for key, obj in rows.in_bulk(possible).items()}
    return found


def _several(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else [value]


def _key(model: Model, value: Any) -> Any:
    try:
        return model._meta.pk.to_python(value)
    except ValidationError:
        return None


def _shown(value: Any, model: Model | None, objects: Objects, is_masked: bool) -> str:
    if isinstance(value, Mapping):
        # PostgreSQL does not keep the order in which they were written.
        pairs = [
            (_label(model, name), _named(model, name, inner, objects, is_masked))
            for name, inner in sorted(value.items())
        ]
        if not pairs:
            return NOTHING
        lines = format_html_join("", "<dt>{}</dt><dd>{}</dd>", pairs)
        return format_html('<dl class="values-list">{}</dl>', lines)
    if isinstance(value, list):
        shown = ((_shown(one, None, objects, is_masked),) for one in value)
        return format_html_join(", ", "{}", shown) or NOTHING
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    text = NOTHING if value in {None, ""} else str(value)
    return mask_addresses(text) if is_masked else text


def _label(model: Model | None, name: str) -> str:
    field = _field(model, name)
    return capfirst(str(getattr(field, "verbose_name", name.replace("_", " "))))


def _named(model: Model | None, name: str, value: Any, objects: Objects, is_masked: bool) -> str:
    """Return the value of a field: a link to the object that it names, or words for a code."""
    field, related = _field(model, name), _related(model, name)
    if related is not None and value is not None:
        links = (
            (_link(objects.get((related, str(one))), one, is_masked),) for one in _several(value)
        )
        return format_html_join(", ", "{}", links)
    if isinstance(value, str):
        words = {str(code): label for code, label in getattr(field, "flatchoices", ())}
        moment = _moment(value)
        value = words.get(value, moment_text(moment) if moment else value)
    return _shown(value, None, objects, is_masked)


def _link(obj: models.Model | None, key: Any, is_masked: bool) -> str:
    if obj is None:
        return str(key)
    text = mask_addresses(str(obj)) if is_masked else str(obj)
    return format_html('<a href="{}">{}</a>', object_url(obj), text)


def _moment(text: str) -> Any:
    """Return the moment that the text is, in the form that the trail stores; else None."""
    try:
        moment = parse_datetime(text)
    except ValueError:
        return None
    return moment if moment is not None and moment.tzinfo is not None else None
