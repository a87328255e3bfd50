"""The sentences for what accounts refuses, by the code of the refusal."""

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from accounts.services.account_names import AccountNameRefused
from accounts.services.codes import CodeRefused

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

_CODES = {
    "wrong": _(
        "That is not the code we sent. Check the newest e-mail and type the six digits again."
    ),
    "expired": _("This code has expired: a code lasts ten minutes. Request a new code."),
    "used_up": _("The code was mistyped too often. Request a new code."),
}
_ACCOUNT_NAMES = {
    "changed_before": _("The account name has been changed before; that is possible once."),
    "malformed": _(
        "Use 4 to 40 letters, digits, dots, hyphens or underscores, beginning with a letter. Names"
        " like those we give out can’t be chosen."
    ),
    "taken": _("This account name is not available. Choose another one."),
}


def code_refusal(refused: CodeRefused) -> "StrOrPromise":
    """Return the sentence for a refused verification code."""
    return _CODES[refused.code]


def account_name_refusal(refused: AccountNameRefused) -> "StrOrPromise":
    """Return the sentence for a refused account name."""
    return _ACCOUNT_NAMES[refused.code]
