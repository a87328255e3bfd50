"""Ways out of refusals: each leads somewhere, or is a true sentence without a link."""

import html
import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from association.emails.advice import message_to_customer
from association.ending_words import OBSTACLE_TEXTS
from association.enums import MAY_END_TOO_LATE, Operation, RefusalCode
from association.models import Association, Attempt
from association.services.attempts import decide_attempt
from association.services.following_up import operation_for
from association.ways_out import WAITING_IS_TOO_LATE, WAYS_OUT, WAYS_TO_END, shown_way, way_out
from partners.models import Invitation
from tests.association.test_check import refused
from tests.factories import (
    BillFactory,
    ContractFactory,
    InvitationFactory,
    PartnerFactory,
    PartnerMemberFactory,
    ReservedInstanceFactory,
    make_associated,
)
from tests.journeys.walk import ready_attempt, walk_of
from tests.reading_mails import write
from tests.tables import tables
from web.checks import check_provider_contacts, check_support_is_named

pytestmark = pytest.mark.django_db

LINKS = {
    "PROVIDER_SUPPORT_URL": "https://support.provider.example/",
    "PROVIDER_CONSOLE_URL": "https://console.provider.example/",
    "PROVIDER_BILLING_URL": "https://billing.provider.example/",
    "PROVIDER_ENTERPRISE_URL": "https://enterprise.provider.example/",
}
LED_TO = {
    "unpaid_bills": ("Pay the bills", "PROVIDER_BILLING_URL"),
    "unified_accounting_member": ("Open the enterprise’s page", "PROVIDER_ENTERPRISE_URL"),
    "enterprise_member": ("Open the enterprise’s page", "PROVIDER_ENTERPRISE_URL"),
    "master_with_independent_members": ("Open the enterprise’s page", "PROVIDER_ENTERPRISE_URL"),
    "reserved_instances": ("Open the console of Example Cloud", "PROVIDER_CONSOLE_URL"),
    "registered_too_long": ("Contact the support of Example Cloud", "PROVIDER_SUPPORT_URL"),
    "cash_expenditure": ("Contact the support of Example Cloud", "PROVIDER_SUPPORT_URL"),
}


@pytest.fixture
def linked(settings):
    for name, url in LINKS.items():
        setattr(settings, name, url)


def links_of(response):
    """Return the text of each link to another host, or to a program, by its address."""
    found = re.findall(
        r'<a[^>]* href="([^"]*)"[^>]*>(.*?)</a>', response.content.decode(), re.DOTALL
    )
    outgoing = {url: html.unescape(re.sub(r"</?bdi>", "", text)).strip() for url, text in found}
    return {url: text for url, text in outgoing.items() if not url.startswith(("/", "#", "?"))}


def shown(walk):
    return html.unescape(walk.get("check").content.decode())


def test_every_refusal_has_a_way_out():
    assert list(WAYS_OUT) == list(RefusalCode)
    assert list(WAYS_TO_END) == list(OBSTACLE_TEXTS)


@pytest.mark.parametrize("code", LED_TO)
def test_link_leads_where_the_setting_says(linked, code):
    label, name = LED_TO[code]
    assert links_of(refused(code).get("check"))[LINKS[name]] == label


@pytest.mark.parametrize("code", LED_TO)
def test_without_the_setting_there_is_no_link_and_nothing_to_contact(code):
    walk = refused(code)
    page = walk.get("check")
    mailto = f"mailto:{walk.invitation.partner.support_email}"
    assert set(links_of(page)) == {mailto}
    assert "support of" not in page.content.decode()


def test_support_by_e_mail_is_a_link_too(settings):
    settings.PROVIDER_SUPPORT_EMAIL = "help@provider.example"
    links = links_of(refused("cash_expenditure").get("check"))
    assert links["mailto:help@provider.example"] == "Contact the support of Example Cloud"


