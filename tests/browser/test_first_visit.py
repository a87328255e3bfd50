"""What a first visit costs a phone, and what it is served."""

import gzip
import re
from io import BytesIO
from typing import Any

import pytest
from django.utils import timezone
from PIL import Image

from partners.services.logos import LARGEST_PICTURE, DrawnLogo, draw_logo, set_logo
from tests.factories import InvitationFactory, PartnerFactory

pytestmark = pytest.mark.browser
# What fits into the first round trip of a fresh connection.
FIRST_VISIT = 14_336


@pytest.fixture
def traffic(visitor) -> list[tuple[str, int]]:
    """Every request of the visitor with its bytes as they came over the line, headers included."""
    session = visitor.context.new_cdp_session(visitor.page)
    addresses: dict[str, str] = {}
    seen: list[tuple[str, int]] = []

    def sent(event: dict[str, Any]) -> None:
        addresses[event["requestId"]] = event["request"]["url"].removeprefix(visitor.site)

    def finished(event: dict[str, Any]) -> None:
        seen.append((addresses[event["requestId"]], round(event["encodedDataLength"])))

    session.on("Network.requestWillBeSent", sent)
    session.on("Network.loadingFinished", finished)
    session.send("Network.enable")
    return seen


def heavy_logo() -> DrawnLogo:
    """Return a logo whose picture is nearly as large as one may be."""
    file = BytesIO()
    Image.effect_noise((320, 96), 60).resize((160, 48)).save(file, "PNG")
    logo = draw_logo(file=file.getvalue())
    assert len(logo.picture) > 0.9 * LARGEST_PICTURE
    return logo


def weight(traffic: list[tuple[str, int]]) -> int:
    return sum(size for _, size in traffic)


def saved_by_compression(visitor) -> int:
    """Return how much lighter the page would be behind a proxy that compresses."""
    body = visitor.answers[-1].body()
    return len(body) - len(gzip.compress(body))


def test_a_first_visit_fits_into_one_round_trip(visitor, traffic):
    invitation = InvitationFactory.create(note="Welcome aboard. " * 20, max_uses=5)
    set_logo(partner=invitation.partner, logo=heavy_logo(), by=None, now=timezone.now())

    visitor.page.goto(f"/i/{invitation.token}")
    visitor.page.wait_for_load_state("networkidle")
    saved = saved_by_compression(visitor)
    logo_path = invitation.partner.logo_path
    logo = dict(traffic)[logo_path]
    assert weight(traffic) - saved <= FIRST_VISIT, (traffic, saved)

    # Without the logo also together with the next page.
    with visitor.page.expect_navigation():
        visitor.page.get_by_role("link", name="Continue").click()
    visitor.page.wait_for_load_state("networkidle")
    saved += saved_by_compression(visitor)
    # The browser had it already.
    assert [size for address, size in traffic if address == logo_path] == [logo, 0]
    assert weight(traffic) - saved - logo <= FIRST_VISIT, (traffic, saved)


def test_style_and_icon_are_named_by_what_they_hold_and_compressed(visitor):
    answers = {}
    visitor.page.on("response", lambda answer: answers.update({answer.url: answer}))

    visitor.arrive(InvitationFactory.create())

    styles = [answer for url, answer in answers.items() if url.endswith(".css")]
    assert len(styles) == 1
    assert re.search(r"/static/css/site\.[0-9a-f]{12}\.css$", styles[0].url)
    headers = styles[0].all_headers()
    assert headers["content-encoding"] in {"gzip", "br"}
    assert "immutable" in headers["cache-control"]
    assert "set-cookie" not in headers
    assert visitor.page.evaluate("document.styleSheets[0].cssRules.length") > 100


def test_continue_is_in_the_first_screen_of_a_phone(visitor):
    partner = PartnerFactory.create(name="Nordlicht Systems")
    set_logo(partner=partner, logo=heavy_logo(), by=None, now=timezone.now())
    note = "Thank you for your call. " * 20
    visitor.arrive(InvitationFactory.create(partner=partner, note=note))

    box = visitor.page.get_by_role("link", name="Continue").bounding_box()

    assert box["y"] + box["height"] <= 844


def test_the_landing_page_leaves_no_cookie_and_tells_no_referrer_abroad(visitor):
    visitor.arrive(InvitationFactory.create())

    assert visitor.context.cookies() == []
    assert visitor.answers[-1].all_headers()["referrer-policy"] == "same-origin"


def test_the_pages_read_from_right_to_left(visitor):
    invitation = InvitationFactory.create()
    visitor.page.route("**/i/*", mirrored)
    visitor.page.goto(f"/i/{invitation.token}")
    for width in (320, 1280):
        visitor.page.set_viewport_size({"width": width, "height": 844})
        overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert visitor.page.evaluate(overflow) == 0
        numbers = visitor.page.locator(".steps li").first.evaluate(
            "element => getComputedStyle(element).paddingRight"
        )
        assert numbers == "44px"


def mirrored(route):
    """Answer with the page's direction turned round, as a language such as Arabic has it."""
    answer = route.fetch()
    route.fulfill(response=answer, body=answer.text().replace('dir="ltr"', 'dir="rtl"', 1))
