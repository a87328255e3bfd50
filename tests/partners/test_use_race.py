"""Many at once on one invitation: exactly `max_uses` get it, in any order."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial

import pytest
from django.db import connection, transaction
from django.utils import timezone

from partners.enums import InvitationRefusal
from partners.models import Invitation
from partners.services.invitation_use import InvitationRefused, use_invitation
from partners.services.invitations import revoke_invitation
from tests.factories import InvitationFactory
from tests.lock_waits import wait_until_someone_waits

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]

PEOPLE = 16


def in_parallel(act: Callable[[], None]) -> list[str | None]:
    """Use it in sixteen transactions at the same moment; return the refusal of each, or None."""
    together = threading.Barrier(PEOPLE)

    def one() -> str | None:
        try:
            with transaction.atomic():
                connection.ensure_connection()
                together.wait(timeout=20)
                act()
        except InvitationRefused as refused:
            return str(refused.code)
        finally:
            connection.close()
        return None

    with ThreadPoolExecutor(PEOPLE) as people:
        return [future.result() for future in [people.submit(one) for _ in range(PEOPLE)]]


@pytest.mark.parametrize("max_uses", [1, 5])
def test_parallel_uses_are_exactly_max_uses(max_uses):
    for _ in range(10):
        invitation = InvitationFactory(max_uses=max_uses)
        answers = in_parallel(partial(_take, invitation))
        assert answers.count(None) == max_uses
        assert answers.count(InvitationRefusal.USED_UP) == PEOPLE - max_uses
        invitation.refresh_from_db()
        assert invitation.used_count == max_uses


def test_check_before_the_update_would_oversell():
    """The control: without the condition in the UPDATE the same race sells too many."""
    invitation = InvitationFactory(max_uses=1)
    looked = threading.Barrier(PEOPLE)

    def look_then_act() -> None:
        seen = Invitation.objects.select_related("partner").get(pk=invitation.pk)
        refusal = seen.refusal(timezone.now())
        looked.wait(timeout=20)
        if refusal is not None:
            raise InvitationRefused(refusal)
        seen.used_count += 1
        seen.save(update_fields=["used_count"])

    assert in_parallel(look_then_act).count(None) > 1


def test_use_that_waited_for_a_revocation_is_refused():
    invitation = InvitationFactory()
    now = timezone.now()
    with ThreadPoolExecutor(1) as people:
        with transaction.atomic():
            revoke_invitation(invitation=invitation, by=None, now=now)
            waiting = people.submit(_use, invitation)
            wait_until_someone_waits()
        assert waiting.result(timeout=20) == InvitationRefusal.REVOKED


def test_use_that_waited_for_a_shorter_expiry_is_refused():
    invitation = InvitationFactory()
    with ThreadPoolExecutor(1) as people:
        with transaction.atomic():
            Invitation.objects.filter(pk=invitation.pk).update(
                expires_at=timezone.now() - timedelta(seconds=1)
            )
            waiting = people.submit(_use, invitation)
            wait_until_someone_waits()
        assert waiting.result(timeout=20) == InvitationRefusal.EXPIRED


def _take(invitation: Invitation) -> None:
    use_invitation(invitation=invitation, now=timezone.now())


def _use(invitation: Invitation) -> object:
    try:
        with transaction.atomic():
            _take(invitation)
    except InvitationRefused as refused:
        return refused.code
    finally:
        connection.close()
    return None
