"""Turning a promised message into a mail: which function writes it, in which language, as what."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
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

from accounts.addresses import canonical_address
from accounts.models import OutboxMessage

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

Found = TypeVar("Found", bound=models.Model)

_KIND = re.compile(r"([a-z]+)\.([a-z][a-z_]*)")
# Control characters, line separators and the marks that reverse the direction of writing.
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]+")
# What mail programs know the end of the text by; its blank belongs to it.
_SIGNATURE = "-- "
_BLANK_LINES = re.compile(r"\n{3,}")


@dataclass(frozen=True, slots=True)
class Mail:
    """What the recipient reads: one line, and the same text plain and as HTML."""

    subject: str
    text: str
    html: str


class Stale(Exception):
    """The message has lost its purpose: the reason is kept and nothing is sent."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Undeliverable(Exception):
    """The message can never be sent: nobody writes its kind, or what it was about is gone."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def one_line(text: str) -> str:
    """Return the text on one line, without control characters: fit for a header or a log."""
    return " ".join(_UNSEEN.sub(" ", text).split())


def is_one_line(text: str) -> bool:
    """Whether the text holds nothing that `one_line()` takes out: it arrives as it was typed."""
    return _UNSEEN.search(text) is None


def render_message(message: OutboxMessage) -> Mail:
    """Have the message written in its language by the function that its kind names.

    "app.name" is the function `name` of the app's module `messages`; it reads the object the
    message is about as it is now. Raises Stale, or Undeliverable when there is no such function,
    or when `find_about()` says so.
    """
    match = _KIND.fullmatch(message.kind)
    if match is None or not apps.is_installed(match[1]):
        raise Undeliverable("unknown kind")
    module = f"{match[1]}.messages"
    try:
        write = import_string(f"{module}.{match[2]}")
    except ImportError as error:
        raise Undeliverable("unknown kind") from error
    if not getattr(write, "__module__", "").startswith(module):
        raise Undeliverable("unknown kind")  # imported there, not written there
    with translation.override(_language(message)):
        mail: Mail = write(message)
    return mail


def find_about(message: OutboxMessage, objects: "models.QuerySet[Found]") -> Found:
    """Return the object the message is about. Raises Undeliverable if it is gone."""
    if message.about_label != objects.model._meta.label_lower:
        raise Undeliverable("about something else")
    try:
        return objects.get(pk=message.about_id)
    except (ObjectDoesNotExist, ValueError, ValidationError) as error:
        raise Undeliverable("what it was about is gone") from error


def absolute_url(name: str, *args: object) -> str:
    """Return the address of a page of ours as a mail must name it: with PUBLIC_BASE_URL."""
    return f"{settings.PUBLIC_BASE_URL}{reverse(name, args=args)}"


def render_mail(
    message: OutboxMessage,
    *,
    template: str,
    subject: "StrOrPromise",
    context: Mapping[str, Any],
) -> Mail:
    """Render `templates/emails/<template>.txt` and `.html` in the language of the message.

    Both get the context, the subject, `PROVIDER_NAME` and `PUBLIC_BASE_URL`. The HTML is escaped
    automatically, the plain text is not: there is nothing to escape in it.
    """
    engine = Engine.get_default()
    with translation.override(_language(message)):
        values = {
            **context,
            "subject": one_line(str(subject)),
            "PROVIDER_NAME": settings.PROVIDER_NAME,
            "PUBLIC_BASE_URL": settings.PUBLIC_BASE_URL,
        }
        text = engine.get_template(f"emails/{template}.txt").render(
            Context(values, autoescape=False)
        )
        html = engine.get_template(f"emails/{template}.html").render(Context(values))
    lines = "\n".join(
        line if line == _SIGNATURE else line.rstrip() for line in text.strip().splitlines()
    )
    return Mail(
        subject=values["subject"], text=_BLANK_LINES.sub("\n\n", lines) + "\n", html=html.strip()
    )


def sender() -> str:
    """Return the From address: the provider's name before the configured address."""
    address: str = settings.DEFAULT_FROM_EMAIL
    if "<" in address:
        return one_line(address)
    return str(Address(one_line(settings.PROVIDER_NAME), addr_spec=address))


def build_email(
    message: OutboxMessage, mail: Mail, connection: BaseEmailBackend | None = None
) -> EmailMultiAlternatives:
    """Return the mail with its headers; the Message-ID is the same at every try.

    Raises Undeliverable for a recipient that is not exactly one plain address, so that nothing
    typed into an address field can add a recipient or a header.
    """
    if not _is_plain(message.recipient):
        raise Undeliverable("not a plain address")
    email = EmailMultiAlternatives(
        subject=one_line(mail.subject),
        body=mail.text,
        from_email=sender(),
        to=[message.recipient],
        headers={
            "Message-ID": message.message_id,
            "Date": format_datetime(message.created_at),
            "Auto-Submitted": "auto-generated",
            "Content-Language": _language(message),
        },
        connection=connection,
    )
    email.attach_alternative(mail.html, "text/html")
    return email


def _is_plain(address: str) -> bool:
    """Whether the text is one canonical address, and still is when mail libraries decode it."""
    try:
        return canonical_address(address) == address == sanitize_address(address, "utf-8")
    except ValueError:
        return False


def _language(message: OutboxMessage) -> str:
    return message.language if message.language in dict(settings.LANGUAGES) else "en"
