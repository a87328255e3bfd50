"""Reading a file of facts: one line of JSON at a time, in constant memory, each fully checked."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import IO, TYPE_CHECKING, Any

from django.db import models
from django.utils.translation import gettext as _
from django_countries import countries
from django_countries.fields import CountryField

from accounts.models import (
    Bill,
    CashExpenditure,
    Contract,
    Coupon,
    CustomerAccount,
    EnterpriseRelation,
    ReservedInstance,
    Resource,
    Spending,
)
from accounts.models.facts import Fact
from web.email_addresses import InvalidAddress, canonical_address

if TYPE_CHECKING:
    from collections.abc import Sequence

LONGEST_LINE = 64 * 1024
_BOM = b"\xef\xbb\xbf"

FACTS: Mapping[str, type[Fact]] = {
    "contract": Contract,
    "bill": Bill,
    "cash_expenditure": CashExpenditure,
    "reserved_instance": ReservedInstance,
    "enterprise_relation": EnterpriseRelation,
    "coupon": Coupon,
    "resource": Resource,
}
ACCOUNT = "account"
# Counts against budgets, so it has a command of its own that watches them.
SPENDING = "spending"
# What is known about an account itself; a field that is not named stays as it is.
ACCOUNT_FIELDS = (
    "account_type",
    "registration_site",
    "country",
    "registered_at",
    "services_enabled_at",
    "is_internal",
)


class BrokenLine(Exception):
    """The line cannot be imported; `reason` is a sentence that says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class FactLine:
    """A line that is well formed; whether its accounts exist is not known yet.

    `accounts` maps the field to the account's name or canonical address.
    """

    number: int
    kind: str
    source: str
    external_id: str
    accounts: dict[str, str]
    values: dict[str, Any]

    @property
    def key(self) -> tuple[str, str, str]:
        """What may stand in a file once."""
        return self.kind, self.source, self.external_id


def read_lines(file: IO[bytes]) -> Iterator[tuple[int, bytes | None]]:
    """Yield the number and bytes of each line that is not empty; None for one that is too long."""
    number = 0
    while line := file.readline(LONGEST_LINE + 1):
        number += 1
        content = line.rstrip(b"\r\n")
        if len(content) > LONGEST_LINE or (len(line) > LONGEST_LINE and line[-1:] != b"\n"):
            while line and line[-1:] != b"\n":
                line = file.readline(LONGEST_LINE)
            yield number, None
        elif content.strip():
            yield number, content


def parse_line(number: int, content: bytes | None) -> FactLine:
    """Return what the line says. Raises BrokenLine with the first thing that is wrong with it."""
    fields = _object(content)
    kind = _text(fields, "kind", 40)
    if kind == SPENDING:
        raise BrokenLine(_("Spending counts against budgets: use record_spending."))
    if kind != ACCOUNT and kind not in FACTS:
        known = ", ".join([*FACTS, ACCOUNT])
        raise BrokenLine(_("Unknown kind. Known kinds: %(known)s.") % {"known": known})
    return _line(number, kind, fields)


def parse_spending(number: int, content: bytes | None) -> FactLine:
    """Return what a line of spending says; its kind may be left out. Raises BrokenLine."""
    fields = _object(content)
    if fields.pop("kind", SPENDING) != SPENDING:
        raise BrokenLine(_("Only spending is recorded here: use import_facts."))
    return _line(number, SPENDING, fields)


def _line(number: int, kind: str, fields: dict[str, Any]) -> FactLine:
    source, external_id = _text(fields, "source", 40), _text(fields, "external_id", 120)
    accounts = _accounts(fields, kind)
    model: type[models.Model] = CustomerAccount if kind == ACCOUNT else model_of(kind)
    names = ACCOUNT_FIELDS if kind == ACCOUNT else fact_fields(model_of(kind))
    values = {
        name: _value(fields.pop(name), name, model._meta.get_field(name))
        for name in names
        if name in fields
    }
    if fields:
        unknown = ", ".join(sorted(str(name)[:40] for name in fields))
        raise BrokenLine(_("Unknown fields: %(names)s.") % {"names": _printable(unknown)})
    if kind != ACCOUNT:
        _complete(values, model_of(kind))
    return FactLine(number, kind, source, external_id, accounts, values)


def model_of(kind: str) -> type[Fact]:
    """Return the model of a kind of fact."""
    return Spending if kind == SPENDING else FACTS[kind]


def fact_fields(model: type[Fact]) -> "Sequence[str]":
    """Return the fields of a fact that a line gives, besides its key and its accounts."""
    return [
        field.name
        for field in model._meta.fields
        if not field.primary_key
        and not field.is_relation
        and field.name not in ("source", "external_id")
    ]


def account_fields(kind: str) -> "Sequence[str]":
    """Return the fields that name accounts."""
    return ("master", "member") if kind == "enterprise_relation" else ("account",)


def _complete(values: dict[str, Any], model: type[Fact]) -> None:
    """Fill what may be left out with nothing; what may not must be there."""
    for name in fact_fields(model):
        if name in values:
            continue
        if not model._meta.get_field(name).null:
            raise BrokenLine(_("%(name)s is missing.") % {"name": name})
        values[name] = None


