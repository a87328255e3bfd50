"""What a page reads like: its text without tags."""

import re
from html import unescape

from django.http import HttpResponse


def shown_text(page: str, beginning: str) -> str:
    """Return the paragraph of the page that begins with these words."""
    for paragraph in re.findall(r"<p(?:\s[^>]*)?>(.*?)</p>", page, re.DOTALL):
        text = " ".join(unescape(re.sub(r"<[^>]+>", "", paragraph)).split())
        if text.startswith(beginning):
            return text
    raise AssertionError(f"No paragraph begins with {beginning!r}.")


def unbroken(answer: HttpResponse) -> str:
    """Return the page without the places at which an address may break."""
    return answer.content.decode().replace("<wbr>", "")
