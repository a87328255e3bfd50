"""Issuers: systems that log people in by OpenID Connect, named by the setting OIDC_PROVIDERS."""

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

_ID = re.compile(r"[a-z0-9-]{1,32}")
# What an account gets from an issuer, beside subject, address and name.
CLAIMS = ("external_id", "name", "country", "registration_site", "registered_at")
_DEFAULT_CLAIMS = {"name": "name"}
_TEXTS = ("id", "name", "issuer", "client_id")
_LISTS = ("scopes", "acr", "amr", "origins")
_OTHERS = ("client_secret", "claims", "registration")
LONGEST_ISSUER = 200


class InvalidIssuers(Exception):
    """The setting OIDC_PROVIDERS is wrong; the text says where."""


@dataclass(frozen=True, slots=True)
class Issuer:
    """One issuer. `origins`: where a log-in there leads, its own first.

    `refreshes_name`: each log-in takes over the name, because the setting maps a claim to it.
    """

    id: str
    name: str
    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    scopes: tuple[str, ...]
    claims: Mapping[str, str]
    refreshes_name: bool
    registration: bool
    acr: tuple[str, ...]
    amr: tuple[str, ...]
    origins: tuple[str, ...]

    @property
    def is_of_demo(self) -> bool:
        """Whether it is reached by http, which `read_issuers()` allows in the demo only."""
        return self.issuer.startswith("http://")

    def confirms_second_factor(self, claims: Mapping[str, Any]) -> bool:
        """Whether these claims of an ID token say that more than a password was asked for."""
        methods = claims.get("amr")
        known = methods if isinstance(methods, list) else []
        return claims.get("acr") in self.acr or any(method in self.amr for method in known)


def issuer_with_id(issuer_id: str) -> Issuer | None:
    """Return the issuer that OIDC_PROVIDERS gives this id, or None."""
    return next((row for row in settings.OIDC_PROVIDERS if row.id == issuer_id), None)


def issuer_named(name: str) -> Issuer | None:
    """Return the issuer of this name (`iss`), or None if OIDC_PROVIDERS has it no more."""
    return next((row for row in settings.OIDC_PROVIDERS if row.issuer == name), None)


def read_issuers(text: str, *, allow_http: bool) -> tuple[Issuer, ...]:
    """Return the issuers of the setting; none where it is empty. Raises InvalidIssuers."""
    try:
        rows = json.loads(text) if text.strip() else []
    except ValueError as error:
        raise InvalidIssuers("it is not JSON") from error
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise InvalidIssuers("it must be a list of objects")
    issuers = tuple(_read(row, f"entry {n}", allow_http) for n, row in enumerate(rows, start=1))
    for what in ("id", "issuer"):
        values = [getattr(issuer, what) for issuer in issuers]
        if len(set(values)) < len(values):
            raise InvalidIssuers(f"two entries have the same {what}")
    return issuers


def _read(row: dict[str, Any], place: str, allow_http: bool) -> Issuer:
    unknown = sorted(row.keys() - {*_TEXTS, *_LISTS, *_OTHERS})
    if unknown:
        raise InvalidIssuers(f"{place} has unknown keys: {', '.join(unknown)}")
    texts = {name: _text(row, name, place) for name in _TEXTS}
    if not _ID.fullmatch(texts["id"]):
        raise InvalidIssuers(f"{place}: “id” may have a-z, 0-9 and hyphens only, at most 32")
    own_origin = _origin(texts["issuer"], place, allow_http)
    if len(texts["issuer"]) > LONGEST_ISSUER:
        raise InvalidIssuers(f"{place}: “issuer” is longer than {LONGEST_ISSUER} characters")
    lists = {name: _texts(row, name, place) for name in _LISTS}
    others = (_origin(url, place, allow_http) for url in lists.pop("origins"))
    return Issuer(
        **texts,
        client_secret=_text(row, "client_secret", place, required=False),
        scopes=lists.pop("scopes") or ("openid", "email", "profile"),
        claims=_claims(row, place),
        refreshes_name="name" in row.get("claims", {}),
        registration=_yes_or_no(row, "registration", place),
        origins=tuple(dict.fromkeys([own_origin, *others])),
        acr=lists["acr"],
        amr=lists["amr"],
    )


def _text(row: dict[str, Any], name: str, place: str, *, required: bool = True) -> str:
    value = row.get(name, "")
    if not isinstance(value, str) or (required and not value):
        raise InvalidIssuers(f"{place}: “{name}” must be a text")
    return value


def _texts(row: dict[str, Any], name: str, place: str) -> tuple[str, ...]:
    values = row.get(name, [])
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise InvalidIssuers(f"{place}: “{name}” must be a list of texts")
    return tuple(values)


def _yes_or_no(row: dict[str, Any], name: str, place: str) -> bool:
    value = row.get(name, False)
    if not isinstance(value, bool):
        raise InvalidIssuers(f"{place}: “{name}” must be true or false")
    return value


def _claims(row: dict[str, Any], place: str) -> Mapping[str, str]:
    claims = row.get("claims", {})
    if not isinstance(claims, dict) or not all(isinstance(name, str) for name in claims.values()):
        raise InvalidIssuers(f"{place}: “claims” must be an object of texts")
    unknown = sorted(claims.keys() - set(CLAIMS))
    if unknown:
        raise InvalidIssuers(f"{place}: “claims” has unknown keys: {', '.join(unknown)}")
    return MappingProxyType({**_DEFAULT_CLAIMS, **claims})


def _origin(url: str, place: str, allow_http: bool) -> str:
    """Return scheme, host and port of the URL. Raises InvalidIssuers."""
    origin = origin_of(url, schemes={"https", "http"} if allow_http else {"https"})
    if origin is None:
        needed = "https:// (http:// is for the demo only)"
        raise InvalidIssuers(f"{place}: {url!r} must be a plain address that begins with {needed}")
    return origin


def origin_of(url: str, *, schemes: Collection[str]) -> str | None:
    """Return scheme, host and port of a URL, or None for one that no endpoint may have."""
    if re.search(r"[\x00-\x20\x7f\\;,'\"]", url):
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in schemes or not parts.hostname or parts.username is not None:
        return None
    if parts.fragment:
        return None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}" + (f":{port}" if port else "")
