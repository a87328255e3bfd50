"""What a password must not be, beyond what Django's validators know."""

import re

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

_NOT_A_LETTER = re.compile(r"[\W_]+")
_LEAST_BESIDE_THE_NAME = 8


def _bare(text: str) -> str:
    return _NOT_A_LETTER.sub("", text.casefold())


class ProviderNameValidator:
    """Refuses a password that is little more than the provider's name."""

    def validate(self, password: str, user: AbstractBaseUser | None = None) -> None:
        """Raise ValidationError if fewer than eight characters are left without the name."""
        bare, name = _bare(password), _bare(settings.PROVIDER_NAME)
        if name and name in bare and len(bare.replace(name, "")) < _LEAST_BESIDE_THE_NAME:
            raise ValidationError(
                _("This password is too close to our name. Choose one that is harder to guess."),
                code="password_is_provider_name",
            )

    def get_help_text(self) -> str:
        """Say the rule."""
        return _("Your password can’t be our name with little beside it.")
