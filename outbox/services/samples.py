"""Examples of every kind of e-mail, written from objects that are not stored."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.utils import translation
from django.utils.module_loading import import_string

from outbox.models import OutboxMessage
from outbox.services.rendering import Email, render_message

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

# No stored row has it, so what an example's writer looks up is not found.
NO_KEY = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailSample:
    """One kind of e-mail: who reads it, when it is sent, and what an example is about.

    The function that the kind names writes the example, unless it needs stored rows: then `write`
    does, with the same template.
    """

    kind: str
    reader: "StrOrPromise"
    occasion: "StrOrPromise"
    about: models.Model
    recipient: str
    data: Mapping[str, Any] = field(default_factory=dict)
    write: Callable[[OutboxMessage], Email] = render_message


def all_samples(*, now: datetime) -> dict[str, EmailSample]:
    """Return an example of each kind by its name, in the order of the apps."""
    listed = [sample for name in settings.EMAIL_SAMPLES for sample in import_string(name)(now=now)]
    return {sample.kind: sample for sample in listed}


def write_sample(sample: EmailSample, *, now: datetime) -> tuple[OutboxMessage, Email]:
    """Return the example's message, which is not saved, and its e-mail. Writes no row."""
    message = OutboxMessage(
        kind=sample.kind,
        recipient=sample.recipient,
        language=settings.LANGUAGE_CODE,
        about_label=sample.about._meta.label_lower,
        about_id=str(NO_KEY),
        data=dict(sample.data),
        message_id="<example@example.invalid>",
        created_at=now,
    )
    message.example = sample.about
    with translation.override(message.language):
        return message, sample.write(message)
