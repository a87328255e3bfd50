"""Showing legal documents."""

from functools import lru_cache

from django import template
from django.utils.safestring import SafeString
from markdown_it import MarkdownIt

from association.models import Consent, LegalDocument

register = template.Library()

# HTML in a document is shown as the text it is; images and foreign links have no place there.
_markdown = MarkdownIt("commonmark", {"html": False}).disable(
    ["image", "html_inline", "html_block"]
)


@register.filter
def document_body(document: LegalDocument) -> SafeString:
    """Return the document's text as HTML, its headings one level below the document's title."""
    return _as_html(document.text())


@register.filter
def consent_body(consent: Consent) -> SafeString:
    """Return the text that was agreed to as HTML."""
    return _as_html(consent.text)


@lru_cache(maxsize=64)
def _as_html(text: str) -> SafeString:
    """Render a text once per process: a page shows two documents of some pages each."""
    tokens = _markdown.parse(text)
    for token in tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(6, int(token.tag[1]) + 1)}"
    return SafeString(_markdown.renderer.render(tokens, _markdown.options, {}))
