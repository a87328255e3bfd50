"""Filters on what follows from moments."""

from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _


class StateFilter(admin.SimpleListFilter):
    """A filter on a state that follows from moments; `states` maps its words to conditions."""

    title = _("state")
    parameter_name = "state"

    def states(self) -> dict[str, tuple[Any, models.Q]]:
        """The states: key → (word, condition)."""
        raise NotImplementedError

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """The words to choose from."""
        return [(key, word) for key, (word, _condition) in self.states().items()]

    def queryset(
        self, request: HttpRequest, queryset: models.QuerySet[Any]
    ) -> models.QuerySet[Any]:
        """The rows in the chosen state; all without a choice or with an unknown one."""
        state = self.states().get(self.value() or "")
        return queryset.filter(state[1]) if state else queryset
