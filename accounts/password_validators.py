"""A password rule beyond those of Django."""

import re

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

_NEITHER_LETTER_NOR_DIGIT = re.compile(r"[\W_]+")
_MIN_LENGTH_WITHOUT_NAME = 8


def _simplified(text: str) -> str:
    return _NEITHER_LETTER_NOR_DIGIT.sub("", text.casefold())


class ProviderNameValidator:
    def validate(self, password: str, user: AbstractBaseUser | None = None) -> None:
        simple, name = _simplified(password), _simplified(settings.PROVIDER_NAME)
        if name and name in simple and len(simple.replace(name, "")) < _MIN_LENGTH_WITHOUT_NAME:
            raise ValidationError(
                _("This password is too close to our name. Choose one that is harder to guess."),
                code="password_is_provider_name",
            )

    def get_help_text(self) -> str:
        return _("Your password can’t be our name with little beside it.")
