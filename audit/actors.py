"""Actors: the users who do things, and the column that names them."""

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models

if TYPE_CHECKING:
    from django.db.models.fields.related import ForeignKey
    from django_stubs_ext import StrPromise

# Who does something: a user, or None for the system (a command or the worker).
Actor = AbstractBaseUser | None


def actor_key(verbose_name: "StrPromise") -> "ForeignKey[Any, Any]":
    """Return a foreign key to the user who acted; null for the system. It blocks their deletion."""
    return models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        verbose_name=verbose_name,
    )
