"""The demo's two pages: the tour of its invitations and accounts, and the mailbox."""

import email
import hashlib
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import default
from itertools import islice
from pathlib import Path

from allauth.account.utils import perform_login
from django import forms
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from accounts.fields import EmailField
from accounts.models import User
from demo.examples import (
    ADMIN,
    CUSTOMER_PASSWORD,
    CUSTOMER_TITLES,
    CUSTOMERS,
    INVITING,
    LOGINS,
    ROLES,
)
from demo.loader import find_demo
from outbox.models import OutboxMessage
from partners.services.qr import qr_svg
from web.answers import posts_only, see_other
from web.downloads import show_email_html
from web.email_addresses import canonical_address

MOST_EMAILS = 100
# Django's file backend writes this after each message.
_SEPARATOR = b"\n" + b"-" * 79 + b"\n"
_MAX_FILES = 1_000
_MAX_TEXT = 20_000


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
        "customers": [(role, CUSTOMER_TITLES[role], CUSTOMERS[role]) for role in CUSTOMERS],
        "is_spent": any(offer.is_spent for offer in (*invitations, *accounts)),
    }
    return render(request, "demo/tour.html", context)


@login_not_required
@posts_only("demo")
def log_in_as(request: HttpRequest) -> HttpResponse:
    """Log in as one of the people whom the tour names; any other log-in ends."""
    role = request.POST.get("role", "")
    # Outside the demo this app is not even installed.
    if not settings.DEMO or role not in ROLES:
        raise Http404
    user = get_object_or_404(User, email=ROLES[role]["login"], is_active=True)
    first_page = reverse("admin:index" if role == ADMIN else "account_home")
    answer = perform_login(request, user, email_verification="none", redirect_url=first_page)
    # It leads to the second step of the log-in if someone has set that up.
    return see_other(answer["Location"])


# --- the mailbox


class MailboxForm(forms.Form):
    to = EmailField(label=_("Only e-mails to this address"), required=False)


@login_not_required
@require_safe
def mailbox(request: HttpRequest) -> HttpResponse:
    form = MailboxForm({"to": request.GET.get("to", "")})
    if not form.is_valid():
        return render(request, "demo/mailbox.html", {"form": form}, status=400)
    emails, waiting = newest_emails(), OutboxMessage.objects.waiting()
    if form.cleaned_data["to"]:
        recipient = canonical_address(form.cleaned_data["to"])
        emails = (one for one in emails if one.recipient.lower() == recipient)
        waiting = waiting.filter(recipient=recipient)
    shown = list(islice(emails, MOST_EMAILS))
    context = {"form": form, "emails": shown, "waiting": waiting.count()}
    return render(request, "demo/mailbox.html", context)


@login_not_required
@require_safe
def email_as_html(request: HttpRequest, key: str) -> HttpResponseBase:
    for one in newest_emails():
        if one.key == key and one.html:
            return show_email_html(request, one.html)
    raise Http404


@dataclass(frozen=True, slots=True)
class StoredEmail:
    """One e-mail as it was sent; `key` is its id in URLs."""

    key: str
    recipient: str
    subject: str
    sent_at: datetime
    text: str
    html: str


def newest_emails() -> Iterator[StoredEmail]:
    """Yield the e-mails that were written to files, newest file first, if they can be read."""
    directory = Path(getattr(settings, "EMAIL_FILE_PATH", "") or settings.MAILBOX_DIR)
    files = sorted(directory.glob("*.log"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
    for path in files[:_MAX_FILES]:
        try:
            # Django is still writing what follows the last separator.
            complete = path.read_bytes().split(_SEPARATOR)[:-1]
        except OSError:
            continue
        yield from filter(None, map(_parse, reversed(complete)))


def _parse(raw: bytes) -> StoredEmail | None:
    try:
        message = email.message_from_bytes(raw, EmailMessage, policy=default)
        sent_at = message["Date"].datetime
        return StoredEmail(
            key=hashlib.sha256(raw).hexdigest()[:20],
            recipient=message["To"].addresses[0].addr_spec,
            subject=str(message["Subject"] or ""),
            sent_at=sent_at if sent_at.tzinfo else sent_at.replace(tzinfo=UTC),
            text=_part(message, "plain")[:_MAX_TEXT],
            html=_part(message, "html"),
        )
    except Exception:  # noqa: BLE001 - the library raises many things for a broken e-mail
        return None


def _part(message: EmailMessage, kind: str) -> str:
    body = message.get_body((kind,))
    return "" if body is None else str(body.get_content())
