"""Every address that the site answers, as the URLconf lists them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, get_resolver
from django.urls.resolvers import RegexPattern


@dataclass(frozen=True, slots=True)
class Route:
    """One mounted address: its full name, the names in its path, and the view behind it."""

    name: str
    pattern: str
    parameters: tuple[str, ...]
    view: Callable[..., Any]

    @property
    def is_public(self) -> bool:
        """Whether the view answers people who are not signed in."""
        return not getattr(self.view, "login_required", True)

    @property
    def needs_key(self) -> bool:
        """Whether it is an operation of the API, of which tests/integration/ has tables."""
        return self.name.startswith("api:")


def parameters(pattern: URLPattern) -> tuple[str, ...]:
    """Return the names of the changing parts of an address."""
    if isinstance(pattern.pattern, RegexPattern):
        return tuple(pattern.pattern.regex.groupindex)
    return tuple(pattern.pattern.converters)


def routes(resolver: Any = None, prefix: str = "", namespace: str = "") -> Iterator[Route]:
    """Return every route, namespaces spelled out."""
    resolver = resolver or get_resolver()
    for entry in resolver.url_patterns:
        pattern = f"{prefix}{entry.pattern}"
        if isinstance(entry, URLPattern):
            name = f"{namespace}{entry.name}" if entry.name else ""
            yield Route(name, pattern, parameters(entry), entry.callback)
        else:
            inner = f"{namespace}{entry.namespace}:" if entry.namespace else namespace
            yield from routes(entry, pattern, inner)
