"""Codes that are not sent: what the page says, until when, and which code still works."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from association.models import Attempt
from tests.browser.mails import code_mailed_to, deliver
from tests.factories import PASSWORD, InvitationFactory

pytestmark = pytest.mark.browser
ADDRESS = "new.customer@example.org"
PHONE = {"viewport": {"width": 390, "height": 844}}
JUST_NOW = re.compile(
    r"No new code: one went to this address (just now|\d+ seconds? ago);"
    r" the next is possible in \d+ seconds?\."
)


@pytest.fixture
def invitation():
    return InvitationFactory.create()


def go_to_register(visitor, invitation):
    visitor.arrive(invitation)
    visitor.agree(invitation)
    visitor.press("Register for Association", "register")
    visitor.page.locator("select[name=country]").select_option("DE")
    visitor.type("email", ADDRESS)


def says_no_new_code(visitor, sentence):
    """Assert that the page says why none was sent, and the header until when."""
    assert re.search(sentence, visitor.page.locator("main [role=alert]").inner_text())
    assert int(visitor.answers[-1].headers["retry-after"]) > 0


def register_with_code(visitor):
    visitor.type("code", code_mailed_to(ADDRESS))
    visitor.type("password", PASSWORD)
    visitor.press("Register", "enable")


def mails():
    deliver()
    return [found for found in mail.outbox if found.to == [ADDRESS]]


def test_the_same_link_is_scanned_twice_within_a_minute(new_visitor, invitation):
    first, second = new_visitor(**PHONE), new_visitor(**PHONE)
    go_to_register(first, invitation)
    first.press("Send code", "code")
    go_to_register(second, invitation)
    second.press("Send code", "register", status=429, variant="just-now")

    says_no_new_code(second, JUST_NOW)
    assert not second.reads("on its way")
    assert second.page.locator("[name=email]").input_value() == ADDRESS
    assert second.page.locator("[name=country]").input_value() == "DE"
    assert len(mails()) == 1
    register_with_code(first)
    assert Attempt.objects.filter(account__isnull=False).count() == 1


def test_a_new_code_too_early_and_five_within_the_hour(visitor, invitation, time_machine):
    # Near midnight the next code would be possible on another day, and the page names it.
    noon = (timezone.now() + timedelta(days=1)).replace(hour=12)
    time_machine.move_to(noon, tick=True)
    go_to_register(visitor, invitation)
    visitor.press("Send code", "code")
    visitor.press("Send a new code", "code", status=429)
    says_no_new_code(visitor, JUST_NOW)
    assert visitor.reads("and on its way")
    assert len(mails()) == 1

    for number in range(2, 6):
        time_machine.shift(timedelta(seconds=61))
        visitor.press("Send a new code", "code")
        assert len(mails()) == number
    time_machine.shift(timedelta(seconds=61))
    visitor.press("Send a new code", "code", status=429)
    says_no_new_code(
        visitor, r"No new code: 5 within the hour; the next is possible at \d\d:\d\d UTC\."
    )
    assert len(mails()) == 5
    register_with_code(visitor)


def test_a_password_reset_comes_between(new_visitor, invitation):
    phone, desk = new_visitor(**PHONE), new_visitor(**PHONE)
    desk.open("/account/password/reset/", "reset")
    desk.type("email", ADDRESS)
    desk.press("Send code", "Set a new password")
    go_to_register(phone, invitation)
    phone.press("Send code", "register", status=429, variant="just-now")
    says_no_new_code(phone, JUST_NOW)
    desk.press("Send a new code", "Set a new password", status=429)
    says_no_new_code(desk, JUST_NOW)
    assert len(mails()) == 1
