"""Every form that asks for a reason says who will read it."""

from typing import Any

from django import forms
from django.contrib import admin

from association.forms.endings import EndForm
from config import urls

# EndForm gets its sentence from its two views: the reader is the other side.
FROM_THE_VIEW = {EndForm}


def forms_of(kind: type[forms.Form]) -> set[type[forms.Form]]:
    found = set(kind.__subclasses__())
    return found.union(*(forms_of(one) for one in found)) if found else found


def asking() -> list[type[forms.Form]]:
    assert urls.urlpatterns
    assert admin.site._registry
    found = {form for form in forms_of(forms.Form) if "reason" in form.base_fields}
    return sorted(found - FROM_THE_VIEW, key=lambda form: form.__module__ + form.__name__)


def test_readers_of_each_reason_are_named() -> None:
    found: dict[Any, str] = {form: str(form.base_fields["reason"].help_text) for form in asking()}
    assert len(found) >= 9
    assert [form for form, text in found.items() if " read" not in text] == []
