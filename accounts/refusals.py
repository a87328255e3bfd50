"""The sentences for what accounts refuses, by the code of the refusal."""

from datetime import timedelta
from enum import Enum
from math import ceil, floor
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.enums import (
    AccountNameRefusal,
    AdministrationRefusal,
    CodeRefusal,
    ConnectionRefusal,
    CustomerAccountRefusal,
    SecondFactorRefusal,
)
from accounts.services.codes import KEPT_FOR_OWNER, LIFETIME, PER_DAY, PER_HOUR
from web.moments import clock_text, next_minute
from web.refused import Refused

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

# The numbers in the sentences.
_NUMBERS = {
    "minutes": LIFETIME // timedelta(minutes=1),
    "per_hour": PER_HOUR,
    "per_day": PER_DAY - KEPT_FOR_OWNER,
}
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
    AdministrationRefusal.PASSWORDS_OFF: _("Passwords are not used here (PASSWORD_LOGIN)."),
    ConnectionRefusal.OF_ANOTHER_USER: _(
        "This log-in is connected with another account already. Nothing has been changed."
    ),
    ConnectionRefusal.ADDRESS_TAKEN: _("An account with your e-mail address exists already."),
    ConnectionRefusal.ACCOUNT_TAKEN: _(
        "Your account is here already, with another address or another way to log in. Log in that"
        " way, or ask the support."
    ),
    ConnectionRefusal.NOT_ACTIVE: _("This user is not active."),
    ConnectionRefusal.LAST_WAY_IN: _(
        "This is your only way to log in, so it stays connected. Set a password or connect another"
        " log-in first."
    ),
    CodeRefusal.EXPIRED: _(
        "This code has expired: a code lasts %(minutes)s minutes. Request a new code."
    ),
    CodeRefusal.USED_UP: _("The code was mistyped too often. Request a new code."),
    CodeRefusal.WRONG: _(
        "That is not the newest code of this page: type the six digits of its newest e-mail."
    ),
    CodeRefusal.NOT_VALID: _(
        "This code is not right or no longer works. Type the newest one, or send a new code."
    ),
    CodeRefusal.SENT_JUST_NOW: _(
        "No new code: one went to this address %(ago)s; the next is possible in %(wait)s."
    ),
    CodeRefusal.HOUR_USED_UP: _(
        "No new code: %(per_hour)s within the hour; the next is possible at %(at)s."
    ),
    CodeRefusal.DAY_USED_UP: _(
        "No new code: %(per_day)s within 24 hours; the next is possible at %(at)s."
    ),
    CustomerAccountRefusal.EXTERNAL_ID_TAKEN: _("Another account has this external id."),
    CustomerAccountRefusal.ADDRESS_TAKEN: _(
        "Somebody with this e-mail address is known already. Give the external id to their account;"
        " if they have none, add the account with another address."
    ),
    CustomerAccountRefusal.SERVICES_IN_USE: _(
        "The account is associated with a partner. End the association first."
    ),
    SecondFactorRefusal.APP_CODE_WRONG: _("That is not the code that the app shows now."),
    SecondFactorRefusal.CODE_WRONG_OR_USED: _("That is not the code, or it has been used."),
    SecondFactorRefusal.ON_ALREADY: _("The second factor is on already."),
    SecondFactorRefusal.PASSWORD_CHANGED: _(
        "Your password has been changed meanwhile. Log in again with the new one."
    ),
}


def refusal_sentence(refused: Refused) -> "StrOrPromise":
    sentence = SENTENCES[refused.code]
    if not isinstance(refused.code, CodeRefusal):
        return sentence
    if refused.again_at is None:
        return sentence % _NUMBERS
    sent_at, now = refused.context["sent_at"], refused.context["now"]
    return sentence % {
        **_NUMBERS,
        "ago": _ago(floor((now - sent_at).total_seconds())),
        "wait": _seconds(ceil((refused.again_at - now).total_seconds())),
        "at": clock_text(next_minute(refused.again_at)),
    }


def _ago(seconds: int) -> "StrOrPromise":
    if seconds < 1:
        return _("just now")
    text = ngettext("%(number)s second ago", "%(number)s seconds ago", seconds)
    return text % {"number": seconds}


def _seconds(number: int) -> str:
    return ngettext("%(number)s second", "%(number)s seconds", number) % {"number": number}
