"""Logos: what is taken, what is made of it, who may load it, and how it is changed."""

import hashlib
from dataclasses import replace
from datetime import timedelta
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from PIL import Image, ImageDraw

from audit.models import AuditEvent
from partners.enums import LogoRefusal
from partners.models import Partner, PartnerLogo
from partners.refusals import SENTENCES
from partners.services.logos import LARGEST_PICTURE, draw_logo, set_logo
from tests import factories
from tests.shown_forms import version_of
from web.refused import Refused

pytestmark = pytest.mark.django_db

WHITE, BLUE = (255, 255, 255), (20, 90, 160)


def picture_of(file: bytes) -> Image.Image:
    return Image.open(BytesIO(file))


def saved(picture: Image.Image, file_format: str = "PNG", **options) -> bytes:
    file = BytesIO()
    picture.save(file, file_format, **options)
    return file.getvalue()


def drawing(size=(900, 260), mode="RGB", ground=WHITE) -> Image.Image:
    """Return a blue bar with a margin of ten pixels."""
    picture = Image.new(mode, size, ground)
    ImageDraw.Draw(picture).rectangle((10, 10, size[0] - 11, size[1] - 11), fill=BLUE)
    return picture


def noise(size) -> Image.Image:
    block = hashlib.shake_256(b"seed").digest(size[0] * size[1] * 3)
    return Image.frombytes("RGB", size, block)


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "WEBP", "GIF"])
def test_each_format_becomes_a_small_png_without_margins(file_format):
    logo = draw_logo(file=saved(drawing(), file_format))

    # JPEG's traces around the bar are a pixel wide.
    assert logo.width == 160
    assert logo.height in {44, 45}
    picture, preview = picture_of(logo.picture), picture_of(logo.preview)
    assert (picture.format, preview.format) == ("PNG", "PNG")
    assert (picture.width, preview.size) == (320, (600, 315))
    assert picture.convert("RGB").getpixel((4, 40)) == pytest.approx(BLUE, abs=12)


@pytest.mark.parametrize(
    ("size", "shown"),
    [((120, 116), (50, 48)), ((70, 40), (50, 20)), ((1020, 30), (160, 2)), ((21, 21), (1, 1))],
    ids=["a high one", "a small one", "a long one", "a dot"],
)
def test_it_is_shown_at_most_160_by_48_and_never_enlarged(size, shown):
    logo = draw_logo(file=saved(drawing(size)))

    assert (logo.width, logo.height) == shown


def test_any_picture_is_light_enough():
    logo = draw_logo(file=saved(noise((320, 96)), "JPEG"))

    assert len(logo.picture) <= LARGEST_PICTURE
    assert picture_of(logo.picture).size == (160, 48)


def test_the_key_is_of_both_pictures():
    logo = draw_logo(file=saved(drawing()))
    other = replace(logo, preview=logo.preview + b"\0")
    assert logo.sha256 != other.sha256


def test_no_metadata_is_kept():
    exif = Image.Exif()
    exif[0x010E] = "secret place"
    file = saved(drawing(), "JPEG", exif=exif, comment=b"secret comment")
    assert b"secret" in file

    logo = draw_logo(file=file)

    assert b"secret" not in logo.picture + logo.preview
    assert picture_of(logo.picture).info.keys() <= {"transparency"}


def test_a_photo_that_lies_on_its_side_is_turned():
    exif = Image.Exif()
    exif[0x0112] = 6
    logo = draw_logo(file=saved(drawing((60, 240)), "JPEG", exif=exif))

    assert logo.width == 160
    assert logo.height in {29, 30}


def test_what_is_transparent_becomes_white():
    file = saved(drawing(mode="RGBA", ground=(0, 0, 0, 0)))

    assert draw_logo(file=file).picture == draw_logo(file=saved(drawing())).picture


