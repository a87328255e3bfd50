"""How much of a list stands on a screen: two lines a row, however long the words are."""

from typing import Any

import pytest
from django.urls import reverse

from tests import factories

pytestmark = pytest.mark.browser

LONGEST_ROW, HEADER_ON_A_PHONE = 56, 112
LISTS = ("console_invitations", "console_customers", "console_history", "console_members")
LONG = "Gesellschaft für Wärmeschutz und Gebäudetechnik in Norddeutschland " * 2
HEIGHTS = "rows => rows.map(row => row.getBoundingClientRect().height)"
# How far the table reaches beyond what is shown of it.
CUT = "regions => regions.map(region => region.scrollWidth - region.clientWidth)"
HEADER = "() => document.querySelector('main').getBoundingClientRect().top"


@pytest.fixture
def boss() -> Any:
    """An administrator whose lists have the longest words in them."""
    make: Any = factories
    boss = make.PartnerMemberFactory(
        administrator=True,
        user__email="maximiliane.hohenzollern-sigmaringen@vertrieb.nimbus-partner.example",
    )
    offer = {"partner": boss.partner, "created_by": boss.user, "label": LONG[:120]}
    link = make.InvitationFactory(**offer, max_uses=1_000_000)
    mailed = make.InvitationFactory(
        **offer, email=True, customer_name=LONG[:120], reference="R" * 128, max_uses=1
    )
    batch = make.InvitationBatchFactory(
        partner=boss.partner, created_by=boss.user, label=LONG[:110], done_count=1
    )
    make.InvitationFactory(**offer, batch=batch)
    make.make_associated(invitation=mailed)
    make.make_associated(invitation=link)
    make.AttemptFactory(invitation=link, entered=True, refused=True)
    return boss


def test_rows_have_two_lines_and_nothing_is_cut_at_1280(new_visitor, boss):
    colleague = new_visitor(viewport={"width": 1280, "height": 900})
    colleague.open("/account/login/", "login")
    colleague.log_in(boss.user, "Overview", variant="density")
    for name in LISTS:
        colleague.open(reverse(name), "[^<]+", variant=f"dense {name}")
        page = colleague.page
        heights = page.locator("tbody tr").evaluate_all(HEIGHTS)
        assert heights, name
        assert max(heights) <= LONGEST_ROW, name
        assert max(page.locator(".scroll").evaluate_all(CUT)) <= 1, name


def test_header_and_navigation_leave_the_screen_to_the_page_on_a_phone(new_visitor, boss):
    colleague = new_visitor(viewport={"width": 390, "height": 844})
    colleague.open("/account/login/", "login")
    colleague.log_in(boss.user, "Overview", variant="density on a phone")
    for name in LISTS:
        colleague.open(reverse(name), "[^<]+", variant=f"{name} on a phone")
        assert colleague.page.evaluate(HEADER) <= HEADER_ON_A_PHONE, name
