"""The sentences for what integration refuses to do, by the code of the refusal."""

from enum import Enum
from typing import TYPE_CHECKING

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from integration.enums import KeyRefusal
from integration.services.keys import MOST_LIVE_KEYS

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

SENTENCES: "dict[Enum, StrOrPromise]" = {
    KeyRefusal.TOO_MANY_KEYS: format_lazy(
        _(
            "Your organisation has {most} keys that can be used. Revoke one that is not needed any"
            " more first."
        ),
        most=MOST_LIVE_KEYS,
    ),
    KeyRefusal.LIFE_TOO_LONG: _("A key lives for a year at most."),
}
