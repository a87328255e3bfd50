"""Rendering: which function writes an e-mail, in which language, with which headers."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any, TypeVar

from django.apps import apps
from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.message import sanitize_address
from django.db import models
from django.template import Context, Engine
from django.urls import reverse
from django.utils import translation
from django.utils.module_loading import import_string

from outbox.models import OutboxMessage
from web.email_addresses import InvalidAddress, canonical_address
from web.fixed_queries import FixedQuery

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

Found = TypeVar("Found", bound=models.Model)

_KIND = re.compile(r"([a-z]+)\.([a-z][a-z_]*)")
# Control characters, line separators, and marks that change the direction of writing.
_INVISIBLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]+")
# Email programs find the signature by this line; the blank is part of it.
_SIGNATURE = "-- "
_BLANK_LINES = re.compile(r"\n{3,}")


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who speaks in an e-mail: the name or logo at its top, and the address for answers or "".

    The logo's address is absolute, "" for none; its size is in CSS pixels.
    """

    name: str
    support_email: str
    logo_url: str = ""
    logo_width: int | None = None
    logo_height: int | None = None


@dataclass(frozen=True, slots=True)
class Email:
    """What the recipient reads: the subject, and the same text plain and as HTML.

    `headers` are those that only this kind has.
    """

    subject: str
    text: str
    html: str
    speaker: Speaker
    headers: Mapping[str, str] = field(default_factory=dict)


class Stale(Exception):
    """The message is no longer useful: it is dropped with this reason."""


class Undeliverable(Exception):
    """The message can never be sent: its kind is unknown, or its object is gone."""


def one_line(text: str) -> str:
    """Return the text as one line without control characters, safe for a header or a log."""
    return " ".join(_INVISIBLE.sub(" ", text).split())


def render_message(message: OutboxMessage) -> Email:
    """Let the function that the kind names write the e-mail, in the message's language.

    "app.name" is the function `name` of the app's module `emails`. It reads the object as it is
    now. Raises Stale; or Undeliverable when there is no such function or no such object.
    """
    match = _KIND.fullmatch(message.kind)
    if match is None or not apps.is_installed(match[1]):
        raise Undeliverable("unknown kind")
    module = f"{match[1]}.emails"
    try:
        write = import_string(f"{module}.{match[2]}")
    except ImportError as error:
        raise Undeliverable("unknown kind") from error
    if not getattr(write, "__module__", "").startswith(module):
        raise Undeliverable("unknown kind")  # a name that `emails` only imports
    with translation.override(_language(message)):
        email: Email = write(message)
    return email


def find_about(message: OutboxMessage, objects: "models.QuerySet[Found]") -> Found:
    """Return the object that the message is about. Raises Undeliverable if it is gone."""
    _check_about(message, objects.model)
    if isinstance(message.example, objects.model):
        return message.example
    try:
        return objects.get(pk=message.about_id)
    except (ObjectDoesNotExist, ValueError, ValidationError) as error:
        raise Undeliverable("what it was about is gone") from error


def find_about_quickly(
    message: OutboxMessage, model: type[Found], query: FixedQuery[Found]
) -> Found:
    """Do as `find_about()` with a fixed query by key, for e-mails of which there are thousands."""
    _check_about(message, model)
    if isinstance(message.example, model):
        return message.example
    found = query.first(int(message.about_id)) if message.about_id.isdecimal() else None
    if found is None:
        raise Undeliverable("what it was about is gone")
    return found


def _check_about(message: OutboxMessage, model: type[models.Model]) -> None:
    if message.about_label != model._meta.label_lower:
        raise Undeliverable("about something else")


def absolute_url(name: str, *args: object) -> str:
    """Return the URL of one of our pages, with PUBLIC_BASE_URL, for an e-mail."""
    return f"{settings.PUBLIC_BASE_URL}{reverse(name, args=args)}"


def render_email(
    message: OutboxMessage,
    *,
    template: str,
    subject: "StrOrPromise",
    context: Mapping[str, Any],
    speaker: Speaker | None = None,
    headers: Mapping[str, str] | None = None,
) -> Email:
    """Render `templates/emails/<template>.txt` and `.html` in the message's language.

    Both get the context, the subject, the speaker, `PROVIDER_NAME` and `PUBLIC_BASE_URL`. Only the
    HTML is escaped. The speaker is the provider unless another is given.
    """
    speaker = speaker or Speaker(settings.PROVIDER_NAME, settings.PROVIDER_SUPPORT_EMAIL)
    template_of = Engine.get_default().get_template
    with translation.override(_language(message)):
        values = {
            **context,
            "subject": one_line(str(subject)),
            "speaker": speaker,
            "PROVIDER_NAME": settings.PROVIDER_NAME,
            "PUBLIC_BASE_URL": settings.PUBLIC_BASE_URL,
        }
        text = template_of(f"emails/{template}.txt").render(Context(values, autoescape=False))
        html = template_of(f"emails/{template}.html").render(Context(values))
    lines = [line if line == _SIGNATURE else line.rstrip() for line in text.strip().splitlines()]
    plain = _BLANK_LINES.sub("\n\n", "\n".join(lines)) + "\n"
    return Email(values["subject"], plain, html.strip(), speaker, headers or {})


def from_address() -> str:
    """Return the From address, with the provider's name unless a name is configured."""
    address: str = settings.DEFAULT_FROM_EMAIL
    if "<" in address:
        return one_line(address)
    return str(Address(one_line(settings.PROVIDER_NAME), addr_spec=address))


def build_email(
    message: OutboxMessage, email: Email, connection: BaseEmailBackend | None = None
) -> EmailMultiAlternatives:
    """Return the e-mail with its headers; every try has the same Message-ID.

    Raises Undeliverable for a recipient that is not exactly one canonical address: text from an
    address field must not add a recipient or a header.
    """
    if not _is_plain(message.recipient):
        raise Undeliverable("not a plain address")
    built = EmailMultiAlternatives(
        subject=one_line(email.subject),
        body=email.text,
        from_email=from_address(),
        to=[message.recipient],
        reply_to=_reply_to(email),
        headers={
            "Message-ID": message.message_id,
            "Date": format_datetime(message.created_at),
            "Auto-Submitted": "auto-generated",
            "Content-Language": _language(message),
            **email.headers,
        },
        connection=connection,
    )
    built.attach_alternative(email.html, "text/html")
    return built


def _reply_to(email: Email) -> list[str] | None:
    """Return where answers go; what is no plain address is left out, and the e-mail is sent."""
    address = email.speaker.support_email
    try:
        return [canonical_address(address)] if address else None
    except InvalidAddress:
        return None


def _is_plain(address: str) -> bool:
    try:
        return canonical_address(address) == address == sanitize_address(address, "utf-8")
    except ValueError:
        return False


def _language(message: OutboxMessage) -> str:
    return message.language if message.language in dict(settings.LANGUAGES) else "en"
