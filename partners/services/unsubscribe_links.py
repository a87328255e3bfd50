"""Who has unsubscribed from a partner's invitations by e-mail, and the signed link that does it."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import unquote

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.urls import reverse

from outbox.services.suppression import hash_of, lift_suppression, suppress, suppressed_since
from partners.models import Invitation, Partner

# Nothing else is signed with this salt, so that no other signature fits.
_signer = Signer(sep=".", salt="partners.suppressions")
_SIGNED = re.compile(r"([0-9]{1,18})-([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody whom a partner invites by e-mail; the address itself is not known."""

    partner: Partner
    address_hash: str


def unsubscribe_url(*, partner: Partner, address: str) -> str:
    """Return the address where this reader unsubscribes, or subscribes again.

    It contains no token and no e-mail address, and works as long as the key that signed it is
    known (`SECRET_KEY`, `SECRET_KEY_FALLBACKS`).
    """
    return url_with(_signer.sign(f"{partner.pk}-{hash_of(address)}"))


def url_with(signed: str) -> str:
    """Return the address that ends in this text."""
    return f"{settings.PUBLIC_BASE_URL}{unquote(reverse('unsubscribe', args=[signed]))}"


def find_reader(signed: str) -> Reader | None:
    """Return who is meant by the last part of `unsubscribe_url()`, or None if it is not ours."""
    try:
        match = _SIGNED.fullmatch(_signer.unsign(signed))
    except BadSignature:
        return None
    partner = Partner.objects.filter(pk=match[1]).first() if match else None
    return Reader(partner, match[2]) if match and partner else None


def is_unsubscribed(reader: Reader) -> bool:
    """Return whether the reader does not want the partner's invitations."""
    return bool(suppressed_since(hashes=[reader.address_hash], sender=reader.partner))


def unsubscribe(*, reader: Reader, now: datetime) -> None:
    """Mail this reader no more invitations of the partner; a second time does nothing."""
    suppress(address_hash=reader.address_hash, sender=reader.partner, now=now)


def subscribe_again(*, reader: Reader, now: datetime) -> None:
    """Let the partner mail invitations to this reader again."""
    lift_suppression(address_hash=reader.address_hash, sender=reader.partner, now=now)


def unsubscribed(addresses: Collection[str], *, partner: Partner) -> dict[str, datetime]:
    """Return which of these canonical addresses do not want the partner's invitations, and since.

    One statement, none without addresses.
    """
    if not addresses:
        return {}
    by_hash = {hash_of(address): address for address in addresses}
    found = suppressed_since(hashes=by_hash.keys(), sender=partner)
    return {by_hash[address_hash]: since for address_hash, since in found.items()}


def unsubscribed_recipients(invitations: Collection[Invitation]) -> dict[int, datetime]:
    """Return since when recipients do not want e-mail, by the key of their invitation.

    The invitations are one partner's. One statement, none if none is by e-mail.
    """
    mailed = [invitation for invitation in invitations if invitation.recipient]
    if not mailed:
        return {}
    since = unsubscribed({row.recipient for row in mailed}, partner=mailed[0].partner)
    return {row.pk: since[row.recipient] for row in mailed if row.recipient in since}
