"""The list of countries is rendered once per language and says what Django's own would."""

import pytest
from django import forms
from django.test.html import parse_html
from django.utils import translation

from accounts.fields import CountrySelect, country_options, offered_countries
from accounts.forms import CountryAndEmailForm


def by_django(value, attrs):
    widget = forms.Select(choices=offered_countries)
    return widget.render("country", value, {"autocomplete": "country", **attrs})


@pytest.mark.parametrize("value", [None, "", "DE", "ZW", "XX", "de", '"><script>', "{}"])
@pytest.mark.parametrize("attrs", [{}, {"id": "id_country", "required": True, "aria-invalid": "x"}])
def test_list_is_the_one_that_django_renders(value, attrs):
    ours = CountrySelect(attrs={"autocomplete": "country"}, choices=offered_countries)
    rendered = ours.render("country", value, attrs)
    assert parse_html(rendered) == parse_html(by_django(value, attrs))


def test_each_form_selects_its_own_country():
    pages = [
        str(CountryAndEmailForm(initial={"country": code})["country"])
        for code in ("DE", "FR", "DE")
    ]
    assert [page.count(" selected") for page in pages] == [1, 1, 1]
    assert ['value="FR" selected' in page for page in pages] == [False, True, False]
    assert pages[0] == pages[2]


def test_each_language_has_its_own_list():
    with translation.override("de"):
        german = country_options("de")
        assert dict(offered_countries())["DE"] == "Deutschland"
    assert "Deutschland" in german
    assert "Deutschland" not in country_options("en")


def test_country_of_another_site_is_refused():
    form = CountryAndEmailForm({"country": "CN", "email": "a@example.org"})
    assert list(form.errors) == ["country"]
