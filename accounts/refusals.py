"""The sentences for what accounts refuses, by the code of the refusal."""

from enum import Enum
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from accounts.enums import (
    AccountNameRefusal,
    AdministrationRefusal,
    CodeRefusal,
    SecondFactorRefusal,
)
from web.refused import Refused

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

SENTENCES: "dict[Enum, StrOrPromise]" = {
    AccountNameRefusal.CHANGED_BEFORE: _(
        "The account name has been changed before; that is possible once."
    ),
    AccountNameRefusal.MALFORMED: _(
        "Use 4 to 40 letters, digits, dots, hyphens or underscores, beginning with a letter. Names"
        " like those we give out can’t be chosen."
    ),
    AccountNameRefusal.TAKEN: _("This account name is not available. Choose another one."),
    AdministrationRefusal.EMAIL_TAKEN: _("There is a user with this e-mail address already."),
    AdministrationRefusal.NOT_ACTIVE: _("This user is not active."),
    CodeRefusal.EXPIRED: _("This code has expired: a code lasts ten minutes. Request a new code."),
    CodeRefusal.USED_UP: _("The code was mistyped too often. Request a new code."),
    CodeRefusal.WRONG: _(
        "That is not the code we sent. Check the newest e-mail and type the six digits again."
    ),
    SecondFactorRefusal.APP_CODE_WRONG: _("That is not the code that the app shows now."),
    SecondFactorRefusal.CODE_WRONG_OR_USED: _("That is not the code, or it has been used."),
    SecondFactorRefusal.ON_ALREADY: _("The second factor is on already."),
    SecondFactorRefusal.PASSWORD_CHANGED: _(
        "Your password has been changed meanwhile. Log in again with the new one."
    ),
}


def refusal_sentence(refused: Refused) -> "StrOrPromise":
    return SENTENCES[refused.code]
