"""A partner's first hour: from an empty console to a customer who is free to buy."""

import re
from io import BytesIO

import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import Page

from association.models import Association
from partners.models import Invitation
from tests.browser.mails import newest_mail_to
from tests.browser.visitor import Visitor
from tests.factories import PartnerMemberFactory
from tests.scanning import scanned_text

pytestmark = pytest.mark.browser
ADDRESS = "first.customer@example.org"


def decoded(page: Page) -> str:
    """Return what a camera reads from a picture of the page."""
    picture = Image.open(BytesIO(page.screenshot(full_page=True)))
    [code] = zxingcpp.read_barcodes(picture)
    return str(code.text)


def go_to(colleague: Visitor, part: str, page: str) -> None:
    """Follow the console's own navigation."""
    navigation = colleague.page.get_by_role("navigation", name="Partner console")
    with colleague.page.expect_navigation():
        navigation.get_by_role("link", name=part, exact=True).click()
    colleague.look(page)


def make_a_link(colleague: Visitor, label: str) -> Invitation:
    colleague.follow("New link", "New link")
    colleague.press("Make the link", "New link", status=400, variant="empty")
    colleague.type("label", label)
    colleague.type("note", "All about the offer, on one sheet. " * 14)
    colleague.page.get_by_label("Reseller", exact=False).check()
    colleague.page.get_by_label("In 30 days", exact=True).check()
    colleague.press("Make the link", label, variant="new-invitation")
    return Invitation.objects.get(label=label)


def fits_on_paper(page):
    """Return whether the last line stands inside the sheet, however long the note is."""
    return page.evaluate(
        """() => {
          const paper = document.querySelector(".paper").getBoundingClientRect();
          const last = document.querySelector(".expiry").getBoundingClientRect();
          const first = document.querySelector(".paper > *").getBoundingClientRect();
          return paper.top < first.top && last.bottom < paper.bottom;
        }"""
    )


def test_first_hour_of_a_partner(new_visitor):
    boss = PartnerMemberFactory.create(administrator=True, partner__name="Nimbus")
    colleague = new_visitor(viewport={"width": 1280, "height": 900})
    colleague.open("/account/login/", "login")
    colleague.log_in(boss.user, "Overview", variant="first-steps")

    invitation = make_a_link(colleague, "Trade fair")
    assert colleague.page.get_by_label("Link", exact=True).input_value() == invitation.link
    assert decoded(colleague.page) == scanned_text(invitation)
    colleague.follow("A6", "Nimbus", variant="sheet-a6")
    assert colleague.reads("127.0.0.1")
    assert colleague.reads(invitation.grouped_token)
    assert fits_on_paper(colleague.page)
    assert decoded(colleague.page) == scanned_text(invitation)
    colleague.open(colleague.page.url.replace("a6", "a4"), "Nimbus", variant="sheet-a4")
    assert fits_on_paper(colleague.page)
    scanned = decoded(colleague.page)
    assert scanned == scanned_text(invitation)

    customer = new_visitor(viewport={"width": 390, "height": 844})
    customer.open(scanned, "landing", variant="scanned")
    customer.agree(invitation)
    customer.register(ADDRESS)
    customer.enable(variant="reseller")
    association = Association.objects.get()
    name = association.account.owner.account_name

    colleague.open("/partner/", "Overview", variant="waiting")
    assert colleague.reads("Customers waiting for a budget or to be unfrozen")
    colleague.follow(f"Set budget – {name}", "set-budget")
    colleague.type("amount", "1,500")
    colleague.press("Set the budget", "set-budget", status=400)
    assert colleague.page.locator("input[name=amount]").input_value() == "1,500"
    assert colleague.page.locator("input[name=unfreeze]").is_checked()
    colleague.type("amount", "1500.00")
    colleague.press("Set the budget", "customer", variant="unfrozen")
    assert association.account.freezes.open().count() == 0

    customer.follow("Go to My partner", "my-partner", variant="unfrozen")
    assert customer.reads("not frozen")
    assert customer.reads("0.00 USD of 1,500.00 USD used")
    assert newest_mail_to(ADDRESS).subject == "Your account is no longer frozen"

    go_to(colleague, "Overview", "Overview")
    assert colleague.reads("No customer waits for a budget or to be unfrozen.")
    for part in ("Invitations", "Requests", "History", "Customers", "Members"):
        heading = "Requests for an online invitation" if part == "Requests" else part
        go_to(colleague, part, heading)
    assert re.search(r"/partner/members/$", colleague.path)
