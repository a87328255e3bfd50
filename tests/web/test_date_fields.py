"""Days and moments have ASCII digits, in every form, filter and import."""

from datetime import UTC, date, datetime, time
from itertools import product

import pytest
from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import models
from django.test import RequestFactory
from django.urls import reverse

from accounts.models import Bill
from accounts.services.fact_forms import FACT_FORMS
from association.forms.filters import DayField
from partners.forms.expiry import MomentField
from tests.conventions.sources import modules
from tests.factories.accounts import UserFactory
from tests.factories.partners import InvitationFactory, PartnerMemberFactory
from web.date_fields import DateField, DateTimeField, SplitDateTimeField, TimeField

# Arabic-Indic, Devanagari and full-width digits.
SCRIPTS = [0x0660, 0x0966, 0xFF10]
PLAIN = [
    (DateField, "2026-12-31", date(2026, 12, 31)),
    (TimeField, "18:05", time(18, 5)),
    (DateTimeField, "2026-12-31 18:05", datetime(2026, 12, 31, 18, 5, tzinfo=UTC)),
    (DateTimeField, "2026-12-31T18:05:00+02:00", datetime(2026, 12, 31, 16, 5, tzinfo=UTC)),
    (SplitDateTimeField, ["2026-12-31", "18:05"], datetime(2026, 12, 31, 18, 5, tzinfo=UTC)),
    (lambda: DayField(label="Day"), "2026-12-31", date(2026, 12, 31)),
    (MomentField, "2026-12-31T18:05", datetime(2026, 12, 31, 18, 5, tzinfo=UTC)),
]


def written_in(script, text):
    """Write the second digit, the only one of a day and time that Python reads in every script."""
    return text[0] + chr(script + int(text[1])) + text[2:]


def all_written_in(script, text):
    return "".join(chr(script + int(c)) if c.isdigit() else c for c in text)


@pytest.mark.parametrize(("make", "text", "value"), PLAIN)
def test_plain_digits_are_read(make, text, value):
    assert make().clean(text) == value


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize(("make", "text", "value"), PLAIN)
def test_digits_of_other_scripts_are_errors(make, text, value, script):
    parts = text if isinstance(text, list) else [text]
    for (number, part), write in product(enumerate(parts), (written_in, all_written_in)):
        strange = [*parts[:number], write(script, part), *parts[number + 1 :]]
        with pytest.raises(ValidationError) as error:
            make().clean(strange if isinstance(text, list) else strange[0])
        assert error.value.code in {"invalid", "invalid_date", "invalid_time"}


@pytest.mark.parametrize(
    ("field", "text"), [(forms.DateField, "2026-12-31"), (forms.DateTimeField, "2026-12-31 18:05")]
)
def test_fields_of_django_read_them(field, text):
    """The control: without our fields they are dates."""
    assert field().clean(written_in(SCRIPTS[0], text)) == field().clean(text)


@pytest.mark.django_db
def test_pages_refuse_them_and_keep_what_was_typed(client):
    boss = PartnerMemberFactory.create(administrator=True)
    client.force_login(boss.user)
    moment, day = written_in(0x0660, "2099-12-31T18:05"), written_in(0x0660, "2026-01-31")
    typed = {"label": "A", "association_type": "reseller", "expiry": "at", "expires_at": moment}
    refused = client.post(reverse("console_new_link"), typed)
    text = refused.content.decode()
    assert (refused.status_code, "Enter a date and a time like" in text, moment[:10] in text) == (
        400,
        True,
        True,
    )
    assert (
        "Enter a day like"
        in client.get(reverse("console_history"), {"since": day}).content.decode()
    )


@pytest.mark.django_db
def test_pages_of_the_admin_refuse_them(client):
    invitation = InvitationFactory.create()
    client.force_login(UserFactory.create(staff=True))
    page = reverse("admin:partners_invitation_change", args=[invitation.pk])
    data = {"expires_at_0": written_in(0x0660, "2099-12-31"), "expires_at_1": "18:05"}
    answer = client.post(page, data)
    assert (answer.status_code, data["expires_at_0"] in answer.content.decode()) == (400, True)
    assert "expires_at" in answer.context["adminform"].form.errors


@pytest.mark.django_db
@pytest.mark.parametrize(
    "query",
    ["created_at__year=٢٠٢٦", "created_at__year=2_026", "created_at__gte=٢٠٢٦-01-01"],
)
def test_filters_of_the_admin_ignore_them(client, query):
    client.force_login(UserFactory.create(staff=True))
    page = reverse("admin:partners_invitation_changelist")
    assert client.get(f"{page}?{query}")["Location"] == f"{page}?e=1"
    assert client.get(f"{page}?created_at__year=2026").status_code == 200


@pytest.mark.django_db
def test_imports_refuse_them():
    fields = {"issued_at": written_in(0x0660, "2026-01-31T09:00:00Z")}
    assert "issued_at" in FACT_FORMS[Bill._meta.model_name](fields).errors


@pytest.mark.django_db
def test_forms_of_the_admin_read_dates_like_the_others():
    request, found = RequestFactory().get("/"), set()
    request.user = UserFactory.create(staff=True)
    for model_admin in admin.site._registry.values():
        for field in model_admin.model._meta.get_fields():
            if isinstance(field, (models.DateField, models.TimeField)) and field.editable:
                found.add(type(model_admin.formfield_for_dbfield(field, request)))
    assert found == {DateField, SplitDateTimeField}


def test_no_form_uses_the_fields_of_django():
    of_django = ("forms.DateField", "forms.DateTimeField", "forms.TimeField", "forms.SplitDateTime")
    found = [file.name for file in modules() if any(name in file.read_text() for name in of_django)]
    assert sorted(found) == ["date_fields.py", "versioned_forms.py"]