def test_support_stands_in_for_a_page_that_no_setting_names(settings):
    settings.PROVIDER_SUPPORT_EMAIL = "help@provider.example"
    page = refused("unpaid_bills").get("check")
    assert "Pay the bills of Example Cloud, then check again." in page.content.decode()
    assert links_of(page)["mailto:help@provider.example"] == "Contact the support of Example Cloud"


def test_nothing_is_loaded_from_the_hosts_that_are_linked(linked):
    codes = [code for code in LED_TO if code != "enterprise_member"]
    page = refused(*codes).get("check")
    content = page.content.decode()
    for url in LINKS.values():
        assert content.count(url) == content.count(f'href="{url}"') > 0
        assert url not in page["Content-Security-Policy"]
    assert page["Referrer-Policy"] == "same-origin"


def test_partners_contact_is_offered_by_e_mail_and_telephone():
    walk = refused("cash_expenditure")
    partner = walk.invitation.partner
    partner.support_phone = "+49 30 1234"
    partner.save()
    links = links_of(walk.get("check"))
    assert links["tel:+49301234"] == "+49 30 1234"
    assert links[f"mailto:{partner.support_email}"] == partner.support_email


def test_customer_of_another_partner_is_led_to_the_page_that_ends_it():
    text = shown(refused("other_partner"))
    assert f'href="{reverse("my_end")}"' in text
    assert "Ask to end that association" in text


def test_customer_of_another_partner_reads_its_name_and_how_long_it_may_take():
    walk = refused("other_partner")
    other = Association.objects.get().partner
    text = shown(walk)
    assert f"Your account is associated with <bdi>{other.name}</bdi>." in text
    assert "associated with another partner" not in text
    assert "the other partner has 14 days to answer" in text
    assert "Your account can be associated until" in text


@pytest.mark.parametrize("code", ["registered_too_long", "cash_expenditure"])
def test_what_nobody_can_change_leads_to_a_new_account(code):
    walk = refused(code)
    text = shown(walk)
    assert walk.invitation.is_bound
    assert "has to send it to another one." in text
    assert 'value="register"' not in text
    assert operation_for(walk.attempt, code) == Operation.SEND_TO_OTHER_ADDRESS
    assert "If you have a question" in message_to_customer(walk.attempt)

    Invitation.objects.update(is_bound=False)
    text = shown(walk)
    assert "Register a new account, with another e-mail address, and follow this" in text
    assert text.count('value="register"') == 1
    walk = walk_of(Attempt.objects.get())
    assert operation_for(walk.attempt, code) == Operation.MESSAGE_CUSTOMER
    assert walk.invitation.link in message_to_customer(walk.attempt)


@pytest.mark.parametrize(("days", "is_too_late"), [(1, False), (8, True), (None, True)])
def test_message_and_page_say_alike_whether_waiting_helps(days, is_too_late):
    walk = refused()
    ends_at = None if days is None else timezone.now() + timedelta(days=days)
    ContractFactory.create(account=walk.attempt.account, effective_to=ends_at)
    decide_attempt(attempt=walk.attempt, now=timezone.now())
    for text in (shown(walk), message_to_customer(walk.attempt)):
        assert ("The contract does not end while your account can still join." in text) is (
            is_too_late
        )
        assert ("Check again when the contract has ended." in text) is not is_too_late


@pytest.mark.parametrize(
    ("days", "operation", "closing"),
    [
        (1, "Ask the customer to apply again when the contract has ended.", "Then open your "),
        (None, "The contract does not end while the account can still join.", "If you have a q"),
    ],
)
def test_console_and_message_say_alike_whether_waiting_helps(days, operation, closing):
    """The link of the invitation is only where opening it again can help."""
    walk = refused()
    attempt = walk.attempt
    ends_at = None if days is None else timezone.now() + timedelta(days=days)
    ContractFactory.create(account=attempt.account, effective_to=ends_at)
    decide_attempt(attempt=attempt, now=timezone.now())
    boss = PartnerMemberFactory.create(partner=walk.invitation.partner, administrator=True)
    client = Client()
    client.force_login(boss.user)

    page = client.get(f"/partner/history/{attempt.pk}/")
    email = write("association.customer_refused", attempt, {"codes": ["special_contract"]})

    for text in (page.content.decode(), email.text):
        assert text.count(operation) == 1
    assert message_to_customer(attempt).split("\n\n")[-2].startswith(closing)


