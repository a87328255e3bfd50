"""Showing lists of e-mail domains."""

from django import template

from web.email_addresses import readable_domains

register = template.Library()

register.filter(readable_domains)
