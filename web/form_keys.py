"""Repeated submits of a form: the first answer again, instead of a second action.

A page shows an unused key in its form (`{% form_key %}`). The POST stores the key in the
transaction of its action, so that two clicks, a reload or a retry after a lost answer act once. A
form that comes back with errors leaves its key unused. `web/retention.py` deletes old keys.
"""

import hashlib
import json
import re
import secrets
from collections.abc import Callable, Collection
from typing import Any

from django.core.exceptions import BadRequest, PermissionDenied
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from web.answers import see_other
from web.models import FormKey
from web.transactions import whole_transaction
from web.typed import can_be_sent_again, typed_form
from web.versioned_forms import SHOWN_VERSION

FORM_KEY = "form_key"
_KEY = re.compile(r"[A-Za-z0-9_-]{22}")
_NOT_CONTENT = frozenset({"csrfmiddlewaretoken", FORM_KEY})
# Of chosen objects (the checkboxes of the admin's lists) each has a key of its own: `act_once()`.
_NOT_HASHED = _NOT_CONTENT | {SHOWN_VERSION, "_selected_action"}


def shown_form_key(request: HttpRequest) -> str:
    """Return the key for a form on this page.

    A form that comes back with errors keeps its key; any other gets a new one of 128 bits.
    """
    sent = request.POST.get(FORM_KEY, "")
    return sent if _KEY.fullmatch(sent) else secrets.token_urlsafe(16)


def answer_once(request: HttpRequest, act: Callable[[], str]) -> HttpResponse:
    """Run `act` once per form key and redirect (303) to the address that it returns.

    A key belongs to its user and to the path that it is sent to, so it never stands for an action
    on another object. `act` runs in one transaction with the key: when it raises, nothing is
    written and the key can be sent again. Of two POSTs at the same time the second waits, and then
    gets the answer of the first. A POST without a key, from a script say, acts every time. Raises
    BadRequest for a text that cannot be a key.
    """
    key, user_id = _sent_key(request), request.user.pk
    if key is None:
        return see_other(_act_without_key(act))
    if user_id is None:
        raise PermissionDenied
    row = {
        "user_id": user_id,
        "path": request.path_info,
        "key": key,
        "content_hash": _content_hash(request),
        "created_at": timezone.now(),
    }
    try:
        answer_url = _act_with_key(row, act)
    except IntegrityError:
        answer = earlier_answer(request)
        if answer is None:
            # The key is unused: the error comes from the action.
            raise
        return answer
    return see_other(answer_url)


class OtherContent(Exception):
    """The key was used with other content, or for another action; `answer` is the page for it."""

    def __init__(self, answer: HttpResponse) -> None:
        super().__init__()
        self.answer = answer


def act_once(
    request: HttpRequest, act: Callable[[], object], *, about: str, answer_url: str
) -> bool:
    """Run `act` once per form key and object, in one transaction with the key.

    For a form that acts on several objects, each in a transaction of its own: `about` tells them
    apart, `answer_url` shows what was done. Returns False for an object that the first POST has
    done: it is left alone. Raises OtherContent where that POST had other content.
    """
    row = {
        "user_id": request.user.pk,
        "path": _path_about(request, about),
        "key": _sent_key(request),
        "content_hash": _content_hash(request),
        "answer_url": answer_url,
        "created_at": timezone.now(),
    }
    try:
        _act_once(row, act)
    except IntegrityError:
        if about not in done_before(request, [about]):
            # The key is unused: the error comes from the action.
            raise
        return False
    return True


def done_before(request: HttpRequest, about: Collection[str]) -> set[str]:
    """Return for which of these objects the POST repeats an `act_once()` that was done.

    Raises OtherContent where the key was used with other content for one of them.
    """
    key = _sent_key(request)
    if key is None:
        return set()
    paths = {_path_about(request, each): each for each in about}
    used = FormKey.objects.filter(user=request.user.pk, path__in=paths, key=key)
    firsts = list(used.order_by("path"))
    content_hash = _content_hash(request)
    for first in firsts:
        if first.content_hash != content_hash:
            raise OtherContent(_other_content(request, first))
    return {paths[first.path] for first in firsts}


def _path_about(request: HttpRequest, about: str) -> str:
    return f"{request.path_info}#{about}"


@whole_transaction
@transaction.atomic
def _act_once(row: dict[str, Any], act: Callable[[], object]) -> None:
    if row["key"] is not None:
        FormKey.objects.create(**row)
    act()


@whole_transaction
@transaction.atomic
def _act_without_key(act: Callable[[], str]) -> str:
    return act()


@whole_transaction
@transaction.atomic
def _act_with_key(row: dict[str, Any], act: Callable[[], str]) -> str:
    used = FormKey.objects.create(**row)
    used.answer_url = act()
    used.save(update_fields=["answer_url"])
    return used.answer_url


def earlier_answer(request: HttpRequest) -> HttpResponse | None:
    """Return the answer to a POST whose form key is used, None for any other.

    The same content gets the first answer; other content a 409 that leads to the first answer and
    offers to send the new content as a form of its own. Call it before showing that a form is
    invalid: what was valid at the first POST, an expiry say, may be invalid now.
    """
    key = _sent_key(request)
    if key is None:
        return None
    keys = FormKey.objects.filter(user=request.user.pk, path=request.path_info)
    first = keys.filter(key=key).first()
    if first is None:
        return None
    if first.content_hash != _content_hash(request):
        return _other_content(request, first)
    return see_other(first.answer_url)


def _sent_key(request: HttpRequest) -> str | None:
    key = request.POST.get(FORM_KEY)
    if key is not None and not _KEY.fullmatch(key):
        raise BadRequest("The form key is malformed.")
    return key


def _content_hash(request: HttpRequest) -> str:
    """Return a hash of all fields and files, which does not depend on their order.

    The version that the page showed is not in it: whether the action runs is decided by the key.
    """
    fields = sorted(item for item in request.POST.lists() if item[0] not in _NOT_HASHED)
    files = []
    for name, uploads in sorted(request.FILES.lists()):
        for upload in uploads:
            digest = hashlib.sha256()
            for chunk in upload.chunks():
                digest.update(chunk)
            upload.seek(0)
            files.append((name, digest.hexdigest()))
    return hashlib.sha256(json.dumps([fields, files]).encode()).hexdigest()


def _other_content(request: HttpRequest, first: FormKey) -> HttpResponse:
    """Show that this form was sent before, where its answer is, and what was sent now.

    Passwords, codes and files are not in the page, so a form with one has to be filled in again.
    """
    sent = typed_form(request)
    new_key = (FORM_KEY, secrets.token_urlsafe(16))
    context = {
        "first": first,
        "typed": sent["typed"],
        "hidden": [new_key, *(field for field in sent["hidden"] if field[0] != FORM_KEY)],
        "is_complete": can_be_sent_again(request),
    }
    return render(request, "form_sent_before.html", context, status=409)
