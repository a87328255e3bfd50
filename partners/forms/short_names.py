"""The field for the short name of a new partner."""

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _


class ShortNameField(forms.SlugField):
    """Small letters only: "North" beside "north" would be two partners that people confuse."""

    default_validators = [
        RegexValidator(r"\A[a-z0-9_-]+\Z", _("Use small letters a to z, digits, - and _ only."))
    ]
