"""Following up while a colleague dismisses the same person's request: the first one decides."""

from concurrent.futures import ThreadPoolExecutor, wait

import pytest
from django.db import connection
from django.utils import timezone

from association.enums import Operation
from association.services import following_up
from association.services.following_up import follow_up
from partners.enums import InvitationRequestRefusal
from partners.services.invitation_requests import dismiss_invitation_request
from tests.factories import AttemptFactory, InvitationRequestFactory, PartnerMemberFactory
from web.refused import Refused

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]


def test_a_dismissal_waits_for_the_follow_up_and_is_refused(monkeypatch):
    attempt = AttemptFactory.create(
        entered=True, refused=True, refusal_codes=["existing_account_not_allowed"]
    )
    boss = PartnerMemberFactory.create(partner=attempt.partner, administrator=True).user
    asked = InvitationRequestFactory.create(
        invitation=attempt.invitation, address=attempt.account.owner.email
    )
    look, colleague = following_up._sent_since_start, ThreadPoolExecutor(1)
    dismissals = []

    def dismiss():
        try:
            dismiss_invitation_request(
                invitation_request=asked, reason="Not ours", by=boss, now=timezone.now()
            )
        finally:
            connection.close()

    def look_while_it_is_dismissed(*arguments):
        dismissals.append(colleague.submit(dismiss))
        # Long enough for one that does not have to wait.
        wait(dismissals, timeout=1)
        return look(*arguments)

    monkeypatch.setattr(following_up, "_sent_since_start", look_while_it_is_dismissed)
    sent = follow_up(
        attempt=attempt,
        operation=Operation.SEND_ONLINE_INVITATION,
        by=boss,
        now=timezone.now(),
    )

    [dismissal] = dismissals
    with pytest.raises(Refused) as refused:
        dismissal.result(timeout=20)
    colleague.shutdown()
    assert refused.value.code == InvitationRequestRefusal.ANSWERED
    asked.refresh_from_db()
    assert (asked.sent_invitation, asked.dismiss_reason) == (sent, "")