def _object(content: bytes | None) -> dict[str, Any]:
    if content is None:
        raise BrokenLine(_("The line is longer than %(most)d bytes.") % {"most": LONGEST_LINE})
    if content.startswith(_BOM):
        raise BrokenLine(_("The line begins with a byte order mark. Save the file without one."))
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BrokenLine(_("The line is not UTF-8.")) from error
    if "\0" in text:
        raise BrokenLine(_("The line holds a NUL character."))
    try:
        fields = json.loads(
            text,
            object_pairs_hook=_without_repetition,
            parse_constant=_no_constant,
            parse_float=_Float,
        )
    except (ValueError, RecursionError) as error:
        raise BrokenLine(_("The line is not JSON.")) from error
    if not isinstance(fields, dict):
        raise BrokenLine(_("The line is not a JSON object."))
    return fields


class _Float(str):
    """A number with a fraction as it was written; nowhere accepted, but told apart."""

    __slots__ = ()


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise BrokenLine(
                _("The field %(name)s stands there twice.") % {"name": _printable(name[:40])}
            )
        found[name] = value
    return found


def _no_constant(name: str) -> None:
    raise BrokenLine(_("%(name)s is not a value.") % {"name": name})


def _printable(text: str) -> str:
    """Return the text with what cannot be seen written as an escape; it goes to a terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _accounts(fields: dict[str, Any], kind: str) -> dict[str, str]:
    names = account_fields(kind)
    if kind == "enterprise_relation" and "member" not in fields and "account" in fields:
        fields["member"] = fields.pop("account")
    accounts = {name: _account(_text(fields, name, 254)) for name in names}
    if len(names) > 1 and len(set(accounts.values())) == 1:
        raise BrokenLine(_("master and member are the same account."))
    return accounts


def _account(text: str) -> str:
    """Return the account name, or the canonical form of the address."""
    if "@" not in text:
        return text.lower()
    try:
        return canonical_address(text)
    except InvalidAddress as error:
        raise BrokenLine(_("The account is not given by a name or an e-mail address.")) from error


def _text(fields: dict[str, Any], name: str, longest: int) -> str:
    """Take a required text out of the fields."""
    if name not in fields:
        raise BrokenLine(_("%(name)s is missing.") % {"name": name})
    return _text_value(fields.pop(name), name, longest)


def _text_value(value: Any, name: str, longest: int) -> str:
    if not isinstance(value, str) or isinstance(value, _Float):
        raise BrokenLine(_("%(name)s must be text in quotes.") % {"name": name})
    if not value.strip() or len(value) > longest:
        raise BrokenLine(
            _("%(name)s must have 1 to %(most)d characters.") % {"name": name, "most": longest}
        )
    if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
        raise BrokenLine(_("%(name)s holds a character that is none.") % {"name": name})
    return value


def _value(value: Any, name: str, field: Any) -> Any:
    if value is None and field.null:
        return None
    for kind, read in READERS:
        if isinstance(field, kind):
            return read(value, name, field)
    raise NotImplementedError(name)


def _money(value: Any, name: str, field: Any) -> Decimal:
    """An amount with at most two places, written as text: no float ever rounds it."""
    whole, point, places = value.partition(".") if isinstance(value, str) else ("", "", "")
    digits = whole.removeprefix("-")
    plain = digits.isascii() and digits.isdigit() and not isinstance(value, _Float)
    fine = not point or (len(places) in (1, 2) and places.isascii() and places.isdigit())
    if not plain or not fine:
        raise BrokenLine(
            _('%(name)s must be an amount in quotes with at most two places, like "12.50".')
            % {"name": name}
        )
    if len(digits.lstrip("0")) > field.max_digits - field.decimal_places:
        raise BrokenLine(_("%(name)s is too large.") % {"name": name})
    return Decimal(value).quantize(Decimal("0.01"))


def _moment(value: Any, name: str, _field: Any) -> datetime:
    """A moment with its zone, kept in UTC."""
    text = _text_value(value, name, 40)
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise BrokenLine(
                _('%(name)s has no time zone. Write it like "2026-01-31T09:00:00Z".')
                % {"name": name}
            )
        return moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise BrokenLine(
            _('%(name)s is not a moment. Write it like "2026-01-31T09:00:00Z".') % {"name": name}
        ) from error


def _choice(value: Any, name: str, field: Any) -> str:
    text = _text_value(value, name, field.max_length)
    if field.choices and text not in dict(field.choices):
        known = ", ".join(str(choice) for choice in dict(field.choices))
        raise BrokenLine(_("%(name)s must be one of: %(known)s.") % {"name": name, "known": known})
    return text


def _country(value: Any, name: str, _field: Any) -> str:
    text = _text_value(value, name, 2)
    if text not in countries:
        raise BrokenLine(_("%(name)s must be a country code of two letters.") % {"name": name})
    return text


def _yes_or_no(value: Any, name: str, _field: Any) -> bool:
    if not isinstance(value, bool):
        raise BrokenLine(_("%(name)s must be true or false.") % {"name": name})
    return value


# Which function reads a field; the first that fits.
READERS: "tuple[tuple[type[models.Field[Any, Any]], Callable[[Any, str, Any], Any]], ...]" = (
    (models.DecimalField, _money),
    (models.DateTimeField, _moment),
    (models.BooleanField, _yes_or_no),
    (CountryField, _country),
    (models.CharField, _choice),
)
