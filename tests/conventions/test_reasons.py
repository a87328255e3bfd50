"""Every form that asks for a reason says who will read it."""

from django import forms
from django.contrib import admin

from association.forms.endings import EndForm
from config import urls

# EndForm gets its sentence from its two views: the reader is the other side.
FROM_THE_VIEW = {EndForm}
# What a form adds, before the readers or after them.
ADDED = ("At most 256 characters.", "Why you unfreeze.", "The person who asked is not told.")
READERS = {
    "The provider's administrators read it in the audit trail. The partner does not.",
    "The provider's administrators read it in the history of the key.",
    "The provider's administrators read it in the history of the user. The user does not.",
    "The provider's administrators read it in the invitation's history. The partner does not.",
    "Kept in the history; the customer reads it.",
    "The customer and the partner read it.",
    "The customer reads it in an e-mail and under My partner.",
    "The members of the partner read it.",
    "The members of the partner read it in an e-mail. Its customers do not.",
    "The members of the partner read it, in the console and in an e-mail. Its customers do not.",
    "The owner of the account reads it, and so does the partner, if there is one.",
    "Your own people read it.",
    "Your partner reads it.",
}


def forms_of(kind: type[forms.Form]) -> set[type[forms.Form]]:
    found = set(kind.__subclasses__())
    return found.union(*(forms_of(one) for one in found)) if found else found


def asking() -> list[type[forms.Form]]:
    assert urls.urlpatterns
    assert admin.site._registry
    found = {form for form in forms_of(forms.Form) if "reason" in form.base_fields}
    return sorted(found - FROM_THE_VIEW, key=lambda form: form.__module__ + form.__name__)


def readers_in(text: str) -> str:
    for added in ADDED:
        text = text.replace(added, "")
    return text.strip()


def test_readers_of_each_reason_are_named() -> None:
    texts = [str(form.base_fields["reason"].help_text) for form in asking()]
    assert len(texts) >= 9
    assert {readers_in(text) for text in texts} == READERS
