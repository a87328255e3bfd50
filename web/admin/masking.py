"""Masked e-mail addresses on admin pages and in their audit events.

Users with the permission `settings.FULL_ADDRESS_PERMISSION` see them in full on the pages.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.http import HttpRequest

from web.email_addresses import mask_addresses

_PLAIN = (type(None), bool, int, str, Decimal, datetime, date, list, dict)


def may_see_addresses(request: HttpRequest) -> bool:
    return request.user.has_perm(settings.FULL_ADDRESS_PERMISSION)


@cache
def masked_field(model: type[models.Model], name: str) -> Callable[[Any], str]:
    @admin.display(description=model._meta.get_field(name).verbose_name, empty_value="-")  # type: ignore[union-attr]
    def shown(obj: Any) -> str:
        value = getattr(obj, name)
        if value is not None and not isinstance(value, str):
            value = json.dumps(value, ensure_ascii=False, cls=DjangoJSONEncoder)
        return mask_addresses(value or "")

    shown.__name__ = f"masked_{name}"
    return shown


def plain_values(obj: models.Model, names: Iterable[str], masked: Sequence[str]) -> dict[str, Any]:
    """Return the fields as the audit trail stores them; names without a field are skipped."""
    fields = {field.name: field for field in (*obj._meta.fields, *obj._meta.many_to_many)}
    values: dict[str, Any] = {}
    for name in names:
        if name not in fields:
            continue
        value = fields[name].value_from_object(obj)
        if fields[name].many_to_many:
            value = sorted(related.pk for related in value)
        elif not isinstance(value, _PLAIN):
            value = str(value)
        values[name] = mask_addresses(value) if name in masked and value else value
    return values
