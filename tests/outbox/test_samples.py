"""The examples of e-mails: every kind has one, and it says who speaks and where answers go."""

import inspect
from importlib import import_module

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from outbox.models import OutboxMessage
from outbox.services.rendering import Email, build_email
from outbox.services.samples import all_samples, write_sample
from tests.factories import UserFactory
from tests.tables import tables

pytestmark = pytest.mark.django_db

APPS = ("accounts", "partners", "association", "integration")
PROVIDER, PARTNER = "Example Cloud", "Nimbus"
ADDRESSES = {PROVIDER: "help@cloud.example", PARTNER: "support@nimbus.example"}
SPEAKERS = {
    "accounts.verification_code": PROVIDER,
    "accounts.already_registered": PROVIDER,
    "accounts.password_reset_code": PROVIDER,
    "accounts.password_reset_unknown": PROVIDER,
    "accounts.log_in_code": PROVIDER,
    "accounts.log_in_unknown": PROVIDER,
    "accounts.registered": PROVIDER,
    "accounts.password_changed": PROVIDER,
    "accounts.second_factor_changed": PROVIDER,
    "accounts.connected_login_changed": PROVIDER,
    "accounts.reset_link": PROVIDER,
    "accounts.failed_logins": PROVIDER,
    "partners.invitation": PARTNER,
    "partners.invitation_requested": PROVIDER,
    "partners.digest": PROVIDER,
    "partners.member_invitation": PARTNER,
    "partners.frozen": PROVIDER,
    "partners.unfrozen": PROVIDER,
    "association.associated": PARTNER,
    "association.resume": PARTNER,
    "association.resume_reminder": PARTNER,
    "association.reminder": PARTNER,
    "association.advice": PARTNER,
    "association.customer_waiting": PROVIDER,
    "association.customer_refused": PROVIDER,
    "association.frozen": PARTNER,
    "association.customer_frozen": PROVIDER,
    "association.unfrozen": PARTNER,
    "association.customer_unfrozen": PROVIDER,
    "association.customer_budget_alert": PROVIDER,
    "association.budget_alert": PARTNER,
    "association.budget_requested": PROVIDER,
    "association.authorization_requested": PARTNER,
    "association.authorization_decided": PROVIDER,
    "association.end_requested": PARTNER,
    "association.customer_end_requested": PROVIDER,
    "association.end_withdrawn": PARTNER,
    "association.customer_end_withdrawn": PROVIDER,
    "association.end_declined": PARTNER,
    "association.customer_end_declined": PROVIDER,
    "association.ended": PROVIDER,
    "association.customer_ended": PROVIDER,
    "integration.endpoint_failing": PROVIDER,
    "integration.endpoint_disabled": PROVIDER,
}


def kinds_of(app: str) -> set[str]:
    """Return the kinds that an app can write: functions that make an e-mail of a message alone."""
    functions = vars(import_module(f"{app}.emails")).items()
    return {
        f"{app}.{name}"
        for name, function in functions
        if not name.startswith("_")
        and inspect.isfunction(function)
        and function.__module__.startswith(f"{app}.emails")
        and list(inspect.signature(function).parameters) == ["message"]
    }


def written(kind: str) -> tuple[OutboxMessage, Email]:
    now = timezone.now()
    return write_sample(all_samples(now=now)[kind], now=now)


def test_every_kind_has_an_example():
    kinds = {kind for app in APPS for kind in kinds_of(app)}

    assert set(all_samples(now=timezone.now())) == kinds == set(SPEAKERS)


def test_answers_go_to_who_speaks(settings):
    settings.PROVIDER_SUPPORT_EMAIL = ADDRESSES[PROVIDER]
    emails = {kind: written(kind) for kind in SPEAKERS}

    assert {kind: email.speaker.name for kind, (_message, email) in emails.items()} == SPEAKERS
    answers = {kind: build_email(*email).message()["Reply-To"] for kind, email in emails.items()}
    assert answers == {kind: ADDRESSES[speaker] for kind, speaker in SPEAKERS.items()}


@pytest.mark.parametrize("address", ["", "not an address", "a@x.org\r\nBcc: b@x.org"])
def test_without_an_address_no_answer_is_asked_for(address, settings):
    settings.PROVIDER_SUPPORT_EMAIL = address
    built = build_email(*written("accounts.registered")).message()

    assert (built["Reply-To"], built["Bcc"]) == (None, None)


def page(name: str, *args: str) -> str:
    return reverse(f"admin:{name}", args=args)


@pytest.fixture
def superuser(client):
    client.force_login(UserFactory.create(staff=True))
    return client


def test_examples_are_listed_and_write_nothing(superuser):
    before = tables()

    response = superuser.get(page("email_samples"))

    assert [row["sample"].kind for row in response.context["samples"]] == list(SPEAKERS)
    assert tables() == before


# An example has moments of now, in minutes.
@time_machine.travel("2026-03-04T10:20:30Z", tick=False)
def test_example_is_shown_with_text_and_html(superuser):
    for kind in SPEAKERS:
        _message, email = written(kind)

        shown = superuser.get(page("email_sample", kind))
        document = superuser.get(page("email_sample_html", kind))

        assert (shown.status_code, shown.context["title"]) == (200, email.subject)
        assert shown.context["text"] == email.text
        assert document.content.decode() == email.html
        assert "sandbox" in document["Content-Security-Policy"]


def test_unknown_kind_is_not_found(superuser):
    assert superuser.get(page("email_sample", "no.such_kind")).status_code == 404
    assert superuser.get(page("email_sample_html", "settings.SECRET_KEY")).status_code == 404


def test_staff_without_the_permission_sees_no_example(client):
    client.force_login(UserFactory.create(is_staff=True))

    for address in (page("email_samples"), page("email_sample", "accounts.registered")):
        assert client.get(address).status_code == 403
