"""Showing legal documents."""

from functools import lru_cache

from django import template
from django.conf import settings
from django.utils.safestring import SafeString
from markdown_it import MarkdownIt

from association.models import LegalDocument

register = template.Library()

# HTML in a document is shown as the text it is; images and foreign links have no place there.
_markdown = MarkdownIt("commonmark", {"html": False}).disable(
    ["image", "html_inline", "html_block"]
)


@register.filter
def document_body(document: LegalDocument) -> SafeString:
    """Return the document's text as HTML, its headings one level below the document's title."""
    return _as_html(document.body.replace("{provider}", settings.PROVIDER_NAME))


@lru_cache(maxsize=64)
def _as_html(text: str) -> SafeString:
    """Render a text once per process: a page shows two documents of some pages each."""
    tokens = _markdown.parse(text)
    for token in tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(6, int(token.tag[1]) + 1)}"
    return SafeString(_markdown.renderer.render(tokens, _markdown.options, {}))
