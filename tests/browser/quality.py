"""What every page must hold to, whoever opens it; and a picture of it to look at.

The dear checks run once per page and process. With PICTURES=folder each page is painted as well,
at two widths, in light and dark.
"""

import os
from pathlib import Path
from typing import Any, Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

PICTURES = os.environ.get("PICTURES")
# Every rule of axe, and the one about the size of targets, which has to be asked for.
AXE = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}
# What a finger has to hit; links within sentences are measured by axe.
SMALL_TARGETS = """
  () => [...document.querySelectorAll(".button, input, select, summary, .back a, .languages a")]
    .filter(element => element.type !== "hidden" && element.checkVisibility())
    .map(element => [element, element.closest(".choice, label") ?? element])
    .map(([element, target]) => [element.outerHTML.slice(0, 80), target.getBoundingClientRect()])
    .filter(([, box]) => box.height < 44 || box.width < 24)
    .map(([html, box]) => `${html}: ${box.width} × ${box.height}`)
"""
OVERFLOW = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"

_checked: set[str] = set()


def check_page(page: Page, name: str, *, scripts: bool = True) -> None:
    """Hold the page against what is cheap to ask, and once against everything."""
    assert page.locator("h1").count() == 1
    assert page.locator("main").count() == 1
    assert page.locator("html").get_attribute("lang") == "en"
    has_errors = page.locator(".error-summary").count() == 1
    assert page.title().startswith("Error: ") == has_errors
    assert page.title().endswith(" – Example Cloud")
    if has_errors and scripts:
        assert page.evaluate("document.activeElement.className") == "error-summary"
    if name not in _checked and scripts:
        _checked.add(name)
        check_thoroughly(page, name)


def check_thoroughly(page: Page, name: str) -> None:
    """Measure the page at every width, and ask axe about it: wide and dark, narrow and light."""
    window = page.viewport_size
    found: dict[str, Any] = {}
    page.evaluate(Axe().axe_script)
    for width, scheme in ((320, "light"), (390, "light"), (1280, "dark")):
        resize(page, width, scheme)
        found[f"overflow at {width}"] = page.evaluate(OVERFLOW)
        found[f"small targets at {width}"] = page.evaluate(SMALL_TARGETS)
        if width != 320:
            found[f"axe at {width}, {scheme}"] = axe_findings(page)
            picture(page, f"{name}-{width}-{scheme}")
    if PICTURES:
        resize(page, 390, "dark")
        picture(page, f"{name}-390-dark")
        resize(page, 1280, "light")
        picture(page, f"{name}-1280-light")
    if window:
        resize(page, window["width"], "light")
    assert {what: findings for what, findings in found.items() if findings} == {}


def resize(page: Page, width: int, scheme: Literal["light", "dark"]) -> None:
    """Make the window so wide, in these colours."""
    page.set_viewport_size({"width": width, "height": 844})
    page.emulate_media(color_scheme=scheme)


def axe_findings(page: Page) -> list[str]:
    """Return what axe, which the page has loaded, finds: the rule, and where."""
    violations = page.evaluate("options => axe.run(options)", AXE)["violations"]
    return [
        f"{violation['id']}: {node['html'][:120]} {node['failureSummary']}"
        for violation in violations
        for node in violation["nodes"]
    ]


def picture(page: Page, name: str) -> None:
    """Keep a picture of the whole page, if pictures were asked for."""
    if PICTURES:
        page.screenshot(path=Path(PICTURES, f"{name}.png"), full_page=True)
