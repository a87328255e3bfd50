"""Following an invitation: finding it by its token, and taking one of its uses."""

from datetime import datetime

from django.db.models import F, QuerySet

from partners.enums import InvitationRefusal
from partners.models import Invitation
from partners.tokens import canonical_token
from web.fixed_queries import KEY, MOMENT, TEXT, fixed_query, fixed_update
from web.refused import Refused


class InvitationRefused(Refused):
    """The invitation cannot be followed."""

    code: InvitationRefusal


def find_invitation(token_text: str) -> Invitation | None:
    """Return the invitation with this token, its partner loaded, live or not; None if unknown.

    The token may be in any case and with look-alike letters. One query; none for text that
    cannot be a token.
    """
    token = canonical_token(token_text)
    return None if token is None else _invitations.first(token)


@fixed_query(TEXT)
def _invitations(token: str) -> QuerySet[Invitation]:
    return Invitation.objects.select_related("partner").filter(token=token)


def use_invitation(*, invitation: Invitation, now: datetime) -> None:
    """Take one use of an invitation that is live at `now`, in one conditional UPDATE.

    The only writer of use counts. Must be the last statement of the association's transaction: the
    row stays locked from here to the commit. `now` is the database's clock, read after the
    transaction's locks. An UPDATE that waited for the row decides on what the row has become.
    Raises InvitationRefused, after which the caller's transaction must roll back.
    """
    if _use_of_live.run(invitation.pk, now):
        return
    current = Invitation.objects.select_related("partner").filter(pk=invitation.pk).first()
    refusal = InvitationRefusal.UNKNOWN if current is None else current.refusal(now)
    # Between the two statements a partner may have been unfrozen or a use added. The UPDATE
    # decided, and at its moment no use was left.
    raise InvitationRefused(refusal or InvitationRefusal.USED_UP)


@fixed_update(KEY, MOMENT, used_count=F("used_count") + 1)
def _use_of_live(invitation: int, now: datetime) -> QuerySet[Invitation]:
    return Invitation.objects.filter(pk=invitation).live(now)
