"""Admin filters for states that follow from moments."""

from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _


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