def test_grey_of_sixteen_bits_stays_grey():
    logo = draw_logo(file=saved(Image.new("I;16", (50, 50), 0x8000)))

    assert picture_of(logo.picture).convert("RGB").getpixel((9, 9)) == (128, 128, 128)


def test_an_animation_becomes_its_first_picture():
    frames = [drawing(ground=BLUE), drawing()]
    file = saved(frames[0], "GIF", save_all=True, append_images=frames[1:])

    assert draw_logo(file=file).picture == draw_logo(file=saved(frames[0], "GIF")).picture


SVG = b'<?xml version="1.0"?>\n<!-- mine -->\n<svg xmlns="http://www.w3.org/2000/svg"></svg>'
PNG = saved(drawing())


@pytest.mark.parametrize(
    ("file", "code"),
    [
        (b"", LogoRefusal.NOT_A_PICTURE),
        (b"\0" * (256 * 1024 + 1), LogoRefusal.TOO_LARGE),
        (SVG, LogoRefusal.SVG),
        (SVG.replace(b"svg", b"html"), LogoRefusal.NOT_A_PICTURE),
        (PNG[:200], LogoRefusal.NOT_A_PICTURE),
        (PNG[:60] + b"\xff" * 9 + PNG[69:], LogoRefusal.NOT_A_PICTURE),
        (saved(drawing(), "TIFF", compression="tiff_lzw"), LogoRefusal.NOT_A_PICTURE),
        (saved(Image.new("1", (4000, 2001))), LogoRefusal.TOO_MANY_PIXELS),
        (saved(Image.new("1", (10_000, 10_000))), LogoRefusal.TOO_MANY_PIXELS),
        (saved(Image.new("RGBA", (50, 50))), LogoRefusal.BLANK),
        (saved(Image.new("RGB", (50, 50), WHITE)), LogoRefusal.BLANK),
    ],
    ids=[
        "empty file",
        "large file",
        "SVG",
        "other XML",
        "half a file",
        "changed bytes",
        "another format",
        "too many pixels",
        "decompression bomb",
        "transparent",
        "white",
    ],
)
def test_what_is_no_logo_is_refused(file, code):
    with pytest.raises(Refused) as refused:
        draw_logo(file=file)

    assert refused.value.code == code


# --- served


@pytest.fixture
def partner() -> Partner:
    partner = factories.PartnerFactory.create()
    set_logo(partner=partner, logo=draw_logo(file=PNG), by=None, now=timezone.now())
    return partner


