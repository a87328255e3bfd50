"""Walking through an invitation as a visitor does, with the services that the journey calls."""

from datetime import datetime

from accounts.models import CustomerAccount
from association.models import Association, Attempt, DocumentKind
from association.services.associations import associate
from association.services.attempts import (
    agree_to_instructions,
    enter_attempt,
    new_browser_secret,
    start_attempt,
)
from association.services.documents import current_documents
from partners.enums import Channel
from partners.models import Invitation


def follow(invitation: Invitation, *, now: datetime) -> Attempt:
    """Open the invitation, and agree to the instructions where there are any."""
    attempt = start_attempt(
        invitation=invitation, browser_secret=new_browser_secret(), language="en", now=now
    )
    if invitation.is_reseller:
        documents = current_documents([DocumentKind.INSTRUCTIONS], attempt.language)
        agree_to_instructions(
            attempt=attempt,
            instructions=documents[DocumentKind.INSTRUCTIONS],
            letter=None,
            address=None,
            now=now,
        )
    return attempt


def join(
    account: CustomerAccount, invitation: Invitation, *, now: datetime, started_at: datetime
) -> Association:
    """Follow the invitation with this account to the end; by a link, as one newly registered."""
    attempt = follow(invitation, now=started_at)
    by_link = invitation.channel == Channel.LINK
    enter_attempt(attempt=attempt, account=account, now=started_at, registered=by_link)
    return associate(attempt=attempt, by=account.owner, address=None, clock=lambda: now)
