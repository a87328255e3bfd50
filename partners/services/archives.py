"""Archives of QR codes, written while they are sent: one picture at a time is in memory."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import partial
from typing import IO, Any, cast
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from django.utils.text import slugify

from partners.models import Invitation
from partners.services.qr import qr_png, qr_svg

PNG_SIDE = 600
FORMATS = ("svg", "png")
_LONGEST_SLUG = 60


def qr_archive(
    *, invitations: Iterable[Invitation], kind: str, made_at: datetime, now: datetime
) -> Iterator[bytes]:
    """Yield a ZIP of the invitations' QR codes, SVG or PNG of 600 pixels, numbered as they come.

    Those that cannot be followed at `now` are left out; the others keep their numbers.
    """
    sink, draw = _Sink(), partial(qr_png, size=PNG_SIDE) if kind == "png" else qr_svg
    stamp = made_at.astimezone(UTC).timetuple()[:6]
    with ZipFile(cast("IO[bytes]", sink), "w") as archive:
        for number, invitation in enumerate(invitations, 1):
            if invitation.refusal(now) is not None:
                continue
            entry = ZipInfo(_name(number, invitation, kind), stamp)
            # A PNG is compressed already.
            entry.compress_type = ZIP_STORED if kind == "png" else ZIP_DEFLATED
            archive.writestr(entry, draw(invitation=invitation))
            yield sink.take()
    yield sink.take()


def _name(number: int, invitation: Invitation, kind: str) -> str:
    slug = slugify(invitation.label)[:_LONGEST_SLUG].strip("-_")
    return f"{number:04}-{slug}.{kind}" if slug else f"{number:04}.{kind}"


class _Sink(list[bytes]):
    """What has been written since it was last taken; cannot be sought, like a connection."""

    def write(self, data: Any) -> int:
        self.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        pass

    def take(self) -> bytes:
        taken = b"".join(self)
        self.clear()
        return taken
