"""Every field for text cleans what is typed: each form, the admin's too, uses one of ours."""

import inspect
from importlib import import_module

import pytest
from django import forms
from django.contrib import admin
from django.test import RequestFactory

from tests.conventions.sources import ROOT, modules
from tests.factories.accounts import UserFactory
from web.text_fields import AddressField, CodeTextField, LineField, LinesField

CLEANING = (LineField, LinesField, AddressField, CodeTextField)
# By form and field: why the text is used as it was sent.
EXCEPTIONS = {
    "accounts.forms.MailboxForm.login": "hidden: the server wrote it",
    "accounts.forms.MailboxForm.next": "hidden: the server wrote it",
    "accounts.forms.MailboxForm.ticket": "hidden: the server wrote it",
    "accounts.forms.SecondFactorForm.code": "allauth's field, which is replaced",
    "partners.forms.emails.ManyEmailsForm.people": "a list, whose cells are cleaned one by one",
    "LegalDocument.body": "CommonMark, in which blanks have a meaning",
    "Partner.slug": "ASCII letters, digits and hyphens only",
}


def is_text(field):
    # Passwords count byte by byte; identifiers are parsed.
    is_other = isinstance(field.widget, forms.PasswordInput) or isinstance(field, forms.UUIDField)
    return isinstance(field, forms.CharField) and not is_other


def forms_of_the_project():
    for path in modules():
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        if "forms" not in path.read_text() or name.endswith("migrations"):
            continue
        module = import_module(name)
        for _name, found in inspect.getmembers(module, inspect.isclass):
            # The admin gives model forms their fields; see below.
            is_own = found.__module__ == name and not issubclass(found, forms.BaseModelForm)
            if is_own and issubclass(found, forms.BaseForm):
                yield f"{name}.{found.__name__}", found


def test_every_text_field_of_a_form_cleans_what_is_typed():
    texts = {
        f"{name}.{field_name}": field
        for name, form in forms_of_the_project()
        for field_name, field in form.base_fields.items()
        if is_text(field)
    }
    raw = {name for name, field in texts.items() if not isinstance(field, CLEANING)}
    assert len(texts) > 30
    assert raw == {name for name in EXCEPTIONS if ".forms." in name}


@pytest.mark.django_db
def test_every_text_field_of_the_admin_cleans_what_is_typed():
    request = RequestFactory().get("/")
    request.user = UserFactory.create(staff=True)
    editable = [
        (model, model_admin)
        for model, model_admin in admin.site._registry.items()
        if model_admin.has_add_permission(request) or model_admin.has_change_permission(request)
    ]
    texts = {
        f"{model.__name__}.{name}": field
        for model, model_admin in editable
        for name, field in model_admin.get_form(request).base_fields.items()
        if is_text(field)
    }
    raw = {name for name, field in texts.items() if not isinstance(field, CLEANING)}
    assert len(texts) > 20
    assert raw == {name for name in EXCEPTIONS if ".forms." not in name}
