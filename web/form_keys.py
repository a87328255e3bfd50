"""Repeated submits of a form: the first answer again, instead of a second action.

A page shows an unused key in its form (`{% form_key %}`). The POST stores the key in the
transaction of its action, so that two clicks, a reload or a retry after a lost answer act once. A
form that comes back with errors leaves its key unused.
"""

import hashlib
import json
import re
import secrets
from collections.abc import Callable

from django.core.exceptions import BadRequest, PermissionDenied
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from web.answers import see_other
from web.models import FormKey

FIELD = "form_key"
_KEY = re.compile(r"[A-Za-z0-9_-]{22}")
_NOT_CONTENT = frozenset({"csrfmiddlewaretoken", FIELD})


def shown_form_key(request: HttpRequest) -> str:
    """Return the key for a form on this page: the one that was sent, else a new one of 128 bits.

    A form that comes back with errors so keeps its key.
    """
    sent = request.POST.get(FIELD, "")
    return sent if _KEY.fullmatch(sent) else secrets.token_urlsafe(16)


def answer_once(request: HttpRequest, form: str, act: Callable[[], str]) -> HttpResponse:
    """Run `act` once per form key and redirect (303) to the address that it returns.

    `form` names the form; each user has keys of their own. `act` runs in one transaction with the
    key: when it raises, nothing is written and the key can be sent again. The same key with the
    same content gets the first answer; two at once wait for each other. The same key with other
    content gets a 409 that leads to the first answer and offers to send the new content as a form
    of its own. A POST without a key, from a script say, acts every time. Raises BadRequest for a
    text that cannot be a key.
    """
    key = request.POST.get(FIELD)
    if key is None:
        with transaction.atomic():
            return see_other(act())
    if not _KEY.fullmatch(key):
        raise BadRequest("The form key is malformed.")
    user_id = request.user.pk
    if user_id is None:
        raise PermissionDenied
    content_hash = _content_hash(request)
    try:
        with transaction.atomic():
            used = FormKey.objects.create(
                user_id=user_id,
                form=form,
                key=key,
                content_hash=content_hash,
                created_at=timezone.now(),
            )
            used.answer_url = act()
            used.save(update_fields=["answer_url"])
    except IntegrityError:
        first = FormKey.objects.filter(user=user_id, form=form, key=key).first()
        if first is None:
            # It is not the key that exists already: the error is the action's own.
            raise
        if first.content_hash != content_hash:
            return _other_content(request, first)
        used = first
    return see_other(used.answer_url)


def _content_hash(request: HttpRequest) -> str:
    content = sorted(item for item in request.POST.lists() if item[0] not in _NOT_CONTENT)
    digest = hashlib.sha256(json.dumps(content).encode())
    for name, files in sorted(request.FILES.lists()):
        digest.update(name.encode())
        for file in files:
            for chunk in file.chunks():
                digest.update(chunk)
            file.seek(0)
    return digest.hexdigest()


def _other_content(request: HttpRequest, first: FormKey) -> HttpResponse:
    """Show that this form was sent before, where its answer is, and what was sent now."""
    fields = [
        (name, value)
        for name, values in request.POST.lists()
        if name not in _NOT_CONTENT
        for value in values
    ]
    context = {
        "first": first,
        "fields": fields,
        "form_key": secrets.token_urlsafe(16),
    }
    return render(request, "form_sent_before.html", context, status=409)
