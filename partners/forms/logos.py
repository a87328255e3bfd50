"""The form field with which a partner's logo is uploaded, replaced or removed."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from partners.models.logos import logo_path
from partners.refusals import sentence_for
from partners.services.logos import DrawnLogo, draw_logo
from web.refused import Refused


class StoredLogo(str):
    """The key of the stored logo, of which the widget shows the picture."""

    __slots__ = ()

    @property
    def url(self) -> str:
        return logo_path(self)


class LogoInput(forms.ClearableFileInput):
    """Shows the stored logo as a picture, above a box that removes it and the file's field."""

    template_name = "partners/_logo_input.html"

    def __init__(self, *, shows_picture: bool = True) -> None:
        super().__init__()
        self.shows_picture = shows_picture

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        context["widget"]["shows_picture"] = self.shows_picture
        return context


class LogoField(forms.FileField):
    """A picture file. Its value is a DrawnLogo, or False to remove the logo, or what is stored."""

    widget = LogoInput

    def __init__(self, **options: Any) -> None:
        texts = {
            "label": _("Logo"),
            "help_text": _(
                "PNG, JPEG, WebP or GIF, at most 256 kB. It is shown on white, at most 160 × 48 "
                "pixels large."
            ),
        }
        super().__init__(required=False, **texts | options)

    def clean(self, data: Any, initial: Any = None) -> DrawnLogo | StoredLogo | bool | None:
        value = super().clean(data, initial)
        if not hasattr(value, "read"):
            return value  # type: ignore[no-any-return]
        try:
            return draw_logo(file=value.read())
        except Refused as refused:
            raise ValidationError(sentence_for(refused)) from refused
