"""The types of what a call may contain. Texts are cleaned and checked as on the pages."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StrictInt
from pydantic_core import PydanticCustomError

from accounts.fields import CountryField, OthersEmailField
from accounts.services.fact_forms import NO_COUNTRY
from partners.forms.expiry import check_expiry
from partners.forms.presets import DomainsField
from partners.services.invitation_drafts import MOST_USES
from web.moments import read_moment
from web.random_ids import LONGEST_KEY
from web.text_fields import LineField, LinesField

# The id of an object as a parameter or in a body.
Id = Annotated[str, Field(pattern=rf"^[0-9]{{1,{LONGEST_KEY}}}$")]


class Input(BaseModel):
    """What a caller sends; a field that is not read is an error, not a surprise."""

    model_config = ConfigDict(extra="forbid")


def _without_defaults(schema: dict[str, Any]) -> None:
    for field in schema["properties"].values():
        field.pop("default", None)


class Changes(Input):
    """What a PATCH changes."""

    # Programs that are made from the document would send defaults, and so erase names.
    model_config = ConfigDict(json_schema_extra=_without_defaults)


class Output(BaseModel):
    """What a caller gets."""


def as_on_pages(field: forms.Field) -> AfterValidator:
    """Clean and check a text as this field of the pages does, with the same sentences."""

    def clean(text: Any) -> Any:
        try:
            return field.clean(text)
        except ValidationError as error:
            raise _invalid(error) from error

    return AfterValidator(clean)


def as_stored(field: "models.Field[Any, Any]") -> AfterValidator:
    """Check a value as this field of a model does."""

    def check(value: Any) -> Any:
        try:
            field.run_validators(value)
        except ValidationError as error:
            raise _invalid(error) from error
        return value

    return AfterValidator(check)


def _invalid(error: ValidationError) -> PydanticCustomError:
    first = error.error_list[0]
    return PydanticCustomError(first.code or "invalid", "{text}", {"text": first.messages[0]})


def as_country(field: forms.Field) -> AfterValidator:
    """Do the same for a country, with one sentence for every text that is none."""
    field.error_messages["invalid_choice"] = NO_COUNTRY
    return as_on_pages(field)


def _read_moment(value: Any) -> datetime:
    try:
        return read_moment(value if isinstance(value, str) else "")
    except ValueError as error:
        sentence = "Send a moment as RFC 3339 writes it, like 2026-12-31T18:00:00Z."
        raise PydanticCustomError("moment", "{text}", {"text": sentence}) from error


def _read_bool(value: Any) -> bool:
    if value not in ("true", "false"):
        raise PydanticCustomError("bool_parsing", "{text}", {"text": "Write true or false."})
    return bool(value == "true")


def misplaced(field: str, text: str) -> PydanticCustomError:
    """Return the error of a model that is about this field beside another one."""
    return PydanticCustomError("misplaced", "{text}", {"text": text, "field": field})


def _check_end(moment: datetime) -> datetime:
    try:
        check_expiry(moment, now=timezone.now())
    except ValidationError as error:
        raise _invalid(error) from error
    return moment


def _check_language(code: str) -> str:
    if code and code not in dict(settings.LANGUAGES):
        text = f"Send one of: {', '.join(dict(settings.LANGUAGES))}."
        raise PydanticCustomError("language", "{text}", {"text": text})
    return code


def _check_currency(currency: str) -> str:
    if currency != settings.CURRENCY:
        text = f"Amounts are in {settings.CURRENCY}."
        raise PydanticCustomError("currency", "{text}", {"text": text})
    return currency


def _check_storable(text: str) -> str:
    if "\0" in text:
        raise PydanticCustomError("null_characters", "{text}", {"text": "NUL cannot be stored."})
    return text


def _check_domains(domains: list[str]) -> list[str]:
    try:
        joined: str = DomainsField().clean(" ".join(domains))
    except ValidationError as error:
        raise _invalid(error) from error
    return joined.split()


# The length is only in the document: `as_country()` has the sentence.
COUNTRY: Any = Field(description="ISO 3166-1 alpha-2, like DE.", json_schema_extra={"maxLength": 2})
Label = Annotated[str, Field(min_length=1, max_length=120), as_on_pages(LineField(max_length=120))]
Name = Annotated[str, Field(max_length=120), as_on_pages(LineField(max_length=120, required=False))]
Reference = Annotated[
    str,
    Field(max_length=128, description="Your own key, a contract or customer number say."),
    as_on_pages(LineField(max_length=128, required=False)),
]
ReferenceFilter = Annotated[
    str,
    Field(min_length=1, max_length=128, description="Your own key, the whole of it."),
    as_on_pages(LineField(max_length=128)),
]
Note = Annotated[
    str, Field(max_length=500), as_on_pages(LinesField(max_length=500, required=False))
]
Reason = Annotated[
    str, Field(min_length=1, max_length=256), as_on_pages(LinesField(max_length=256))
]
OptionalReason = Annotated[
    str, Field(max_length=256), as_on_pages(LinesField(max_length=256, required=False))
]
Recipient = Annotated[str, Field(max_length=320), as_on_pages(OthersEmailField())]
Country = Annotated[str, COUNTRY, as_country(CountryField(required=False))]
Language = Annotated[str, Field(max_length=16), AfterValidator(_check_language)]
# As JSON writes it: pydantic would also read "no" and "1".
YesOrNo = Annotated[bool, BeforeValidator(_read_bool)]
Moment = Annotated[datetime, BeforeValidator(_read_moment)]
End = Annotated[Moment, AfterValidator(_check_end)]
Metadata = Annotated[
    dict[
        Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[A-Za-z0-9_.-]+$")],
        Annotated[str, Field(max_length=500), AfterValidator(_check_storable)],
    ],
    Field(max_length=20, description="Up to 20 texts of your own, which events repeat."),
]
Uses = Annotated[StrictInt, Field(ge=1, le=MOST_USES)]
Domains = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=253)]],
    Field(max_length=20),
    AfterValidator(_check_domains),
]
Currency = Annotated[str, Field(max_length=3), AfterValidator(_check_currency)]
Amount = Annotated[
    str, Field(pattern=r"^[0-9]{1,12}\.[0-9]{2}$", description="With two places, like 1500.00.")
]


class Money(Input):
    """An exact amount of money."""

    amount: Amount
    currency: Currency

    @property
    def value(self) -> Decimal:
        return Decimal(self.amount)


class MoneyShown(Output):
    """An exact amount of money."""

    amount: str
    currency: str

    @classmethod
    def of(cls, amount: Decimal) -> "MoneyShown":
        return cls(amount=f"{amount:.2f}", currency=settings.CURRENCY)