def test_waiting_can_be_in_vain_for_what_ends_by_itself():
    assert set(WAITING_IS_TOO_LATE) == MAY_END_TOO_LATE


def test_mainland_account_on_a_link_registers_a_new_one_from_the_same_invitation():
    walk = refused("chinese_mainland_site", invitation=InvitationFactory.create(), registered=True)
    assert "Register a new account" in shown(walk)
    answer = walk.post("switch", choice="register")
    restarted = Attempt.objects.latest("started_at")
    assert restarted.pk != walk.attempt.pk
    assert (answer.status_code, answer["Location"]) == (303, f"/join/{restarted.pk}/register")
    assert restarted.invitation == walk.invitation
    assert walk.client.get(answer["Location"]).status_code == 200


def test_mainland_account_with_a_bound_invitation_asks_the_partner_to_send_it_elsewhere():
    walk = refused("chinese_mainland_site")
    boss = PartnerMemberFactory.create(partner=walk.invitation.partner, administrator=True)
    text = shown(walk)
    assert walk.invitation.is_bound
    assert "has to send it to another one." in text
    assert text.count("/check/tell") == 1
    assert 'value="register"' not in text
    assert walk.post("check/tell").status_code == 303

    client = Client()
    client.force_login(boss.user)
    page = client.get(f"/partner/history/{walk.attempt.pk}/").content.decode()
    path = f"{reverse('console_new_email')}?copy={walk.invitation.pk}"
    assert f'href="{path}">Send it to another address</a>' in page
    before = tables()
    form = client.get(path).context["form"]
    assert tables() == before
    assert form["note"].value() == walk.invitation.note
    assert form["association_type"].value() == walk.invitation.association_type
    assert (form["recipient"].value(), form["label"].value()) == (None, "")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("is_partner", "has to send it to the address of that account."),
        ("internal_account", "has to send it to the address of that account."),
        ("unified_accounting_member", "has to send it to the address of the master account."),
        ("enterprise_member", "has to send it to the address of the master account."),
    ],
)
def test_an_invitation_to_one_address_leads_no_other_account_in_a_circle(code, words):
    walk = refused(code)
    text = shown(walk)
    assert walk.invitation.is_bound
    assert words in text
    assert (text.count("/check/tell"), text.count("Use another account")) == (1, 0)


@pytest.mark.parametrize("code", ["is_partner", "internal_account", "unified_accounting_member"])
@pytest.mark.parametrize(
    ("is_bound", "operation"),
    [(True, Operation.SEND_TO_OTHER_ADDRESS), (False, Operation.MESSAGE_CUSTOMER)],
)
def test_the_partner_sends_it_to_the_other_account(code, is_bound, operation):
    walk = refused(code)
    Invitation.objects.update(is_bound=is_bound)
    assert shown(walk)
    assert operation_for(walk.attempt, code) == operation


def test_another_account_is_one_button_whatever_refuses():
    walk = refused("is_partner", "internal_account")
    Invitation.objects.update(is_bound=False)
    assert shown(walk).count("Use another account") == 1


def test_mainland_account_with_an_unbound_invitation_registers_a_new_one():
    walk = refused("chinese_mainland_site")
    Invitation.objects.update(is_bound=False)
    assert 'value="register"' in shown(walk)
    walk.attempt.refresh_from_db()
    assert operation_for(walk.attempt, "chinese_mainland_site") == Operation.MESSAGE_CUSTOMER


