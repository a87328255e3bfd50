"""The logo of the demo's partner, drawn by this program."""

from io import BytesIO

from PIL import Image, ImageDraw, ImageFont

NIGHT, GREEN, VIOLET = "#14213d", "#1f9d7a", "#6a4fc9"


def demo_logo() -> bytes:
    """Return the PNG of two northern lights over a dark circle, and the partner's name."""
    picture = Image.new("RGB", (1280, 384), "white")
    draw = ImageDraw.Draw(picture)
    draw.ellipse((32, 32, 352, 352), fill=NIGHT)
    draw.arc((96, 120, 416, 440), start=195, end=275, fill=GREEN, width=28)
    draw.arc((32, 152, 288, 408), start=210, end=300, fill=VIOLET, width=28)
    draw.text((400, 60), "Nordlicht", font=ImageFont.load_default(150), fill=NIGHT)
    draw.text((406, 216), "Systems", font=ImageFont.load_default(100), fill=GREEN)
    file = BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()
