"""What a page showed: an action is refused when that has changed meanwhile.

A page that changes something carries one short digest for each value that it showed. The service
compares them with the values of the rows that it has locked. A value that the page did not show
cannot conflict, unless it belongs to what the action changes (a freeze that is new, say).
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from django.core.serializers.json import DjangoJSONEncoder

from web.refused import Refused

_PART = re.compile(r"([\w-]+):([0-9a-f]{16})", re.ASCII)

Values = Mapping[str, Any]


class VersionRefusal(StrEnum):
    """Why an action on what a page showed is refused."""

    CHANGED_MEANWHILE = "changed_meanwhile"


class ChangedMeanwhile(Refused):
    """Values that the page showed have changed: `names` of the present `values`."""

    def __init__(self, names: Sequence[str], values: Values, **context: Any) -> None:
        super().__init__(VersionRefusal.CHANGED_MEANWHILE, **context)
        self.names, self.values = names, values


@dataclass(frozen=True, slots=True)
class ShownVersion:
    """The digests of the values that a page showed, by name."""

    digests: Mapping[str, str]

    @classmethod
    def of(cls, values: Values) -> Self:
        return cls({name: _digest(value) for name, value in values.items()})

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Return the version that a form sent, or None for a text that cannot be one."""
        parts = [_PART.fullmatch(part) for part in text.split()]
        found = [(part[1], part[2]) for part in parts if part is not None]
        return cls(dict(found)) if len(found) == len(parts) else None

    def __str__(self) -> str:
        return " ".join(f"{name}:{digest}" for name, digest in self.digests.items())

    def changed(self, now: Self) -> list[str]:
        """Return the names of the present values that are not as they were shown."""
        return [name for name, digest in now.digests.items() if self.digests.get(name) != digest]


def check_shown(version: ShownVersion | None, values: Values, **context: Any) -> None:
    """Raise ChangedMeanwhile if these values are not those that the page showed.

    Call it under the lock of the rows that the values come from. None is an action without a
    page: of a command, say. `context` has the objects that the sentence names.
    """
    changed = [] if version is None else version.changed(ShownVersion.of(values))
    if changed:
        raise ChangedMeanwhile(changed, values, **context)


def _digest(value: Any) -> str:
    text = json.dumps(value, cls=_Encoder, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class _Encoder(DjangoJSONEncoder):
    """Writes a value that JSON does not know, a country say, as its text."""

    def default(self, o: Any) -> Any:
        try:
            return super().default(o)
        except TypeError:
            return str(o)
