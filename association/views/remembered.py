"""Pages that many strangers see alike: rendered once per process, then filled for each visitor.

A page is rendered without the request, from the same values that are its key: so it is as fresh as
they are and shows nothing of the first visitor. Each visitor's own texts are put into holes,
escaped.

That is about an eighth of the Python calls; `benchmarks/README.md` has the figures.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.core.signals import setting_changed
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.html import conditional_escape

from partners.enums import InvitationRefusal
from partners.models import Partner
from partners.services.offers import Inviter
from partners.tokens import new_token
from web.context_processors import query_without_language, site_context
from web.cookies import has_personal_cookie

MOST_REMEMBERED = 512


def answer_alike(
    request: HttpRequest,
    template: str,
    *,
    shown: Mapping[str, Any],
    own: Mapping[str, str],
    status: int = 200,
) -> HttpResponse:
    """Answer with a template that shows a stranger only `shown` and `own`.

    `shown` are hashable values that many visitors have in common; they are the page's key. `own`
    are this visitor's texts; the template may only test whether they are empty. A visitor with a
    cookie that could change the page gets a page of their own.
    """
    if has_personal_cookie(request) or settings.DEBUG:
        return render(request, template, {**shown, **own}, status=status)
    texts = {"carried": query_without_language(request), **own}
    parts = list(
        remembered_page(
            template,
            translation.get_language(),
            tuple(shown.items()),
            tuple(name for name, text in texts.items() if text),
        )
    )
    parts[1::2] = [conditional_escape(texts[name]) for name in parts[1::2]]
    return HttpResponse("".join(parts), status=status)


@lru_cache(maxsize=MOST_REMEMBERED)
def remembered_page(
    template: str, language: str, shown: tuple[tuple[str, Any], ...], holes: tuple[str, ...]
) -> tuple[str, ...]:
    """Return the page in the current language; every second part is the name of a hole."""
    marks = {name: new_token() for name in holes}
    context = {**site_context(marks.get("carried", "")), **dict(shown), **marks}
    text = render_to_string(template, context)
    names = {mark: name for name, mark in marks.items()}
    if not names:
        return (text,)
    parts = re.split(f"({'|'.join(names)})", text)
    parts[1::2] = [names[mark] for mark in parts[1::2]]
    return tuple(parts)


def forget_pages(**_change: Any) -> None:
    remembered_page.cache_clear()


setting_changed.connect(forget_pages)


def dead_link(
    request: HttpRequest, refusal: InvitationRefusal, partner: Partner | Inviter
) -> HttpResponse:
    """Say why this link cannot be followed now and what to do: 410."""
    shown = {
        "refusal": refusal.value,
        "partner_name": partner.name,
        "support_email": partner.support_email,
    }
    return answer_alike(request, "association/dead_link.html", shown=shown, own={}, status=410)


def unknown_link(request: HttpRequest) -> HttpResponse:
    """Say that there is no such link, the same for every wrong address: 404."""
    return answer_alike(request, "association/unknown_link.html", shown={}, own={}, status=404)
