"""A log-in goes on with what can be finished; what is refused is a notice that can be dismissed."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from association.models import Attempt
from association.services.attempts import decide_attempt
from association.services.unfinished import MOST_READ, Unfinished, find_unfinished
from tests.factories import (
    PASSWORD,
    BillFactory,
    CustomerAccountFactory,
    InvitationFactory,
    make_associated,
)
from tests.journeys.walk import invite, ready_attempt

pytestmark = pytest.mark.django_db
MY_PARTNER = "/account/partner/"


@pytest.fixture
def account():
    return CustomerAccountFactory.create(enabled=True)


def landing_of(account, client=None):
    """Log in without a destination; return where that leads, and its page."""
    client = client or Client()
    typed = {"login": account.owner.email, "password": PASSWORD}
    page = client.post("/account/login/", typed, follow=True)
    return page.redirect_chain[-1][0], page.content.decode()


def refused_attempt(account):
    """Return an attempt that is refused: its invitation is bound to somebody else."""
    invitation = InvitationFactory.create(email=True, recipient="somebody.else@example.com")
    return ready_attempt(account=account, invitation=invitation)


def name(attempt):
    return f"Your account cannot join <bdi>{attempt.invitation.partner.name}</bdi> now"


def test_log_in_goes_on_with_the_newest_that_can_be_finished(account):
    ready_attempt(account=account)
    newest = ready_attempt(account=account)
    refused_attempt(account)
    assert landing_of(account)[0] == f"/join/{newest.pk}/confirm"


def test_refused_attempt_is_a_notice_and_no_trap(account):
    attempt = refused_attempt(account)
    place, page = landing_of(account)
    assert place == MY_PARTNER
    assert name(attempt) in page
    assert f'href="/join/{attempt.pk}/"' in page


def test_attempt_refused_since_its_last_decision_is_a_notice_too(account):
    attempt = ready_attempt(account=account)
    bill = BillFactory.create(account=account)
    place, page = landing_of(account)
    assert (place, name(attempt) in page) == (MY_PARTNER, True)
    bill.delete()
    assert landing_of(account)[0] == f"/join/{attempt.pk}/confirm"


def test_dismissed_notice_stays_away_until_the_attempt_is_used_again(client, account):
    client.force_login(account.owner)
    attempts = [refused_attempt(account)]
    again = ready_attempt(account=account, invitation=attempts[0].invitation)
    url = reverse("dismiss_attempt", args=[again.pk])
    for _ in range(2):
        answer = client.post(url)
        assert (answer.status_code, answer["Location"]) == (303, MY_PARTNER)
    assert name(again) not in client.get(MY_PARTNER).content.decode()
    decide_attempt(attempt=Attempt.objects.get(pk=again.pk), now=timezone.now())
    assert client.get(MY_PARTNER).content.decode().count(name(again)) == 1


def test_dismissed_attempt_that_can_be_finished_is_gone_on_with(client, account):
    attempt, bill = ready_attempt(account=account), BillFactory.create(account=account)
    client.force_login(account.owner)
    client.post(reverse("dismiss_attempt", args=[attempt.pk]))
    assert find_unfinished(account.owner, timezone.now()) == Unfinished()
    bill.delete()
    assert landing_of(account)[0] == f"/join/{attempt.pk}/confirm"


def test_dismiss_by_get_leads_to_the_page_with_the_button(client, account):
    client.force_login(account.owner)
    attempt = refused_attempt(account)
    answer = client.get(reverse("dismiss_attempt", args=[attempt.pk]))
    assert (answer.status_code, answer["Location"]) == (303, MY_PARTNER)
    attempt.refresh_from_db()
    assert attempt.dismissed_at is None


def test_notice_of_another_account_cannot_be_dismissed(client, account):
    attempt = refused_attempt(account)
    client.force_login(CustomerAccountFactory.create().owner)
    assert client.post(reverse("dismiss_attempt", args=[attempt.pk])).status_code == 404
    attempt.refresh_from_db()
    assert attempt.dismissed_at is None


@pytest.mark.parametrize("case", ["expired", "associated", "none"])
def test_nothing_is_shown_of_what_cannot_matter(client, account, case):
    if case != "none":
        attempt = refused_attempt(account)
    if case == "expired":
        attempt.invitation.expires_at = timezone.now() - timedelta(seconds=1)
        attempt.invitation.save()
    if case == "associated":
        make_associated(account=account)
    place, page = landing_of(account)
    assert place == MY_PARTNER
    assert "cannot join" not in page


def test_my_partner_offers_to_go_on(client, account):
    client.force_login(account.owner)
    attempt = ready_attempt(account=account, invitation=invite(account))
    page = client.get(MY_PARTNER).content.decode()
    assert f"You have begun to join <bdi>{attempt.invitation.partner.name}</bdi>" in page


def statements_of(find):
    with CaptureQueriesContext(connection) as made:
        find()
    return len(made)


def test_looking_costs_one_statement_without_attempts(client, account):
    client.force_login(account.owner)
    looking = statements_of(lambda: find_unfinished(account.owner, timezone.now()))
    # The session, the user, an invitation to be a member, and the account.
    assert (looking, statements_of(lambda: client.get("/account/"))) == (1, 4 + looking)


def test_looking_at_many_attempts_costs_as_much_as_at_one(account):
    now = timezone.now()
    first = ready_attempt(account=account)
    cost_of_one = statements_of(lambda: find_unfinished(account.owner, now))
    refused = [refused_attempt(account) for _ in range(6)]
    assert statements_of(lambda: find_unfinished(account.owner, now)) == cost_of_one
    found = find_unfinished(account.owner, now)
    assert (found.open, found.refused) == (first, refused[:0:-1])


def test_the_twenty_newest_attempts_are_looked_at(account):
    first = ready_attempt(account=account)
    invitation = refused_attempt(account).invitation
    for _ in range(MOST_READ - 2):
        ready_attempt(account=account, invitation=invitation)
    assert landing_of(account)[0] == f"/join/{first.pk}/confirm"
    newest = ready_attempt(account=account, invitation=invitation)
    place, page = landing_of(account)
    assert (place, page.count(name(newest))) == (MY_PARTNER, 1)


def test_association_that_another_tab_made_leaves_nothing_unfinished(account):
    ready_attempt(account=account)
    make_associated(account=account)
    assert find_unfinished(account.owner, timezone.now()) == Unfinished()
