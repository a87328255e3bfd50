"""QR codes: another decoder reads the text exactly, on screen and on paper."""

import base64
import io
import re
from statistics import mean
from xml.etree import ElementTree as ET

import pytest
import zxingcpp
from PIL import Image, ImageDraw

from partners.checks import LONGEST_BASE
from partners.services.qr import PNG_SIZES, qr_png, qr_svg
from partners.tokens import new_token
from tests.factories import InvitationFactory
from tests.scanning import scanned_text

SVG = "{http://www.w3.org/2000/svg}"
BASES = {
    "short": "http://a.b",
    "usual": "https://partners.example.com",
    "forty": "https://partners.cloud.example.com:18443",
    "longest": "https://" + "partners." * 6,
    "too long": "https://" + "partners." * 9 + "com:8443",
}
BASES["longest"] = BASES["longest"].ljust(62, "x")
PRINTED = round(2 / 2.54 * 300)


@pytest.fixture(params=BASES)
def invitation(request, settings):
    """An invitation that is not stored, under each base.

    The token is fixed: a code of the base that is too long is not always readable on paper.
    """
    settings.PUBLIC_BASE_URL = BASES[request.param]
    return InvitationFactory.build(partner=None, token="a1b2c3d4e5f6g7h8j9k0m1n2p3")


def decode(picture: Image.Image) -> zxingcpp.Barcode:
    """Read the one QR code in the picture."""
    [barcode] = zxingcpp.read_barcodes(picture)
    return barcode


def on_paper(picture: Image.Image) -> Image.Image:
    """The picture as a printer of 300 dots per inch makes it, two centimetres wide."""
    small = picture.convert("L").resize((PRINTED, PRINTED), Image.Resampling.BOX)
    paper = Image.new("L", (PRINTED + 80, PRINTED + 80), 255)
    paper.paste(small, (40, 40))
    return paper


def drawn(svg: bytes, scale: int = 12) -> Image.Image:
    """Draw the SVG's strokes as squares, without the library that made its modules."""
    root = ET.fromstring(svg)  # noqa: S314 - our own picture
    side = int(root.attrib["viewBox"].split()[2])
    picture = Image.new("L", (side * scale, side * scale), 255)
    pen = ImageDraw.Draw(picture)
    path = root.findall(f"{SVG}path")[1].attrib["d"]
    start = re.match(r"M(\d+) (\d+)\.5", path)
    assert start is not None
    x, y = int(start[1]), int(start[2])
    for step, first, second in re.findall(r"([mh])(-?\d+)(?: (-?\d+))?", path):
        if step == "h":
            box = (x * scale, y * scale, (x + int(first)) * scale - 1, (y + 1) * scale - 1)
            pen.rectangle(box, fill=0)
            x += int(first)
        else:
            x, y = x + int(first), y + int(second)
    return picture


@pytest.mark.parametrize("size", PNG_SIZES)
def test_png_decodes_to_the_base_and_the_token_in_capitals(invitation, size):
    png = qr_png(invitation=invitation, size=size)
    picture = Image.open(io.BytesIO(png))
    assert (picture.format, picture.mode, picture.size) == ("PNG", "1", (size, size))
    assert decode(picture).text == scanned_text(invitation)
    assert decode(on_paper(picture)).text == scanned_text(invitation)


def test_svg_decodes_to_the_base_and_the_token_in_capitals(invitation):
    picture = drawn(qr_svg(invitation=invitation))
    assert decode(picture).text == scanned_text(invitation)
    assert decode(on_paper(picture)).text == scanned_text(invitation)


def test_svg_is_an_image_on_white_with_a_quiet_zone_and_no_script(invitation):
    root = ET.fromstring(qr_svg(invitation=invitation))  # noqa: S314 - our own picture
    side = int(root.attrib["viewBox"].split()[2])
    assert root.attrib["role"] == "img"
    assert [child.tag for child in root] == [f"{SVG}title", f"{SVG}path", f"{SVG}path"]
    assert root[1].attrib == {"fill": "#fff", "d": f"M0 0h{side}v{side}H0z"}
    dark = drawn(qr_svg(invitation=invitation), scale=1).point(lambda value: 255 - value)
    assert dark.getbbox() == (4, 4, side - 4, side - 4)


@pytest.mark.parametrize("base", ["short", "usual", "forty"])
def test_codes_of_usual_links_are_small(settings, base):
    """On average: the length of a picture depends on its token."""
    settings.PUBLIC_BASE_URL = BASES[base]
    codes = [InvitationFactory.build(partner=None, token=new_token()) for _ in range(50)]
    assert mean(len(qr_png(invitation=code)) for code in codes) <= 800
    assert mean(len(qr_svg(invitation=code)) for code in codes) <= 2048


@pytest.mark.parametrize(
    ("base", "version"), [("short", 3), ("usual", 4), ("forty", 4), ("longest", 5)]
)
def test_code_is_of_version_five_at_most_and_level_m(settings, base, version):
    settings.PUBLIC_BASE_URL = BASES[base]
    invitation = InvitationFactory.build(partner=None)
    barcode = decode(Image.open(io.BytesIO(qr_png(invitation=invitation))))
    side = drawn(qr_svg(invitation=invitation), scale=1).width - 8
    assert side == 17 + 4 * version
    assert barcode.ec_level == "M"


def test_bases_have_the_lengths_of_the_limits():
    assert (len(BASES["forty"]), len(BASES["longest"])) == (40, LONGEST_BASE)


@pytest.mark.parametrize("size", PNG_SIZES)
def test_png_has_a_quiet_zone_of_four_modules(invitation, size):
    picture = Image.open(io.BytesIO(qr_png(invitation=invitation, size=size))).convert("L")
    left, top, right, bottom = picture.point(lambda value: 255 - value).getbbox()
    modules = drawn(qr_svg(invitation=invitation), scale=1).width - 8
    assert ((right - left) % modules, bottom - top) == (0, right - left)
    module = (right - left) // modules
    assert min(left, top, size - right, size - bottom) >= 4 * module


def test_same_invitation_gives_the_same_bytes():
    invitation = InvitationFactory.build(partner=None, token="a1b2c3d4e5f6g7h8j9k0m1n2p3")
    assert qr_png(invitation=invitation) == qr_png(invitation=invitation)
    assert qr_svg(invitation=invitation) == qr_svg(invitation=invitation)


@pytest.mark.browser
def test_svg_in_a_page_decodes_in_the_dark_too(page):
    invitation = InvitationFactory.build(partner=None)
    source = base64.b64encode(qr_svg(invitation=invitation)).decode()
    page.emulate_media(color_scheme="dark")
    page.set_content(
        '<body style="background:#000">'
        f'<img alt="" width="260" src="data:image/svg+xml;base64,{source}"></body>'
    )
    picture = Image.open(io.BytesIO(page.locator("img").screenshot()))
    assert decode(picture).text == scanned_text(invitation)
