"""The browser gets our style and icon, and asks nobody else for anything."""

import pytest
from playwright.sync_api import Page


@pytest.mark.browser
def test_a_page_is_styled_and_asks_nobody_else(page: Page, live_server):
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))

    page.goto(f"{live_server.url}/no-such-page")

    assert page.evaluate("document.styleSheets[0].cssRules.length") > 0
    assert {url for url in asked if not url.startswith(live_server.url)} == set()
