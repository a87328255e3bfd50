"""The demo's mailbox: the mails that were sent, for whoever tries the product out."""

from pathlib import Path

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from demo.forms import MailboxForm
from demo.mailbox import find_mail, newest_mails
from outbox.models import OutboxMessage
from web.downloads import show_email_html


def _directory() -> Path:
    return Path(getattr(settings, "EMAIL_FILE_PATH", "") or settings.MAILBOX_DIR)


@login_not_required
@require_safe
def mailbox(request: HttpRequest) -> HttpResponse:
    """Show the newest mails, `?to=` those to one address, and how many are on their way."""
    directory = _directory()
    form = MailboxForm(request.GET if "to" in request.GET else None)
    if form.is_bound and not form.is_valid():
        return render(request, "demo/mailbox.html", {"form": form}, status=400)
    recipient = form.cleaned_data["to"] if form.is_bound else ""
    waiting = OutboxMessage.objects.waiting()
    if recipient:
        waiting = waiting.filter(recipient=recipient)
    context = {
        "form": form,
        "mails": newest_mails(directory, recipient=recipient),
        "waiting": waiting.count(),
    }
    return render(request, "demo/mailbox.html", context)


@login_not_required
@require_safe
def mail_as_html(request: HttpRequest, key: str) -> HttpResponseBase:
    """Show the HTML of one mail."""
    mail = find_mail(_directory(), key=key)
    if mail is None or not mail.html:
        raise Http404
    return show_email_html(request, mail.html)
