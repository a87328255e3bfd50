"""An e-mail is refused for good while the invitation is sent again: the newer e-mail counts."""

from concurrent.futures import ThreadPoolExecutor, wait

import pytest
from django.db import connection
from django.utils import timezone

from association.services.invariants.checking import find_violations
from outbox.services.queue import claim_messages, mark_dead
from partners.models import Invitation
from partners.services import delivery_state
from partners.services.invitations import create_invitation, resend_invitation
from tests.factories import PartnerFactory

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]


def refuse_while_it_is_sent_again(monkeypatch):
    """Let the worker read the newest e-mail, and a member send again before it writes."""
    invitation = create_invitation(
        partner=PartnerFactory.create(),
        channel="email",
        association_type="reseller",
        label="Ann",
        recipient="ann@example.org",
        by=None,
        now=timezone.now(),
    )
    [message] = claim_messages(now=timezone.now(), limit=1)
    member, look, resends = ThreadPoolExecutor(1), delivery_state._newest_email, []

    def resend():
        try:
            resend_invitation(invitation=invitation, by=None, now=timezone.now())
        finally:
            connection.close()

    def look_then_be_slow(shown):
        newest = look(shown)
        resends.append(member.submit(resend))
        # Long enough for one that does not have to wait.
        wait(resends, timeout=1)
        return newest

    monkeypatch.setattr(delivery_state, "_newest_email", look_then_be_slow)
    mark_dead(message=message, error="550", now=timezone.now())
    resends[0].result(timeout=20)
    member.shutdown()
    invitation.refresh_from_db()
    return invitation


def test_the_member_waits_and_the_mark_is_gone(monkeypatch):
    assert refuse_while_it_is_sent_again(monkeypatch).undelivered_at is None
    assert list(find_violations()) == []


def test_without_the_lock_an_old_refusal_marks_it(monkeypatch):
    """The control: nobody waits."""
    monkeypatch.setattr(
        delivery_state, "_lock", lambda key: Invitation.objects.filter(pk=key).first()
    )
    invitation = refuse_while_it_is_sent_again(monkeypatch)
    assert invitation.undelivered_at is not None
    assert [violation.invariant for violation in find_violations()] == ["I8"]
