"""What a person typed into a form that was not accepted: to show it, and to send it again."""

import re
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext

SECRET_NAME = re.compile(r"password|code|secret|token", re.IGNORECASE)
_CSRF = "csrfmiddlewaretoken"
# Hidden fields of our forms. They are sent again, but no person typed them.
_NOT_TYPED = {_CSRF, "form_key", "shown_version", "next", "flow", "action"}
# The buttons of the admin's forms.
_NOT_TYPED |= {"_save", "_addanother", "_continue"}


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


def give_back(request: HttpRequest) -> HttpResponse | None:
    """Return a page with what was sent after the log-in had ended, where it can be sent again."""
    # Finds out who it is.
    if request.user.is_authenticated or request.method != "POST":
        return None
    context = typed_form(request) if getattr(request, "login_has_ended", False) else {}
    if not context.get("is_complete"):
        return None
    return render(request, "login_ended.html", context, status=403)


def label_of(name: str) -> str:
    return name.replace("_", " ").capitalize()
