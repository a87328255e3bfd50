"""A partner's logo: checked, drawn again without its metadata, and stored."""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import Any, Literal

from django.db import transaction
from PIL import Image, ImageOps, UnidentifiedImageError

from audit.models import Actor
from audit.services import record_audit_event
from partners.enums import LogoRefusal
from partners.models import Partner, PartnerLogo
from web.refused import Refused
from web.shown_versions import ShownVersion, check_shown
from web.transactions import whole_transaction

LOGO_FIELDS = ("logo", "logo_width", "logo_height")
FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
LARGEST_FILE = 256 * 1024
# What a small file can unfold to: 4 bytes a pixel in memory.
MOST_PIXELS = 8_000_000
# A first visit fits into one round trip with a logo of this many bytes.
LARGEST_PICTURE = 4_096
# At most, in pixels; pages show it at half of this, so it is sharp on phones.
SIZE = (320, 96)
PREVIEW_SIZE = (600, 315)
PREVIEW_LOGO_SIZE = (440, 200)
# Width (in pixels) and number of colours that are tried, until the file is small enough. With the
# last ones every picture is.
STEPS = ((320, 256), (320, 64), (320, 32), (240, 64), (240, 32), (160, 64), (160, 16), (160, 8))
# What Pillow raises for files that are broken, or made to break it.
BROKEN = (OSError, SyntaxError, ValueError, EOFError, OverflowError, MemoryError, ArithmeticError)
_SVG = re.compile(rb"<(?:\w+:)?svg[\s>]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class DrawnLogo:
    """A logo as it is stored: two PNG files, and the size at which pages show it, in CSS pixels."""

    picture: bytes
    preview: bytes
    width: int
    height: int

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.picture + self.preview).hexdigest()


def draw_logo(*, file: bytes) -> DrawnLogo:
    """Return what is stored of an uploaded picture, on white and without its margins.

    Only pixels are taken over: no metadata, and of an animation the first picture. Raises Refused
    with a LogoRefusal.
    """
    if len(file) > LARGEST_FILE:
        raise Refused(LogoRefusal.TOO_LARGE)
    logo = _on_white(_read(file))
    edges = _visible(logo).getbbox()
    if edges is None:
        raise Refused(LogoRefusal.BLANK)
    logo = logo.crop(edges)
    return DrawnLogo(_light_picture(logo), _preview(logo), *_shown_size(logo))


def find_picture(*, sha256: str, size: Literal["picture", "preview"]) -> bytes | None:
    """Return the PNG file of the logo with this key, or None."""
    found = PartnerLogo.objects.filter(sha256=sha256).values_list(size, flat=True).first()
    return None if found is None else bytes(found)


@whole_transaction
def set_logo(
    *,
    partner: Partner,
    logo: DrawnLogo | None,
    by: Actor,
    now: datetime,
    shown_version: ShownVersion | None = None,
) -> None:
    """Give the partner this logo, or none, with one audit event; updates `partner` too.

    Raises ChangedMeanwhile if the version is not that of `shown_logo()`.
    """
    with transaction.atomic():
        Partner.objects.select_for_update(no_key=True).get(pk=partner.pk)
        partner.refresh_from_db(fields=LOGO_FIELDS)
        before, shown = _stored_values(partner), shown_logo(partner)
        _put_logo(partner=partner, logo=logo, now=now)
        after = _stored_values(partner)
        if before == after:
            return
        check_shown(shown_version, shown, about=partner)
        partner.save(update_fields=[*LOGO_FIELDS, "updated_at"])
        record_audit_event(
            action="partner.logo_changed",
            about=partner,
            by=by,
            now=now,
            before=before,
            after=after,
        )


def shown_logo(partner: Partner) -> dict[str, Any]:
    """Return what a page shows of the logo that it can replace."""
    return {"logo": partner.logo_id}


def _put_logo(*, partner: Partner, logo: DrawnLogo | None, now: datetime) -> None:
    """Store the pictures and set the partner's LOGO_FIELDS.

    The caller has locked the partner, and saves it.
    """
    partner.logo = partner.logo_width = partner.logo_height = None
    if logo is not None:
        values = {"picture": logo.picture, "preview": logo.preview, "created_at": now}
        partner.logo, _is_new = PartnerLogo.objects.get_or_create(
            sha256=logo.sha256, defaults=values
        )
        partner.logo_width, partner.logo_height = logo.width, logo.height


def _stored_values(partner: Partner) -> dict[str, Any]:
    return {
        "logo": partner.logo_id,
        "logo_width": partner.logo_width,
        "logo_height": partner.logo_height,
    }


def _read(file: bytes) -> Image.Image:
    try:
        with Image.open(BytesIO(file), formats=FORMATS) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                raise Refused(LogoRefusal.TOO_MANY_PIXELS)
            # A phone's photo may lie on its side, as its metadata says.
            picture = ImageOps.exif_transpose(opened)
            if picture.mode.startswith("I"):
                # 16 bits of grey; converting alone would make them all white.
                picture = picture.point(lambda grey: grey / 256).convert("L")
            return picture.convert("RGBA")
    except UnidentifiedImageError as error:
        is_svg = _SVG.search(file[:4_096])
        raise Refused(LogoRefusal.SVG if is_svg else LogoRefusal.NOT_A_PICTURE) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Refused(LogoRefusal.TOO_MANY_PIXELS) from error
    except BROKEN as error:
        raise Refused(LogoRefusal.NOT_A_PICTURE) from error


def _on_white(picture: Image.Image) -> Image.Image:
    """Return the picture without transparency: mail programs choose any background."""
    white = Image.new("RGBA", picture.size, "white")
    return Image.alpha_composite(white, picture).convert("RGB")


def _visible(logo: Image.Image) -> Image.Image:
    """Return the picture in black, with white where it can be told from a white page."""
    darkness = ImageOps.invert(logo).convert("L")
    # JPEG leaves traces in what was white.
    return darkness.point(lambda value: 255 if value > 12 else 0)


def _light_picture(logo: Image.Image) -> bytes:
    """Return the picture after the first of the steps that makes it light enough."""
    for width, colours in STEPS:
        fitted = logo.copy()
        fitted.thumbnail((width, width * SIZE[1] // SIZE[0]))
        png = _png(fitted, colours)
        if len(png) <= LARGEST_PICTURE:
            break
    return png


def _shown_size(logo: Image.Image) -> tuple[int, int]:
    """Return the size on pages, in CSS pixels: at most half of SIZE, and never enlarged."""
    scale = min(SIZE[0] / 2 / logo.width, SIZE[1] / 2 / logo.height, 1)
    return max(1, round(logo.width * scale)), max(1, round(logo.height * scale))


def _preview(logo: Image.Image) -> bytes:
    fitted = ImageOps.contain(logo, PREVIEW_LOGO_SIZE)
    preview = Image.new("RGB", PREVIEW_SIZE, "white")
    left, top = (PREVIEW_SIZE[0] - fitted.width) // 2, (PREVIEW_SIZE[1] - fitted.height) // 2
    preview.paste(fitted, (left, top))
    return _png(preview, colours=256)


def _png(picture: Image.Image, colours: int) -> bytes:
    png = BytesIO()
    picture.quantize(colours).save(png, "PNG", optimize=True)
    return png.getvalue()
