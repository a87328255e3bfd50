"""Following an invitation: finding it by its token, and taking one of its uses.

The only writer of use counts is `use_invitation()`.
"""

from datetime import datetime

from django.db.models import F

from partners.enums import InvitationRefusal
from partners.models import Invitation
from partners.services.by_token import load_invitation
from partners.tokens import canonical_token


class InvitationRefused(Exception):
    """The invitation cannot be followed; `code` says why."""

    def __init__(self, code: InvitationRefusal) -> None:
        super().__init__(code.value)
        self.code = code


def find_invitation(token_text: str) -> Invitation | None:
    """Return the invitation with this token, its partner loaded, live or not; None if unknown.

    The token may be in any case and with look-alike letters. One query; none for text that
    cannot be a token.
    """
    token = canonical_token(token_text)
    return None if token is None else load_invitation(token)


def use_invitation(*, invitation: Invitation, now: datetime) -> None:
    """Take one use of an invitation that is live at `now`, in one conditional UPDATE.

    Must be the last statement of the association's transaction: the row stays locked from here
    to the commit. `now` is the database's clock, read after the transaction's locks. Whoever
    waited for the row is decided on what it has become. Raises InvitationRefused, after which the
    caller's transaction must roll back.
    """
    live = Invitation.objects.filter(pk=invitation.pk).live(now)
    if live.update(used_count=F("used_count") + 1):
        return
    current = Invitation.objects.select_related("partner").filter(pk=invitation.pk).first()
    refusal = InvitationRefusal.UNKNOWN if current is None else current.refusal(now)
    # Between the two statements a partner may have been unfrozen or a use added: what counted
    # was the UPDATE, and by then nothing was left.
    raise InvitationRefused(refusal or InvitationRefusal.USED_UP)
