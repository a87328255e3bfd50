"""Writing a promised message in a test, and reading what every mail must hold to."""

import re
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone

from accounts.models import Freeze, User
from outbox.services.queue import OutgoingMessage, enqueue_messages
from outbox.services.rendering import Email, render_message
from partners.emails import PLACEHOLDER
from partners.models import Partner, PartnerMember
from tests.factories import UserFactory

READER = "reader@example.org"
_ADDRESS = re.compile(r"[a-z]+://[^\s\"'<>]+")


def write(kind: str, about: models.Model, data: dict[str, Any] | None = None) -> Email:
    """Return the mail as the worker would send it; one for the partner is read by a member."""
    _make_reader_a_member(about)
    outgoing = OutgoingMessage(kind, READER, about, "en", data or {})
    (message,) = enqueue_messages(messages=[outgoing], now=timezone.now())
    return render_message(message)


def _make_reader_a_member(about: models.Model) -> None:
    partner = _partner_of(about)
    if partner is not None:
        reader = User.objects.filter(email=READER).first() or UserFactory.create(email=READER)
        PartnerMember.objects.update_or_create(user=reader, defaults={"partner": partner})


def _partner_of(about: Any) -> Partner | None:
    """Return the partner that the object belongs to now, if it belongs to one."""
    if isinstance(about, Partner):
        return about
    if isinstance(about, Freeze):
        return Partner.objects.filter(
            associations__account=about.account_id, associations__ended_at=None
        ).first()
    for name in ("partner", "association", "budget", "invitation"):
        if hasattr(about, name):
            return _partner_of(getattr(about, name))
    return None


def links(mail: Email) -> set[str]:
    """Return the addresses in the mail without the base's own; both parts must hold the same.

    Fails when anything in the mail leads to, or is loaded from, another host. The HTML may load the
    speaker's logo, which is no link.
    """
    base, logo = settings.PUBLIC_BASE_URL, mail.speaker.logo_url
    assert [" ".join(tag.split()) for tag in re.findall(r"<img[^>]*", mail.html)] == (
        [] if not logo else [_logo_of(mail)]
    )
    found = {part: set(_ADDRESS.findall(part)) for part in (mail.text, mail.html)}
    assert found[mail.text] == found[mail.html] - {logo}
    assert {link for link in found[mail.html] if not f"{link}/".startswith(f"{base}/")} == set()
    assert not re.search(r"<(link|script|iframe)|url\(", mail.html)
    return {link.removeprefix(base) for link in found[mail.html] - {base, logo}}


def _logo_of(mail: Email) -> str:
    """Return the tag of the logo: without its picture, the name is read in its place."""
    logo = mail.speaker
    return " ".join(
        f"""<img class="logo" src="{logo.logo_url}" width="{logo.logo_width}"
        height="{logo.logo_height}" alt="{logo.name}\"""".split()
    )


def as_previewed(part: str, token: str) -> str:
    """Return a part of an invitation's e-mail without the recipient's own links."""
    part = part.replace(token, PLACEHOLDER)
    return re.sub(r"(/no-more-invitations/)[\w.-]+", rf"\1{PLACEHOLDER}", part)


def only_in_text(mail: Email) -> set[str]:
    """Return the lines of the text that the HTML does not have; links and labels aside, none."""
    html = " ".join(re.sub(r"<[^>]+>", " ", mail.html).replace("&#x27;", "'").split())
    lines = [re.sub(r"^[->]+ |:$", "", line) for line in mail.text.splitlines()]
    return {
        line for line in lines if line and line != "-- " and squeezed(line) not in squeezed(html)
    }


def squeezed(text: str) -> str:
    """Return the text without blanks, which markup moves about."""
    return "".join(text.split())
