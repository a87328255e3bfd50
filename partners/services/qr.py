"""QR codes of invitations, as SVG and PNG, drawn from the module matrix that `qrcode` makes.

Both are drawn here: qrcode's own SVG has no background, and a general image library needs several
times the time and more bytes for a picture of two colours and large squares.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from django.utils.html import escape
from django.utils.translation import gettext
from qrcode.constants import ERROR_CORRECT_M
from qrcode.main import QRCode

from partners.models import Invitation

PNG_SIZES = (300, 600, 1200)
QUIET_ZONE = 4

# How many alphanumeric characters these versions hold at level M. No link is short enough for
# version 2; a longer one than 90 gets the version it needs.
_CAPACITY = {3: 61, 4: 90}
# Choosing the mask takes three quarters of the time. Our texts are random, so any mask will do;
# this one gives the smallest pictures.
_MASK = 5

Matrix = list[list[bool]]


@dataclass(frozen=True, slots=True)
class Drawing:
    """A QR code as a page draws it itself: `path` strokes a square of `side` units."""

    side: int
    path: str


def qr_drawing(*, invitation: Invitation) -> Drawing:
    """Return the invitation's QR code for components/qr.html."""
    matrix = _matrix(invitation)
    return Drawing(len(matrix) + 2 * QUIET_ZONE, _svg_path(matrix))


def qr_svg(*, invitation: Invitation) -> bytes:
    """Return the invitation's QR code as SVG: dark on white in every colour scheme, no script."""
    matrix = _matrix(invitation)
    side = len(matrix) + 2 * QUIET_ZONE
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" role="img">'
        f"<title>{escape(gettext('QR code'))}</title>"
        f'<path fill="#fff" d="M0 0h{side}v{side}H0z"/>'
        f'<path stroke="#000" shape-rendering="crispEdges" d="{_svg_path(matrix)}"/></svg>'
    ).encode()


def qr_png(*, invitation: Invitation, size: int = PNG_SIZES[0]) -> bytes:
    """Return the invitation's QR code as PNG with one bit per pixel, `size` pixels wide and high.

    Modules are whole pixels; what is left over widens the quiet zone.
    """
    scanlines = b"".join(_scanlines(_matrix(invitation), size))
    header = struct.pack(">IIBBBBB", size, size, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in ((b"IHDR", header), (b"IDAT", zlib.compress(scanlines)), (b"IEND", b""))
    )


def _matrix(invitation: Invitation) -> Matrix:
    """Return rows of modules, True for dark. Upper case keeps the code alphanumeric and small."""
    text = invitation.link.upper()
    version = next((v for v, capacity in _CAPACITY.items() if len(text) <= capacity), None)
    code = QRCode(version=version, error_correction=ERROR_CORRECT_M, mask_pattern=_MASK)
    code.add_data(text, optimize=0)
    code.make(fit=version is None)
    matrix: Matrix = code.modules
    return matrix


def _svg_path(matrix: Matrix) -> str:
    """Return one path whose strokes, one unit thick, are the runs of dark modules."""
    # The first module belongs to a finder pattern and is always dark.
    path = [f"M{QUIET_ZONE} {QUIET_ZONE}.5"]
    pen_x = pen_y = 0
    for y, row in enumerate(matrix):
        x = 0
        for dark, run in groupby(row):
            length = len(list(run))
            if dark:
                if (x, y) != (pen_x, pen_y):
                    path.append(f"m{x - pen_x} {y - pen_y}")
                path.append(f"h{length}")
                pen_x, pen_y = x + length, y
            x += length
    return "".join(path)


def _scanlines(matrix: Matrix, size: int) -> Iterator[bytes]:
    """Yield the filtered lines of pixels: one in full, its repetitions as "same as above"."""
    scale = size // (len(matrix) + 2 * QUIET_ZONE)
    before = (size - len(matrix) * scale) // 2
    after = size - len(matrix) * scale - before
    width = (size + 7) // 8
    white = b"\x00" + b"\xff" * width
    same_as_above = b"\x02" + bytes(width)
    yield white
    yield from [same_as_above] * (before - 1)
    for row in matrix:
        bits = "1" * before + "".join("01"[not dark] * scale for dark in row) + "1" * after
        yield b"\x00" + int(bits.ljust(width * 8, "1"), 2).to_bytes(width, "big")
        yield from [same_as_above] * (scale - 1)
    yield white
    yield from [same_as_above] * (after - 1)
