"""QR codes of invitations, as SVG and PNG."""

from dataclasses import dataclass
from io import BytesIO
from itertools import groupby

from django.utils.html import escape
from django.utils.translation import gettext
from PIL import Image
from qrcode.constants import ERROR_CORRECT_M
from qrcode.main import QRCode
from qrcode.util import MODE_8BIT_BYTE, MODE_ALPHA_NUM, QRData

from partners.models import Invitation

PNG_SIZES = (300, 600, 1200)
QUIET_ZONE = 4

# Choosing the best mask takes three quarters of the time. Our texts are random, so any mask will
# do.
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
    drawing = qr_drawing(invitation=invitation)
    side = drawing.side
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" role="img">'
        f"<title>{escape(gettext('QR code'))}</title>"
        f'<path fill="#fff" d="M0 0h{side}v{side}H0z"/>'
        f'<path stroke="#000" shape-rendering="crispEdges" d="{drawing.path}"/></svg>'
    ).encode()


def qr_png(*, invitation: Invitation, size: int = PNG_SIZES[0]) -> bytes:
    """Return the invitation's QR code as PNG with one bit per pixel, `size` pixels wide and high.

    Modules are whole pixels; what is left over widens the quiet zone.
    """
    matrix = _matrix(invitation)
    side = len(matrix)
    scale = size // (side + 2 * QUIET_ZONE)
    code = Image.new("1", (side, side))
    code.putdata([not dark for row in matrix for dark in row])
    picture = Image.new("1", (size, size), color=1)
    margin = (size - side * scale) // 2
    picture.paste(code.resize((side * scale, side * scale)), (margin, margin))
    png = BytesIO()
    picture.save(png, "PNG", optimize=True)
    return png.getvalue()


def _matrix(invitation: Invitation) -> Matrix:
    """Return rows of modules, True for dark.

    The scheme and host stay in small letters: several phones do not open "HTTPS://". The token in
    capitals is alphanumeric, which takes 5.5 bits per character instead of 8.
    """
    base = invitation.link.removesuffix(invitation.token)
    code = QRCode(error_correction=ERROR_CORRECT_M, mask_pattern=_MASK)
    code.add_data(QRData(base.encode(), MODE_8BIT_BYTE))
    code.add_data(QRData(invitation.token.upper(), MODE_ALPHA_NUM))
    code.make()
    matrix: Matrix = code.modules
    return matrix


def _svg_path(matrix: Matrix) -> str:
    """Return one path whose strokes, one unit thick, are the runs of dark modules.

    Our own, because qrcode's factories draw one square per module: 8 kB instead of 1.6 kB.
    """
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
