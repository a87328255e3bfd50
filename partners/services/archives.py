"""Archives of QR codes, written while they are sent: memory holds one picture at a time."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from io import RawIOBase
from typing import Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from django.utils.text import slugify

from partners.models import Invitation
from partners.services.qr import qr_png, qr_svg

PNG_SIDE = 600
FORMATS = ("svg", "png")
_LONGEST_SLUG = 60


def qr_archive(
    *, invitations: Iterable[Invitation], kind: str, made_at: datetime
) -> Iterator[bytes]:
    """Yield a ZIP of the invitations' QR codes, SVG or PNG of 600 pixels, numbered as they come."""
    sink = _Sink()
    stamp = made_at.astimezone(UTC).timetuple()[:6]
    with ZipFile(sink, "w") as archive:
        for number, invitation in enumerate(invitations, 1):
            entry = ZipInfo(_name(number, invitation, kind), stamp)
            # A PNG is compressed already.
            entry.compress_type = ZIP_STORED if kind == "png" else ZIP_DEFLATED
            archive.writestr(entry, _picture(invitation, kind))
            yield sink.take()
    yield sink.take()


def _picture(invitation: Invitation, kind: str) -> bytes:
    if kind == "png":
        return qr_png(invitation=invitation, size=PNG_SIDE)
    return qr_svg(invitation=invitation)


def _name(number: int, invitation: Invitation, kind: str) -> str:
    """Return a name in plain ASCII that no other picture has."""
    slug = slugify(invitation.label)[:_LONGEST_SLUG].strip("-_")
    return f"{number:04}-{slug}.{kind}" if slug else f"{number:04}.{kind}"


class _Sink(RawIOBase):
    """What has been written since it was last taken; cannot be sought, like a connection."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        taken = b"".join(self._parts)
        self._parts.clear()
        return taken
