"""Forms that validate one imported fact, with their fields taken from the fact's model.

All values but true and false are text in quotes, so that no float rounds an amount.
"""

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar, NamedTuple

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.forms.models import fields_for_model
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_countries.fields import CountryField

from accounts import models as facts
from accounts.models.customers import LONGEST_EXTERNAL_ID
from accounts.models.facts import Fact
from web.email_addresses import InvalidAddress, canonical_address
from web.moments import read_moment
from web.text_fields import KeyField, LineField

# What a line of the kind "account" may change.
ACCOUNT_FIELDS = (
    "account_type",
    "registration_site",
    "country",
    "registered_at",
    "services_enabled_at",
    "is_internal",
    "tax_id",
)
# Ends the name of a field that names an account by the provider's own key: account_external_id.
EXTERNAL_ID = "_external_id"
NO_COUNTRY = gettext_lazy("Write a country code of two capital letters.")
# By which a fact is known.
_FACT_KEY = ("source", "external_id")
_AMOUNT = re.compile(r"-?[0-9]+(\.[0-9]{1,2})?")


class AccountKey(NamedTuple):
    """How a line names an account: by the provider's own key, or by account name or address."""

    text: str
    is_external_id: bool


@dataclass(frozen=True, slots=True)
class AccountUpdate:
    """What a line of the kind "account" changes; fields that it does not give stay as they are."""

    account_id: int
    values: dict[str, Any]
    # Another line may say the same.
    line: int = dataclasses.field(compare=False)


class _Amount(forms.DecimalField):
    default_error_messages = {
        "invalid": gettext_lazy('Write an amount with at most two decimal places, like "12.50".')
    }

    def clean(self, value: Any) -> Any:
        # Decimal itself would also read "1e3" and the digits of other scripts.
        if isinstance(value, str) and not _AMOUNT.fullmatch(value):
            raise ValidationError(self.error_messages["invalid"])
        amount = super().clean(value)
        return None if amount is None else amount.quantize(Decimal("0.01"))


