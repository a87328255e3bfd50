"""Numbers are ASCII digits: what only a program would write is an error, in every form."""

import pytest
from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import models
from django.test import RequestFactory
from django.urls import reverse

from partners.forms.budgets import AmountField
from tests.conventions.sources import modules
from tests.factories.accounts import UserFactory
from tests.factories.partners import PartnerMemberFactory
from web.number_fields import DecimalNumberField, WholeNumberField

STRANGE = [
    "1_0",
    "\u0661\u0660",
    "\uff11\uff10",
    "0x10",
    "1e1",
    "1 0",
    "+-1",
    "nan",
    "Infinity",
    "--1",
    "1__0",
]
FIELDS = [WholeNumberField, DecimalNumberField]


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("text", STRANGE)
def test_strange_numbers_are_errors(field, text):
    with pytest.raises(ValidationError):
        field().clean(text)


@pytest.mark.parametrize("field", [forms.IntegerField, forms.DecimalField])
def test_fields_of_django_accept_them(field):
    """The control: without our fields `1_0` is ten."""
    assert field().clean("1_0") == 10


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize(("text", "number"), [("10", 10), (" 007 ", 7), ("-3", -3), ("+3", 3)])
def test_plain_numbers_are_read(field, text, number):
    assert field().clean(text) == number


def test_decimal_point_is_read():
    assert [str(DecimalNumberField().clean(text)) for text in ("1.50", ".5", "2.")] == [
        "1.50", "0.5", "2",
    ]  # fmt: skip


AMOUNTS = {
    "12,5": "12.5",
    "12,50": "12.50",
    "12.5": "12.5",
    "1500": "1500",
    "1500,00": "1500.00",
    "1 500": "1500",
    "1\N{NO-BREAK SPACE}500,00": "1500.00",
    "1\N{NARROW NO-BREAK SPACE}500\N{NARROW NO-BREAK SPACE}000,5": "1500000.5",
    "1\N{RIGHT SINGLE QUOTATION MARK}500.50": "1500.50",
    "1'500,00": "1500.00",
    "1.500,00": "1500.00",
    "1,500.00": "1500.00",
    "1,500,000": "1500000",
    "1.500.000": "1500000",
    ",5": "0.5",
    "\u200e12,5\u200f": "12.5",
    "\N{NO-BREAK SPACE}7\t": "7",
}
WHOLE_OR_CENTS = {
    "1,500": ("1500", "1.50"),
    "1.500": ("1500", "1.50"),
    "12,345": ("12345", "12.34"),
    "\u22121,500": ("-1500", "-1.50"),
}
NO_AMOUNTS = [
    *("1,50.00", "1 50", "15 00", "12,500,00", "1,500 000", "1 500.000", "1,500.", "2,", ","),
    *("$5", "5 USD", "5 €", "1.2.3", "1,,5", "- 5", "5-"),
]


@pytest.mark.parametrize(("typed", "number"), AMOUNTS.items())
def test_amount_is_read_as_people_write_it(typed, number):
    assert str(AmountField().clean(typed)) == number
    assert str(DecimalNumberField().clean(typed)) == number


@pytest.mark.parametrize(("typed", "readings"), WHOLE_OR_CENTS.items())
def test_amount_with_two_readings_names_both(typed, readings):
    with pytest.raises(ValidationError) as error:
        AmountField().clean(typed)
    assert error.value.messages == [
        "This can be read in two ways. Write {} for a whole number, or {} if the last digits are"
        " cents.".format(*readings)
    ]


@pytest.mark.parametrize("typed", NO_AMOUNTS)
def test_what_has_no_sure_reading_is_refused(typed):
    with pytest.raises(ValidationError) as error:
        AmountField().clean(typed)
    assert error.value.messages == [
        "Enter the amount in digits, like 1500.00, without a currency or a sign."
    ]


def test_phones_show_digits_for_amounts():
    assert 'inputmode="decimal"' in DecimalNumberField().widget.render("amount", None)
    assert 'type="text"' in AmountField().widget.render("amount", None)


def test_empty_is_no_number():
    assert WholeNumberField(required=False).clean("") is None
    with pytest.raises(ValidationError):
        WholeNumberField().clean(" ")


@pytest.mark.django_db
def test_pages_refuse_or_ignore_them(client):
    boss = PartnerMemberFactory.create(administrator=True)
    client.force_login(boss.user)
    typed = {"label": "A", "association_type": "reseller", "expiry": "never", "max_uses": "1_0"}
    refused = client.post(reverse("console_new_link"), typed)
    assert (refused.status_code, "Enter a whole number of uses." in refused.content.decode()) == (
        400,
        True,
    )
    assert client.get(reverse("console_invitations"), {"batch": "1_0"}).status_code < 500


@pytest.mark.django_db
def test_admin_knows_an_object_by_its_exact_key_only(client):
    user = UserFactory.create(pk=10)
    client.force_login(UserFactory.create(staff=True))
    page = reverse("admin:accounts_user_change", args=[user.pk])
    assert client.get(page).status_code == 200
    for strange in ("1_0", "\u0661\u0660", " 10", "+10", "010"):
        assert client.get(page.replace("/10/", f"/{strange}/")).status_code == 302


@pytest.mark.django_db
def test_forms_of_the_admin_read_numbers_like_the_others(admin_user_request):
    found = set()
    for model_admin in admin.site._registry.values():
        for field in model_admin.model._meta.get_fields():
            if isinstance(field, (models.IntegerField, models.DecimalField)) and field.editable:
                form_field = model_admin.formfield_for_dbfield(field, admin_user_request)
                if isinstance(form_field, (forms.IntegerField, forms.DecimalField)):
                    found.add(type(form_field))
    assert found <= {WholeNumberField, DecimalNumberField, AmountField}
    assert found


@pytest.fixture
def admin_user_request():
    request = RequestFactory().get("/")
    request.user = UserFactory.create(staff=True)
    return request


def test_no_form_uses_the_fields_of_django():
    own = {"number_fields.py", "budgets.py", "fact_forms.py", "fact_schemas.py", "pages.py"}
    found = [
        file
        for file in modules()
        if file.name not in own
        and ("forms.IntegerField" in file.read_text() or "forms.DecimalField" in file.read_text())
    ]
    assert found == []
