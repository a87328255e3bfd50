"""Back, reload, double clicks, two tabs and bookmarks do no harm."""

import pytest

from accounts.models import User
from association.models import Association, Attempt
from tests.browser.mails import code_mailed_to
from tests.factories import PASSWORD, CustomerAccountFactory, InvitationFactory

pytestmark = pytest.mark.browser
ADDRESS = "new.customer@example.org"
STEPS = ("", "instructions", "account", "register", "ask", "check", "enable", "confirm", "done")


def test_the_back_button_is_harmless_after_every_step(visitor):
    invitation = InvitationFactory.create()

    visitor.arrive(invitation)
    visitor.agree(invitation)
    visitor.page.go_back()
    visitor.look("instructions", variant="again")
    visitor.tick("instructions")
    visitor.tick("letter_of_authorization")
    visitor.press("Agree and continue", "account", variant="link")
    visitor.ask_for_code(ADDRESS)
    visitor.page.go_back()
    visitor.look("code", variant="again")
    visitor.type("code", code_mailed_to(ADDRESS))
    visitor.type("password", PASSWORD)
    visitor.press("Register", "enable")
    visitor.page.go_back()
    visitor.look("enable")
    visitor.enable(variant="reseller")
    visitor.page.go_back()
    visitor.look("done", variant="reseller")

    assert Association.objects.count() == 1
    assert Association.objects.get().authorizations.count() == 1


def test_a_reload_shows_the_same_page(visitor):
    invitation = InvitationFactory.create()
    visitor.arrive(invitation)
    visitor.agree(invitation)
    visitor.ask_for_code(ADDRESS)
    visitor.page.reload()
    visitor.look("code")
    visitor.type("code", code_mailed_to(ADDRESS))
    visitor.type("password", PASSWORD)
    visitor.press("Register", "enable")
    visitor.page.reload()
    visitor.look("enable")
    visitor.enable(variant="reseller")
    visitor.page.reload()
    visitor.look("done", variant="reseller")

    assert (User.objects.count(), Association.objects.count()) == (1, 1)


def test_a_double_click_on_the_last_button_associates_once(visitor):
    account = CustomerAccountFactory.create(enabled=True)
    invitation = InvitationFactory.create(email=True, recipient=account.owner.email)
    visitor.come_as(account.owner, invitation, "confirm", variant="reseller")

    visitor.button("Associate").dblclick()
    visitor.page.wait_for_url("**/done")
    visitor.look("done", variant="reseller")

    assert Association.objects.count() == 1
    invitation.refresh_from_db()
    assert invitation.used_count == 1


def test_a_double_click_on_register_makes_one_account(visitor):
    invitation = InvitationFactory.create()
    visitor.arrive(invitation)
    visitor.agree(invitation)
    visitor.ask_for_code(ADDRESS)
    visitor.type("code", code_mailed_to(ADDRESS))
    visitor.type("password", PASSWORD)

    visitor.button("Register").dblclick()
    visitor.page.wait_for_url("**/enable")
    visitor.look("enable")

    assert User.objects.get().email == ADDRESS


def test_two_tabs_keep_their_invitations_apart(visitor):
    first, second = InvitationFactory.create_batch(2)
    visitor.arrive(first)
    visitor.agree(first)
    one = visitor.page
    two = visitor.new_tab()
    visitor.arrive(second)
    visitor.agree(second)
    assert Attempt.objects.count() == 2

    visitor.page = one
    visitor.register(ADDRESS)
    assert visitor.reads(first.partner.name)
    assert not visitor.reads(second.partner.name)

    visitor.page = two
    visitor.page.reload()
    visitor.look("account", variant="link-signed-in")
    owner = User.objects.get()
    visitor.press(f"Continue as {owner.email}", "enable")
    assert visitor.reads(second.partner.name)
    visitor.enable(variant="reseller")

    visitor.page = one
    visitor.tick("agreement")
    with visitor.page.expect_navigation():
        visitor.button("Enable and Associate").click()
    assert not visitor.reads("There is a problem")
    assert Association.objects.get().partner == second.partner


def test_every_bookmark_shows_the_result_after_completion(visitor):
    invitation = InvitationFactory.create()
    visitor.arrive(invitation)
    visitor.agree(invitation)
    visitor.register(ADDRESS)
    visitor.enable(variant="reseller")
    attempt = Attempt.objects.get()

    for step in STEPS:
        visitor.open(f"/join/{attempt.pk}/{step}", "done", variant="reseller")
    for page in ("", "/instructions", "/account"):
        visitor.page.goto(f"/i/{invitation.token}{page}")
        visitor.page.goto(visitor.page.url)
        assert visitor.page.get_by_role("button", name="Associate").count() == 0
    visitor.open(f"/i/{invitation.token}", "done", variant="reseller")

    assert Association.objects.count() == 1
