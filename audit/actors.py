"""The column that names who did something."""

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models

if TYPE_CHECKING:
    from django.db.models.fields.related import ForeignKey
    from django_stubs_ext import StrPromise


def actor_key(verbose_name: "StrPromise") -> "ForeignKey[Any, Any]":
    """Return a key to the user who acted; null where a command did, or before it happens.

    A user who has acted cannot be deleted.
    """
    return models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        verbose_name=verbose_name,
    )
