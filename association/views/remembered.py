"""Pages that many strangers see alike: drawn once, remembered in this process, filled for each.

A remembered page is drawn without the request, from the very values that it is remembered by: so
it is fresh whenever they are, and holds nothing of the first visitor. What is each visitor's own
goes into holes; it is put in escaped, once, and never read again for more holes.

Measured on 2026-11-28: a remembered landing page is 1,331 Python calls and 0.9 ms, a rendered one
10,946 and 4.7 ms. `benchmarks/pages.py` measures it.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from django.conf import settings
from django.core.signals import setting_changed
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.html import conditional_escape

from partners.tokens import new_token
from web.context_processors import query_without_language, site_context
from web.cookies import has_personal_cookie

MOST_REMEMBERED = 512
Shown = tuple[tuple[str, Any], ...]


class Page(NamedTuple):
    """A drawn page: its text, with the name of a hole at every second place."""

    parts: list[str]

    def filled(self, own: Mapping[str, str]) -> str:
        """Return the page with these values in its holes."""
        parts = self.parts.copy()
        parts[1::2] = [conditional_escape(own[name]) for name in parts[1::2]]
        return "".join(parts)


def answer_alike(
    request: HttpRequest,
    template: str,
    *,
    shown: Mapping[str, Any],
    own: Mapping[str, str],
    status: int = 200,
) -> HttpResponse:
    """Answer with a template that shows a stranger nothing but `shown` and `own`.

    `shown` are hashable values that many visitors have in common: the page is remembered by them.
    `own` are this visitor's texts, of which the template may only ask whether they are empty.
    Whoever has a cookie that could change the page gets it drawn for them alone.
    """
    if has_personal_cookie(request) or settings.DEBUG:
        return render(request, template, {**shown, **own}, status=status)
    texts = {"carried": query_without_language(request), **own}
    page = remembered_page(
        template,
        translation.get_language(),
        tuple(shown.items()),
        tuple(name for name, text in texts.items() if text),
    )
    return HttpResponse(page.filled(texts), status=status)


@lru_cache(maxsize=MOST_REMEMBERED)
def remembered_page(template: str, language: str, shown: Shown, holes: tuple[str, ...]) -> Page:
    """Draw the page in the current language, with a mark that nobody can guess for each hole."""
    marks = {name: new_token() for name in holes}
    context = {**site_context(marks.get("carried", "")), **dict(shown), **marks}
    text = render_to_string(template, context)
    names = {mark: name for name, mark in marks.items()}
    if not names:
        return Page([text])
    parts = re.split(f"({'|'.join(names)})", text)
    parts[1::2] = [names[mark] for mark in parts[1::2]]
    return Page(parts)


def forget_pages(**_change: Any) -> None:
    """Forget every page: a setting has changed, as happens in tests."""
    remembered_page.cache_clear()


setting_changed.connect(forget_pages)
