"""The public page where a reader unsubscribes from a partner's invitations, or subscribes again."""

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from partners.services import unsubscribe_links
from partners.services.unsubscribe_links import Reader, find_reader, is_unsubscribed
from web.answers import posts_only, see_other

# What a mail program posts for its user (RFC 8058). A scanner that posts else changes nothing.
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@login_not_required
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, signed: str) -> HttpResponse:
    """Show the page; or unsubscribe by the one click of a mail program, which has no CSRF token.

    The signature stands for the token. The answer to the one click is no redirect (RFC 8058, 3.1).
    """
    reader, status = _reader(signed), 200
    if request.method == "POST":
        if request.POST.dict() == ONE_CLICK:
            unsubscribe_links.unsubscribe(reader=reader, now=timezone.now())
        else:
            status = 400
    context = {
        "partner": reader.partner,
        "signed": signed,
        "is_unsubscribed": is_unsubscribed(reader),
    }
    return render(request, "partners/unsubscribe.html", context, status=status)


@login_not_required
@posts_only("unsubscribe", "signed")
def unsubscribe_now(request: HttpRequest, signed: str) -> HttpResponse:
    unsubscribe_links.unsubscribe(reader=_reader(signed), now=timezone.now())
    return see_other("unsubscribe", signed)


@login_not_required
@posts_only("unsubscribe", "signed")
def subscribe_again(request: HttpRequest, signed: str) -> HttpResponse:
    reader = _reader(signed)
    unsubscribe_links.subscribe_again(reader=reader, now=timezone.now())
    text = _("You get invitations from %(partner)s again.")
    messages.success(request, text % {"partner": reader.partner.name})
    return see_other("unsubscribe", signed)


def _reader(signed: str) -> Reader:
    reader = find_reader(signed)
    if reader is None:
        raise Http404
    return reader
