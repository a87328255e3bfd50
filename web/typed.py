"""What a person typed into a form that was not accepted: to show it, and to send it again."""

import re
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext

SECRET_NAME = re.compile(r"password|code|secret|token", re.IGNORECASE)
_CSRF = "csrfmiddlewaretoken"
# Hidden fields of our forms. They are sent again, but no person typed them.
_NOT_TYPED = {_CSRF, "form_key", "shown_version", "next", "flow", "action", "association"}
# The buttons of the admin's forms.
_NOT_TYPED |= {"_save", "_addanother", "_continue", "confirmed"}
# The objects that its pages of confirmation act on, and where the action was chosen.
_NOT_TYPED |= {"_selected_action", "from_object"}


def typed_form(request: HttpRequest) -> dict[str, Any]:
    """Return what the posted form has, for `components/typed.html`; never passwords and codes.

    `typed` are the fields that a person filled in, each with a label and a value. `hidden` are all
    that can be sent again. `is_complete` tells that nothing is missing in them, and something is
    there: no file, password or code. Of files the names are shown.
    """
    fields = [
        (name, value)
        for name, values in request.POST.lists()
        if name != _CSRF and not SECRET_NAME.search(name)
        for value in values
    ]
    typed = [(label_of(name), value) for name, value in fields if name not in _NOT_TYPED and value]
    uploads = [upload for _name, files in request.FILES.lists() for upload in files]
    typed += [(gettext("File"), upload.name or "") for upload in uploads]
    is_complete = bool(typed) and can_be_sent_again(request)
    return {"typed": typed, "hidden": fields, "is_complete": is_complete}


def can_be_sent_again(request: HttpRequest) -> bool:
    """Return whether a page may give back all that was sent: no file, password or code is in it."""
    has_secret = any(name != _CSRF and SECRET_NAME.search(name) for name in request.POST)
    return not has_secret and not request.FILES


# The tag of the message that is shown at the log-in and once more on the page it leads to.
UNSENT = "unsent"


def note_unsent(request: HttpRequest) -> None:
    """Tell someone whose POST leads to the log-in that it did nothing, and what to do."""
    if request.method != "POST":
        return
    text = gettext("You were not logged in, so nothing was done.")
    if typed_form(request)["typed"]:
        text += " " + gettext("What you typed could not be kept.")
    text += " " + gettext("Once you are logged in, press the button again.")
    messages.warning(request, text, extra_tags=UNSENT)


def keep_unsent(request: HttpRequest) -> None:
    """Keep the message of `note_unsent()`, which a log-in page has shown, for the next page."""
    shown = list(messages.get_messages(request))
    for message in shown:
        if UNSENT in message.tags.split():
            messages.warning(request, message.message, extra_tags=UNSENT)


def give_back(request: HttpRequest) -> HttpResponse | None:
    """Return a page with what was sent after the log-in had ended, where it can be sent again."""
    # Finds out who it is.
    if request.user.is_authenticated or request.method != "POST":
        return None
    context = typed_form(request) if _had_login(request) else {}
    if not context.get("is_complete"):
        return None
    return render(request, "login_ended.html", context, status=403)


def _had_login(request: HttpRequest) -> bool:
    """Whether the log-in has ended by its age or idle time, or its session is gone."""
    is_gone = settings.SESSION_COOKIE_NAME in request.COOKIES and not request.session.session_key
    return getattr(request, "login_has_ended", False) or is_gone


def label_of(name: str) -> str:
    return name.replace("_", " ").capitalize()
