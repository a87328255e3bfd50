"""Typed from paper, without JavaScript, by keyboard alone; and forms that say what is wrong."""

import pytest

from accounts.models import User
from association.models import Association
from partners.tokens import grouped_token
from tests.browser.mails import code_mailed_to
from tests.browser.visitor import Visitor
from tests.factories import PASSWORD, InvitationFactory

pytestmark = pytest.mark.browser
ADDRESS = "new.customer@example.org"


@pytest.mark.parametrize("typed", [str.lower, str.upper, grouped_token, lambda t: f" {t}- "])
def test_a_token_typed_by_hand_opens_the_invitation(visitor, typed):
    invitation = InvitationFactory.create()

    visitor.open("/join/", "by-hand")
    visitor.press("Open the invitation", "by-hand", status=400)
    visitor.type("token", "0000")
    visitor.press("Open the invitation", "by-hand", status=400)
    visitor.type("token", typed(invitation.token))
    visitor.press("Open the invitation", "landing", variant="reseller-link")

    assert visitor.path == f"/i/{invitation.token}"


def test_a_qr_codes_upper_case_link_opens_the_invitation(visitor):
    invitation = InvitationFactory.create()
    visitor.open(f"/I/{invitation.token.upper()}", "landing", variant="reseller-link")
    assert visitor.path == f"/I/{invitation.token.upper()}"
    visitor.agree(invitation)


def test_the_journey_needs_no_javascript(new_visitor):
    visitor = new_visitor(java_script_enabled=False)
    invitation = InvitationFactory.create()

    visitor.arrive(invitation)
    visitor.follow("Continue", "instructions")
    visitor.press("Agree and continue", "instructions", status=400)
    visitor.tick("instructions")
    visitor.press("Agree and continue", "account", variant="link")
    visitor.ask_for_code(ADDRESS)
    assert visitor.page.get_by_role("button", name="Show the password").count() == 0
    visitor.type("code", code_mailed_to(ADDRESS))
    visitor.type("password", PASSWORD)
    visitor.press("Register", "enable")
    visitor.enable(variant="reseller")

    assert Association.objects.get().account.owner.email == ADDRESS


def tab_to(visitor: Visitor, selector: str) -> None:
    """Press Tab until the focus, which must be seen all the way, is there."""
    target = visitor.page.locator(selector)
    for _ in range(40):
        visitor.page.keyboard.press("Tab")
        outline = "getComputedStyle(document.activeElement).outlineStyle"
        assert visitor.page.evaluate(outline) != "none"
        if target.evaluate("element => element === document.activeElement"):
            return
    pytest.fail(f"Tab does not reach {selector}")


def hit(visitor: Visitor, key: str, page: str, *, status: int = 200, variant: str = "") -> None:
    with visitor.page.expect_navigation():
        visitor.page.keyboard.press(key)
    visitor.look(page, status=status, variant=variant)


def test_the_journey_needs_no_mouse(new_visitor):
    visitor = new_visitor(viewport={"width": 1280, "height": 900})
    keyboard = visitor.page.keyboard
    visitor.arrive(InvitationFactory.create())

    tab_to(visitor, "a.button")
    hit(visitor, "Enter", "instructions")
    tab_to(visitor, "[name=instructions]")
    keyboard.press("Space")
    tab_to(visitor, "[name=letter_of_authorization]")
    keyboard.press("Space")
    hit(visitor, "Enter", "account", variant="link")
    tab_to(visitor, "[value=register]")
    hit(visitor, "Enter", "register")
    tab_to(visitor, "[name=country]")
    keyboard.type("Germany")
    tab_to(visitor, "[name=email]")
    keyboard.type(ADDRESS)
    hit(visitor, "Enter", "code")
    tab_to(visitor, "[name=code]")
    keyboard.type(code_mailed_to(ADDRESS))
    tab_to(visitor, "[name=password]")
    keyboard.type(PASSWORD)
    hit(visitor, "Enter", "enable")
    tab_to(visitor, "[name=agreement]")
    keyboard.press("Space")
    tab_to(visitor, "button:has-text('Enable and Associate')")
    hit(visitor, "Enter", "done", variant="reseller")

    association = Association.objects.get()
    assert association.account.country == "DE"
    assert association.authorizations.get().state == "granted"


def test_the_first_tab_leads_past_the_header(visitor):
    visitor.arrive(InvitationFactory.create())
    visitor.page.keyboard.press("Tab")
    visitor.page.keyboard.press("Enter")

    assert visitor.page.evaluate("document.activeElement.id") == "main"


def test_forms_say_what_is_wrong_and_keep_what_was_typed(visitor):
    visitor.arrive(InvitationFactory.create())
    visitor.follow("Continue", "instructions")
    visitor.press("Agree and continue", "instructions", status=400)
    visitor.page.get_by_role("link", name="Agree to the instructions to go on.").click()
    assert visitor.page.evaluate("document.activeElement.name") == "instructions"
    visitor.tick("instructions")
    visitor.press("Agree and continue", "account", variant="link")
    visitor.press("Register for Association", "register")

    visitor.type("email", "nonsense@")
    visitor.press("Send code", "register", status=400)
    email = visitor.page.locator("[name=email]")
    assert email.input_value() == "nonsense@"
    assert email.get_attribute("aria-invalid") == "true"
    described = email.get_attribute("aria-describedby").split()
    words = visitor.page.locator(f"#{described[-1]}").inner_text()
    assert (
        words.removeprefix("Error:").strip() in visitor.page.locator(".error-summary").inner_text()
    )
    visitor.page.locator("select[name=country]").select_option("DE")
    visitor.type("email", ADDRESS)
    visitor.press("Send code", "code")

    visitor.type("code", "000")
    visitor.type("password", "short")
    visitor.press("Register", "code", status=400)
    assert visitor.page.locator("[name=code]").input_value() == ""
    assert visitor.page.locator("[name=password]").input_value() == ""
    visitor.press("Change the address", "register", variant="changed")
    assert email.input_value() == ADDRESS
    assert not User.objects.exists()


def test_the_password_can_be_shown(visitor):
    invitation = InvitationFactory.create()
    visitor.arrive(invitation)
    visitor.agree(invitation)
    visitor.ask_for_code(ADDRESS)
    password = visitor.page.locator("[name=password]")
    password.fill(PASSWORD)
    assert password.get_attribute("type") == "password"
    visitor.page.get_by_role("button", name="Show the password").click()
    assert password.get_attribute("type") == "text"
    visitor.page.get_by_role("button", name="Hide the password").click()
    assert password.get_attribute("type") == "password"


def test_a_code_with_blanks_and_hyphens_is_understood(visitor):
    invitation = InvitationFactory.create()
    visitor.arrive(invitation)
    visitor.agree(invitation)
    visitor.ask_for_code(ADDRESS)
    code = code_mailed_to(ADDRESS)
    visitor.type("code", f" {code[:3]}-{code[3:]} ")
    visitor.type("password", PASSWORD)
    visitor.press("Register", "enable")
