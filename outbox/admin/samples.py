"""An example of each kind of e-mail in the admin; these pages only read."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _

from outbox.models import OutboxMessage
from outbox.services.rendering import Email, build_email
from outbox.services.samples import EmailSample, all_samples, write_sample
from web.downloads import show_email_html

# Shown of the headers, in this order.
HEADERS = ("From", "To", "Reply-To", "Subject", "List-Unsubscribe", "List-Unsubscribe-Post")


def urls(site: admin.AdminSite) -> list[URLPattern]:
    """Return the addresses of these pages, for the admin of messages."""
    view = site.admin_view
    return [
        path("kinds/", view(email_samples), name="email_samples"),
        path("kinds/<str:email_kind>/", view(email_sample), name="email_sample"),
        path("kinds/<str:email_kind>/html/", view(email_sample_html), name="email_sample_html"),
    ]


def email_samples(request: HttpRequest) -> HttpResponse:
    _check(request)
    now = timezone.now()
    written = [(sample, write_sample(sample, now=now)) for sample in all_samples(now=now).values()]
    rows = [
        {"sample": sample, "subject": email.subject, "speaker": email.speaker}
        for sample, (_message, email) in written
    ]
    context = {**_context(request, _("Kinds of e-mail")), "samples": rows}
    return TemplateResponse(request, "admin/outbox/email_samples.html", context)


def email_sample(request: HttpRequest, email_kind: str) -> HttpResponse:
    sample, message, email = _find(request, email_kind)
    built = build_email(message, email).message()
    context = {
        **_context(request, email.subject),
        "sample": sample,
        "headers": [(name, built[name]) for name in HEADERS if name in built],
        "text": email.text,
    }
    return TemplateResponse(request, "admin/outbox/email_sample.html", context)


def email_sample_html(request: HttpRequest, email_kind: str) -> HttpResponseBase:
    _sample, _message, email = _find(request, email_kind)
    return show_email_html(request, email.html)


def _find(request: HttpRequest, kind: str) -> tuple[EmailSample, OutboxMessage, Email]:
    _check(request)
    now = timezone.now()
    sample = all_samples(now=now).get(kind)
    if sample is None:
        raise Http404
    return sample, *write_sample(sample, now=now)


def _check(request: HttpRequest) -> None:
    if not request.user.has_perm("outbox.view_outboxmessage"):
        raise PermissionDenied


def _context(request: HttpRequest, title: str) -> dict[str, Any]:
    return {
        **admin.site.each_context(request),
        "title": title,
        "opts": OutboxMessage._meta,
    }