@pytest.mark.parametrize("size", ["picture", "preview"])
def test_a_logo_is_served_like_a_static_file(partner, size, django_assert_num_queries):
    path = partner.logo_path if size == "picture" else partner.preview_path
    client = Client()
    client.cookies["language"] = "en"

    with django_assert_num_queries(1):
        answer = client.get(f"{path}?lang=en")

    assert (answer.status_code, answer.content) == (200, bytes(getattr(partner.logo, size)))
    named = ("Content-Type", "Cache-Control", "X-Content-Type-Options", "Vary")
    assert [answer.get(name) for name in named] == [
        "image/png",
        "public, max-age=31536000, immutable",
        "nosniff",
        None,
    ]
    assert answer["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert dict(answer.cookies) == {}
    assert client.head(path).status_code == 200


def test_a_browser_that_has_the_logo_is_sent_nothing(partner):
    etag = Client().get(partner.logo_path)["ETag"]

    answer = Client().get(partner.logo_path, headers={"If-None-Match": etag})

    assert (answer.status_code, answer.content) == (304, b"")
    assert answer["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer["Cross-Origin-Resource-Policy"] == "cross-origin"


@pytest.mark.parametrize("key", ["0" * 64, "x", "0" * 63, "%00" * 64])
def test_an_unknown_logo_is_a_404_that_no_cache_keeps(client, key):
    answer = client.get(f"/logo/{key}.png", headers={"If-None-Match": "*"})

    assert (answer.status_code, answer["Cache-Control"]) == (404, "no-store")


# --- changed


def test_setting_and_removing_a_logo_is_audited_and_the_picture_stays(partner):
    first, now = partner.logo_id, timezone.now()
    set_logo(partner=partner, logo=draw_logo(file=PNG), by=None, now=now)
    set_logo(partner=partner, logo=None, by=None, now=now + timedelta(seconds=1))

    stored = Partner.objects.get()
    assert (stored.logo_id, stored.logo_width, stored.logo_path) == (None, None, "")
    events = AuditEvent.objects.filter(action="partner.logo_changed").order_by("pk")
    assert [(event.before["logo"], event.after["logo"]) for event in events] == [
        (None, first),
        (first, None),
    ]
    assert PartnerLogo.objects.filter(pk=first).exists()


@pytest.fixture
def admin_client() -> Client:
    client = Client()
    client.force_login(factories.UserFactory.create(staff=True, is_superuser=True))
    return client


def page_of(partner: Partner) -> str:
    return reverse("admin:partners_partner_change", args=[partner.pk])


def typed_on(client: Client, page: str, **changes) -> dict:
    """Return what a browser sends of the page's form, with changes."""
    answer = client.get(page)
    form = answer.context["adminform"].form
    shown = {field.name: field.value() for field in form if field.name != "logo"}
    ticked = {name: "on" for name, value in shown.items() if value is True}
    texts = {name: value for name, value in shown.items() if isinstance(value, str)}
    return {**texts, **ticked, "country": str(shown["country"]), **version_of(answer), **changes}


def upload(content: bytes = PNG) -> SimpleUploadedFile:
    return SimpleUploadedFile("logo.png", content, content_type="image/png")


def test_an_administrator_uploads_replaces_and_removes_a_logo(admin_client):
    partner = factories.PartnerFactory.create(name="North")
    page = page_of(partner)

    answer = admin_client.post(page, typed_on(admin_client, page, logo=upload(), name="Nord"))
    assert answer.status_code == 302
    partner.refresh_from_db()
    assert (partner.name, partner.logo_width, partner.logo_height) == ("Nord", 160, 44)
    assert list(AuditEvent.objects.order_by("pk").values_list("action", "before", "after")) == [
        ("partner.changed", {"name": "North"}, {"name": "Nord"}),
        (
            "partner.logo_changed",
            {"logo": None, "logo_width": None, "logo_height": None},
            {"logo": partner.logo_id, "logo_width": 160, "logo_height": 44},
        ),
    ]
    page_text = admin_client.get(page).content.decode()
    assert f'<img src="{partner.logo_path}" alt="The logo now">' in page_text
    assert f">{partner.logo_id}<" not in page_text

    admin_client.post(page, typed_on(admin_client, page, name="Nordwind"))
    partner.refresh_from_db()
    assert (partner.name, partner.logo_width) == ("Nordwind", 160)

    admin_client.post(page, typed_on(admin_client, page, **{"logo-clear": "on"}))
    partner.refresh_from_db()
    assert (partner.logo, partner.logo_width) == (None, None)


def test_a_file_that_is_refused_keeps_what_was_typed(admin_client, partner):
    page = page_of(partner)

    answer = admin_client.post(page, typed_on(admin_client, page, logo=upload(SVG), name="Nord"))

    assert answer.status_code == 400
    form = answer.context["adminform"].form
    assert form.errors == {"logo": [SENTENCES[LogoRefusal.SVG]]}
    assert form["name"].value() == "Nord"
    assert Partner.objects.get().logo_id == partner.logo_id


def test_of_two_uploads_the_second_is_told(admin_client, partner):
    page = page_of(partner)
    typed = typed_on(admin_client, page, logo=upload(saved(drawing((100, 100)))))
    set_logo(partner=partner, logo=None, by=None, now=timezone.now())

    answer = admin_client.post(page, typed)

    assert answer.status_code == 409
    assert Partner.objects.get().logo_id is None
