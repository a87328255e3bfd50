"""Finding an invitation by its token, and using it."""

from datetime import datetime
from functools import partial

from django.db import transaction
from django.db.models import F, QuerySet

from partners.enums import InvitationRefusal
from partners.models import Invitation
from partners.tokens import canonical_token
from web.fixed_queries import KEY, MOMENT, TEXT, fixed_query, fixed_update
from web.refused import Refused
from web.security_log import log_security_event


class InvitationRefused(Refused):
    """The invitation cannot be followed."""

    code: InvitationRefusal


def find_invitation(token_text: str) -> Invitation | None:
    """Return the invitation with its partner, live or not; None, without a query, for no token."""
    token = canonical_token(token_text)
    return None if token is None else _invitations.first(token)


@fixed_query(TEXT)
def _invitations(token: str) -> QuerySet[Invitation]:
    return Invitation.objects.select_related("partner").filter(token=token)


def use_invitation(*, invitation: Invitation, now: datetime) -> None:
    """Count one use of an invitation that is live at `now`, or raise InvitationRefused.

    Call it as the last statement of the transaction, because the row is locked until the commit.
    One conditional UPDATE: after waiting for the row it decides on the new values.
    """
    if _use_of_live.run(invitation.pk, now):
        transaction.on_commit(
            partial(log_security_event, "invitation.used", invitation=invitation.pk)
        )
        return
    current = Invitation.objects.select_related("partner").filter(pk=invitation.pk).first()
    refusal = InvitationRefusal.UNKNOWN if current is None else current.refusal(now)
    # The UPDATE decided; another request may have made the invitation live since.
    raise InvitationRefused(refusal or InvitationRefusal.USED_UP)


@fixed_update(KEY, MOMENT, used_count=F("used_count") + 1)
def _use_of_live(invitation: int, now: datetime) -> QuerySet[Invitation]:
    return Invitation.objects.filter(pk=invitation).live(now)
