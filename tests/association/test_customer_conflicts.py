"""Forms about a customer that are sent late or twice: what is refused or not done again."""

from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.enums import FreezeCause
from accounts.models import Freeze
from association.models import Authorization, Budget, DocumentKind
from association.services.authorizations import decline_authorization, revoke_authorization
from association.services.customers import MOST_FREEZES_A_DAY
from association.views.console import customer_actions
from audit.models import AuditEvent
from partners.views import refusing
from tests.factories import (
    InvitationFactory,
    PartnerMemberFactory,
    SpendingFactory,
    end_by_provider,
    make_associated,
)
from tests.journeys.walk import document
from tests.shown_forms import open_and_send
from web.models import FormKey

pytestmark = pytest.mark.django_db

KEY = "k" * 22
TERMS = {"amount": "250.00", "period": "monthly", "on_exhaustion": "freeze"}
FREEZE = {"scope": "account", "reason": "Late"}


@pytest.fixture
def boss():
    return PartnerMemberFactory.create(administrator=True)


@pytest.fixture
def customer(boss):
    invitation = InvitationFactory.create(partner=boss.partner, created_by=boss.user)
    return make_associated(invitation=invitation)


@pytest.fixture
def client(boss):
    return client_of(boss.user)


def client_of(user):
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(user)
    return client


def post(client, name, customer, **sent):
    address = reverse(f"console_{name}", args=[customer.pk])
    return open_and_send(client, address, {"form_key": KEY} | sent)


@pytest.mark.parametrize(
    ("module", "send"),
    [
        (refusing, lambda client, customer: post(client, "set_budget", customer, **TERMS)),
        (refusing, lambda client, customer: post(client, "freeze", customer, **FREEZE)),
        (
            refusing,
            lambda client, customer: post(client, "unfreeze", customer, reason="Paid"),
        ),
        (
            refusing,
            lambda client, customer: post(client, "assign_manager", customer, manager=""),
        ),
        (
            customer_actions,
            lambda client, customer: post(client, "request_authorization", customer),
        ),
    ],
)
def test_association_that_ends_before_the_lock_is_a_conflict(
    client, customer, module, send, monkeypatch
):
    customer.budgets.create(set_at=timezone.now(), **TERMS)
    answer_once = module.answer_once

    def end_and_answer(*arguments):
        end_by_provider(customer)
        return answer_once(*arguments)

    monkeypatch.setattr(module, "answer_once", end_and_answer)

    answer = send(client, customer)

    assert answer.status_code == 409
    assert "This association has ended." in answer.content.decode()
    assert FormKey.objects.count() == 0


def test_freezing_too_often_is_a_conflict(client, customer):
    now = timezone.now()
    for _ in range(MOST_FREEZES_A_DAY):
        customer.account.freezes.create(
            cause=FreezeCause.PARTNER, scope="account", frozen_at=now, unfrozen_at=now
        )

    answer = post(client, "freeze", customer, **FREEZE)

    assert answer.status_code == 409
    assert "ten times within a day" in answer.content.decode()


def test_key_with_another_budget_is_a_conflict_that_shows_both(client, customer):
    post(client, "set_budget", customer, **TERMS)

    answer = post(client, "set_budget", customer, **TERMS | {"amount": "300.00"})

    assert answer.status_code == 409
    assert "You have sent this form before" in answer.content.decode()
    assert str(Budget.objects.get().amount) == "250.00"


def test_late_repeat_neither_freezes_nor_unfreezes_again(client, customer):
    post(client, "set_budget", customer, **TERMS)
    post(client, "freeze", customer, **FREEZE)
    post(client, "unfreeze", customer, reason="Paid")

    assert post(client, "freeze", customer, **FREEZE).status_code == 303

    assert Freeze.objects.open().count() == 0
    post(client, "freeze", customer, **FREEZE | {"form_key": "l" * 22})
    assert post(client, "unfreeze", customer, reason="Paid").status_code == 303
    assert Freeze.objects.open().count() == 1


def test_late_repeat_does_not_request_a_declined_authorization_again(client, customer):
    post(client, "request_authorization", customer)
    decline_authorization(
        authorization=Authorization.objects.get(),
        reason="",
        by=customer.account.owner,
        now=timezone.now(),
    )

    assert post(client, "request_authorization", customer).status_code == 303

    assert Authorization.objects.get().state == "declined"
    assert post(client, "request_authorization", customer, form_key="l" * 22).status_code == 303
    assert Authorization.objects.count() == 2


def test_late_repeat_does_not_grant_a_revoked_authorization_again(customer):
    owner = customer.account.owner
    version = document(DocumentKind.LETTER_OF_AUTHORIZATION).version
    sent = {"action": "agree", "shown_letter": version, "form_key": KEY}
    client, address = client_of(owner), reverse("my_authorization")
    client.post(address, sent)
    revoke_authorization(
        authorization=Authorization.objects.get(), reason="Moved", by=owner, now=timezone.now()
    )

    assert client.post(address, sent).status_code == 303

    assert Authorization.objects.get().state == "revoked"
    assert AuditEvent.objects.filter(action="authorization.granted").count() == 1


def test_late_repeat_does_not_give_the_customer_back_to_a_manager(client, customer, boss):
    colleague = PartnerMemberFactory.create(partner=boss.partner)
    post(client, "assign_manager", customer, manager=colleague.pk)
    post(client, "assign_manager", customer, manager=boss.pk, form_key="l" * 22)

    assert post(client, "assign_manager", customer, manager=colleague.pk).status_code == 303

    customer.refresh_from_db()
    assert customer.manager == boss


def test_a_repeat_gets_its_first_answer_though_the_form_is_invalid_by_now(client, customer):
    """The spending that came in between makes this budget one that has to be confirmed."""
    first = post(client, "set_budget", customer, **TERMS)
    SpendingFactory.create(account=customer.account, amount=Decimal("300.00"))

    again = post(client, "set_budget", customer, **TERMS)
    another = post(client, "set_budget", customer, **TERMS, form_key="n" * 22)

    assert (first.status_code, again.status_code, again["Location"]) == (
        303,
        303,
        first["Location"],
    )
    assert another.status_code == 400
    assert Budget.objects.count() == 1


def test_a_key_is_of_one_customer(client, customer, boss):
    """A form that was copied to another customer acts on that one."""
    other = make_associated(
        invitation=InvitationFactory.create(partner=boss.partner, created_by=boss.user)
    )
    answers = [post(client, "freeze", one, **FREEZE) for one in (customer, other)]

    assert answers[0]["Location"] != answers[1]["Location"]
    assert set(
        Freeze.objects.filter(cause=FreezeCause.PARTNER).values_list("account", flat=True)
    ) == {
        customer.account_id,
        other.account_id,
    }
