"""Masked e-mail addresses on admin pages and in their audit events.

Users with the permission `settings.FULL_ADDRESS_PERMISSION` see them in full on the pages.
"""

import json
from collections.abc import Callable
from functools import cache
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.http import HttpRequest

from web.email_addresses import mask_addresses


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