class _Moment(forms.Field):
    def to_python(self, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        try:
            # Databases export a blank in place of the T.
            return read_moment(value.replace(" ", "T", 1))
        except ValueError as error:
            text = _('Write a moment with its time zone, like "2026-01-31T09:00:00Z".')
            raise ValidationError(text) from error


class _AccountName(LineField):
    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        try:
            return canonical_address(text) if "@" in text else text.lower()
        except InvalidAddress as error:
            raise ValidationError(_("Write an account name or an e-mail address.")) from error


class _ExternalId(KeyField):
    """The provider's own key of an account."""


def _validate_characters(text: str) -> None:
    # JSON can write half of a surrogate pair, which no database stores.
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise ValidationError(_("The text has an invalid character."))


_EXTERNAL_ID_FIELD = _ExternalId(max_length=LONGEST_EXTERNAL_ID, validators=[_validate_characters])


def _form_field(field: Any, **_options: Any) -> Any:
    """Return the form field for a field of a model. Null fields may be left out."""
    is_optional = field.null or field.blank
    options: dict[str, Any] = {"required": not is_optional, "widget": forms.TextInput}
    invalid: Any
    match field:
        case models.AutoField():
            return None
        case models.ForeignKey():
            return _AccountName(max_length=254, validators=[_validate_characters])
        case models.DecimalField():
            return field.formfield(form_class=_Amount, **options)
        case models.DateTimeField():
            return _Moment(validators=field.validators, **options)
        case models.BooleanField():
            return forms.Field(**options)
        case CountryField():
            invalid = NO_COUNTRY
        case models.CharField(choices=None):
            form_class = KeyField if field.name in _FACT_KEY else LineField
            return field.formfield(
                form_class=form_class, validators=[_validate_characters], **options
            )
        case _:
            codes = ", ".join(str(code) for code, _name in field.choices)
            invalid = format_lazy(gettext_lazy("Write one of: {codes}."), codes=codes)
    return field.formfield(error_messages={"invalid_choice": invalid}, **options)


class FactForm(forms.Form):
    """Validates the fields of one fact; `fact_form()` adds those of its model."""

    model: ClassVar[type[Fact]]
    # The number of the line that gives the fields.
    line = 0

    def __init__(self, data: Mapping[str, Any]) -> None:
        # Django copies the fields for each form, over half of the time of an import.
        self.base_fields = {}  # type: ignore[misc]
        super().__init__(data)
        self.fields = dict(type(self).base_fields)
        for name, field in type(self).base_fields.items():
            if isinstance(field, _AccountName) and name + EXTERNAL_ID in data:
                self.fields[name + EXTERNAL_ID] = _EXTERNAL_ID_FIELD
                if name not in data:
                    del self.fields[name]

    def clean(self) -> None:
        for name in [name for name in self.fields if name + EXTERNAL_ID in self.fields]:
            text = _("Name the account by %(name)s or by %(key)s, not by both.")
            self.add_error(name, text % {"name": name, "key": name + EXTERNAL_ID})
        for name in self.cleaned_data.keys() & self.data.keys():
            value, is_bool = self.data[name], type(self.fields[name]) is forms.Field
            if value is not None and not isinstance(value, bool if is_bool else str):
                expected = _("Write true or false.") if is_bool else _("Write text in quotes.")
                self.add_error(name, expected)
        self.check_together()

    def check_together(self) -> None:
        """Add what the model finds wrong with the fields that are valid."""
        own = {field.name for field in self.model._meta.fields if not field.is_relation}
        values = {name: value for name, value in self.cleaned_data.items() if name in own}
        try:
            self.model(**values).clean()
        except ValidationError as error:
            self.add_error(None, error)

    def unknown_fields(self) -> list[str]:
        """Return the fields that this kind does not have, each with 40 characters at most."""
        return [name[:40] for name in sorted(self.data.keys() - self.fields.keys())]

    def account_keys(self) -> dict[str, AccountKey]:
        """Return how the line names its accounts, by each field that does and is valid."""
        self.is_valid()
        return {
            name: AccountKey(self.cleaned_data[name], isinstance(field, _ExternalId))
            for name, field in self.fields.items()
            if isinstance(field, _AccountName | _ExternalId) and name in self.cleaned_data
        }

    def row(self, accounts: Mapping[str, int]) -> Any:
        """Return what the line gives; `accounts` has the keys of the fields `account_keys()`."""
        values = {name: value for name, value in self.cleaned_data.items() if name not in accounts}
        keys = {f"{name.removesuffix(EXTERNAL_ID)}_id": pk for name, pk in accounts.items()}
        return self.model(**values, **keys)


def fact_form(model: type[Fact]) -> type[FactForm]:
    """Return the form for one kind of fact."""
    fields = fields_for_model(model, formfield_callback=_form_field)
    return type(f"{model.__name__}Form", (FactForm,), {**fields, "model": model})


class AccountForm(fact_form(Fact)):  # type: ignore[misc]
    """Validates what a line says about the account itself; each field may be left out."""

    locals().update(
        fields_for_model(facts.Bill, ["account"], formfield_callback=_form_field)
        | fields_for_model(facts.CustomerAccount, ACCOUNT_FIELDS, formfield_callback=_form_field)
    )

    def __init__(self, data: Mapping[str, Any]) -> None:
        super().__init__(data)
        for name in set(ACCOUNT_FIELDS) - data.keys():
            del self.fields[name]

    def check_together(self) -> None:
        """Leave that to `row()`, which knows the account."""

    def row(self, accounts: Mapping[str, int]) -> AccountUpdate:
        [account] = accounts.values()
        values = {name: self.cleaned_data[name] for name in ACCOUNT_FIELDS if name in self.fields}
        if "services_enabled_at" in values:
            enabled_at = values["services_enabled_at"]
            facts.CustomerAccount(pk=account, services_enabled_at=enabled_at).clean()
        return AccountUpdate(account, values, self.line)


FACT_FORMS: Mapping[str, type[FactForm]] = {
    "contract": fact_form(facts.Contract),
    "bill": fact_form(facts.Bill),
    "cash_expenditure": fact_form(facts.CashExpenditure),
    "reserved_instance": fact_form(facts.ReservedInstance),
    "enterprise_relation": fact_form(facts.EnterpriseRelation),
    "coupon": fact_form(facts.Coupon),
    "resource": fact_form(facts.Resource),
}
