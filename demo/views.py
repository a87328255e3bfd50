"""The demo's two pages: the tour of its invitations and accounts, and the mailbox."""

from base64 import b64encode
from itertools import islice
from pathlib import Path

from django import forms
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from accounts.fields import EmailField
from demo.examples import CUSTOMER_PASSWORD, INVITING, LOGINS
from demo.loader import find_demo
from demo.mailbox import newest_emails
from outbox.models import OutboxMessage
from partners.services.qr import qr_svg
from web.downloads import show_email_html
from web.email_addresses import canonical_address

MOST_EMAILS = 100


@login_not_required
@require_safe
def tour(request: HttpRequest) -> HttpResponse:
    demo = find_demo(timezone.now())
    if demo is None:
        return render(request, "demo/tour.html")
    invitations, accounts = demo.invitations.values(), demo.accounts.values()
    first = demo.invitations["reseller_link"].invitation
    picture = b64encode(qr_svg(invitation=first)).decode()
    context = {
        "partner_name": INVITING["name"],
        "first": first,
        "qr": f"data:image/svg+xml;base64,{picture}",
        "invitations": invitations,
        "accounts": accounts,
        "password": CUSTOMER_PASSWORD,
        "logins": LOGINS,
        "is_spent": any(offer.is_spent for offer in (*invitations, *accounts)),
    }
    return render(request, "demo/tour.html", context)


class MailboxForm(forms.Form):
    """The mailbox's filter: one address, or empty for all."""

    to = EmailField(label=_("Only e-mails to this address"), required=False)


def _directory() -> Path:
    return Path(getattr(settings, "EMAIL_FILE_PATH", "") or settings.MAILBOX_DIR)


@login_not_required
@require_safe
def mailbox(request: HttpRequest) -> HttpResponse:
    form = MailboxForm({"to": request.GET.get("to", "")})
    if not form.is_valid():
        return render(request, "demo/mailbox.html", {"form": form}, status=400)
    emails, waiting = newest_emails(_directory()), OutboxMessage.objects.waiting()
    if form.cleaned_data["to"]:
        recipient = canonical_address(form.cleaned_data["to"])
        emails = (email for email in emails if email.recipient.lower() == recipient)
        waiting = waiting.filter(recipient=recipient)
    shown = list(islice(emails, MOST_EMAILS))
    context = {"form": form, "emails": shown, "waiting": waiting.count()}
    return render(request, "demo/mailbox.html", context)


@login_not_required
@require_safe
def email_as_html(request: HttpRequest, key: str) -> HttpResponseBase:
    for email in newest_emails(_directory()):
        if email.key == key and email.html:
            return show_email_html(request, email.html)
    raise Http404
