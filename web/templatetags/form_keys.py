"""The hidden field with which a repeated submit runs its action once only."""

from django import template
from django.template import RequestContext
from django.utils.html import format_html
from django.utils.safestring import SafeString

from web.form_keys import FORM_KEY, shown_form_key

register = template.Library()


@register.simple_tag(takes_context=True)
def form_key(context: RequestContext) -> SafeString:
    key = shown_form_key(context.request)
    return format_html('<input type="hidden" name="{}" value="{}">', FORM_KEY, key)