def test_another_partners_invitation_is_not_copied(client):
    client.force_login(PartnerMemberFactory.create(administrator=True).user)
    others = InvitationFactory.create(email=True)
    assert client.get(reverse("console_new_email"), {"copy": others.pk}).status_code == 404
    assert client.get(reverse("console_new_email"), {"copy": "x"}).status_code == 404


def test_what_stands_in_the_way_of_ending_has_the_same_links(client, linked):
    association = make_associated()
    client.force_login(association.account.owner)
    assert set(LINKS.values()).isdisjoint(links_of(client.get(reverse("my_end"))))
    BillFactory.create(account=association.account)
    ReservedInstanceFactory.create(account=association.account)
    links = links_of(client.get(reverse("my_end")))
    assert links[LINKS["PROVIDER_BILLING_URL"]] == "Pay the bills"
    assert links[LINKS["PROVIDER_CONSOLE_URL"]] == "Open the console of Example Cloud"


def test_message_that_the_partner_sends_has_the_same_words(linked):
    walk = refused("unpaid_bills", "other_partner")
    text = message_to_customer(walk.attempt)
    for code in ("unpaid_bills", "other_partner"):
        way = shown_way(way_out(code, is_bound=True), walk.invitation.partner)
        assert str(way["text"]) in text
    assert f"Pay the bills: {LINKS['PROVIDER_BILLING_URL']}" in text
    end = f"{settings.PUBLIC_BASE_URL}{reverse('my_end')}"
    assert f"Ask to end that association: {end}" in text


@pytest.mark.parametrize(
    ("support", "help_text"),
    [
        ("", "Need help? Ask Example Cloud."),
        (
            "https://support.provider.example/",
            'Need help? <a href="https://support.provider.example/">'
            "Contact the support of Example Cloud</a>",
        ),
    ],
)
def test_console_names_support_only_where_there_is_one(client, settings, support, help_text):
    settings.PROVIDER_SUPPORT_URL = support
    client.force_login(PartnerMemberFactory.create(administrator=True).user)
    page = client.get(reverse("console_overview")).content.decode()
    [shown] = re.findall(r'<div class="help">\s*<p>(.*?)</p>', page, re.DOTALL)
    assert " ".join(shown.split()) == help_text


@pytest.mark.parametrize(
    ("name", "value", "is_wrong"),
    [
        ("PROVIDER_BILLING_URL", "https://billing.provider.example/pay?x=1", False),
        ("PROVIDER_BILLING_URL", "http://10.0.0.1:8000/", False),
        ("PROVIDER_BILLING_URL", "javascript:alert(1)", True),
        ("PROVIDER_SUPPORT_URL", "support.provider.example", True),
        ("PROVIDER_SUPPORT_EMAIL", "help@provider.example", False),
        ("PROVIDER_SUPPORT_EMAIL", "mailto:help@provider.example", True),
        ("PROVIDER_PRIVACY_EMAIL", "privacy", True),
    ],
)
def test_setting_to_which_no_link_can_lead_is_an_error(settings, name, value, is_wrong):
    setattr(settings, name, value)
    found = [(error.id, name in error.msg) for error in check_provider_contacts(None)]
    assert found == ([("web.E002", True)] if is_wrong else [])


@pytest.mark.parametrize("name", ["PROVIDER_SUPPORT_URL", "PROVIDER_SUPPORT_EMAIL"])
def test_a_provider_without_support_is_a_warning(settings, name):
    settings.PROVIDER_SUPPORT_URL = settings.PROVIDER_SUPPORT_EMAIL = ""
    assert [warning.id for warning in check_support_is_named(None)] == ["web.W004"]
    setattr(settings, name, "https://help.example/")
    assert check_support_is_named(None) == []


def test_links_of_a_page_are_found():
    """The control: the search finds a link with other attributes before its address."""
    walk = walk_of(ready_attempt())
    assert any(url.startswith("mailto:") for url in links_of(walk.get("confirm")))
    assert PartnerFactory.build().support_email
