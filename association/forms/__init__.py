"""The forms of the journey, of My partner and of the console."""

from association.forms.joining import (
    AskForm,
    EnableForm,
    InstructionsForm,
    LetterForm,
    RegisterForm,
    TokenForm,
)

__all__ = [
    "AskForm",
    "EnableForm",
    "InstructionsForm",
    "LetterForm",
    "RegisterForm",
    "TokenForm",
]
