"""A customer who has changed to another partner: old pages and old e-mails stay with the first."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.enums import FreezeScope
from association.models import Association, Authorization, BudgetRequest, EndRequest
from association.services.associations import associate
from association.services.authorizations import request_authorization
from association.services.provider_freezes import freeze_for_provider, unfreeze_for_provider
from outbox.models import OutboxMessage
from outbox.services.rendering import Stale, render_message
from tests.factories import (
    InvitationFactory,
    PartnerFactory,
    PartnerMemberFactory,
    UserFactory,
    end_by_provider,
    make_associated,
)
from tests.journeys.walk import ready_attempt
from tests.shown_forms import hidden_fields

pytestmark = pytest.mark.django_db

LETTER = "/account/partner/authorization/"
END = "/account/partner/end/"
ASK = "/account/partner/ask-budget"


@pytest.fixture
def first():
    return make_associated()


@pytest.fixture
def client(first):
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(first.account.owner)
    return client


def change_partner(first, **traits):
    """End the association, and let the account join another partner."""
    end_by_provider(first, reason="Over")
    invitation = InvitationFactory.create(
        partner=PartnerFactory.create(name="Second"),
        email=True,
        recipient=first.account.owner.email,
        **traits,
    )
    attempt = ready_attempt(account=first.account, invitation=invitation)
    return associate(attempt=attempt, by=first.account.owner, address=None)


@pytest.mark.parametrize(
    ("page", "target", "typed"),
    [
        (LETTER, LETTER, {"action": "agree"}),
        (END, END, {"action": "ask", "reason": "First is too dear"}),
        ("/account/partner/", ASK, {"ask": "set_budget"}),
    ],
    ids=["letter", "end", "budget"],
)
def test_an_old_page_acts_on_no_other_partner(first, client, page, target, typed):
    old = hidden_fields(client.get(page))
    second = change_partner(first)

    answer = client.post(target, {**old, **typed})

    content = answer.content.decode()
    assert (answer.status_code, "Your partner has changed" in content) == (409, True)
    assert second.partner.name in content
    assert typed.get("reason", "") in content
    assert not Authorization.objects.exists()
    assert not EndRequest.objects.exists()
    assert not BudgetRequest.objects.exists()


def test_an_old_answer_to_the_first_partner_is_no_answer_to_the_second(first, client):
    member = PartnerMemberFactory.create(partner=first.partner, administrator=True)
    request_authorization(association=first, by=member.user, now=timezone.now())
    old = hidden_fields(client.get(LETTER))
    change_partner(first)

    answer = client.post(LETTER, {**old, "action": "decline", "reason": "Not you"})

    assert answer.status_code == 409
    assert "Not you" in answer.content.decode()


def test_a_form_that_names_no_association_is_taken_while_there_was_only_one(first, client):
    assert client.post(END, {"action": "ask", "reason": "Too dear"}).status_code == 303
    assert EndRequest.objects.get().association == first


def test_a_form_that_names_no_association_is_refused_after_a_change(first, client):
    change_partner(first)
    assert client.post(END, {"action": "ask", "reason": "Too dear"}).status_code == 409
    assert not EndRequest.objects.exists()


def test_the_present_page_acts_on_the_present_partner(first, client):
    second = change_partner(first)
    page = hidden_fields(client.get(END))
    assert client.post(END, {**page, "action": "ask", "reason": "x"}).status_code == 303
    assert EndRequest.objects.get().association == second


@pytest.mark.parametrize("kind", ["customer_frozen", "customer_unfrozen"])
def test_members_of_the_first_read_nothing_about_the_customer_of_the_second(first, kind):
    boss = PartnerMemberFactory.create(partner=first.partner, administrator=True).user
    staff = UserFactory.create(is_staff=True)
    words = {"reason": "Checked", "by": staff}
    freeze_for_provider(
        account=first.account, scope=FreezeScope.ACCOUNT, now=timezone.now(), **words
    )
    if kind == "customer_unfrozen":
        unfreeze_for_provider(account=first.account, now=timezone.now(), **words)
    change_partner(first, referral=True)

    message = OutboxMessage.objects.get(recipient=boss.email, kind=f"association.{kind}")

    assert Association.objects.in_force().get(account=first.account).partner.name == "Second"
    with pytest.raises(Stale):
        render_message(message)


@pytest.mark.parametrize("kind", ["customer_frozen", "customer_unfrozen"])
def test_members_of_the_present_partner_are_told(first, kind):
    boss = PartnerMemberFactory.create(partner=first.partner, administrator=True).user
    words = {"reason": "Checked", "by": UserFactory.create(is_staff=True)}
    freeze_for_provider(
        account=first.account, scope=FreezeScope.ACCOUNT, now=timezone.now(), **words
    )
    if kind == "customer_unfrozen":
        unfreeze_for_provider(account=first.account, now=timezone.now(), **words)

    message = OutboxMessage.objects.get(recipient=boss.email, kind=f"association.{kind}")

    link = reverse("console_customer", args=[first.pk])
    assert link in render_message(message).text
