"""The same call twice: one effect, the same answer."""

import pytest

from integration.models import IdempotentAnswer
from partners.models import Invitation
from tests.factories import InvitationFactory, PartnerFactory
from tests.integration.calls import Caller

pytestmark = pytest.mark.django_db
LINK = {"channel": "link", "association_type": "reseller", "label": "Fair 2026"}


@pytest.fixture
def caller():
    return Caller(PartnerFactory())


def test_same_call_again_gets_the_first_answer(caller):
    first = caller.post("/invitations", LINK, Idempotency_Key="a")
    second = caller.post("/invitations", LINK, Idempotency_Key="a")

    assert Invitation.objects.count() == 1
    assert (second.status_code, second.content) == (first.status_code, first.content)
    assert (first.has_header("Idempotent-Replayed"), second["Idempotent-Replayed"]) == (
        False,
        "true",
    )


def test_stored_answer_is_encrypted(caller):
    made = caller.post("/invitations", LINK, Idempotency_Key="a").json()

    assert made["link"] not in IdempotentAnswer.objects.get().sealed_body


def test_same_key_for_another_call_is_refused(caller):
    caller.post("/invitations", LINK, Idempotency_Key="a")
    answer = caller.post("/invitations", {**LINK, "label": "Other"}, Idempotency_Key="a")

    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_used")
    assert Invitation.objects.count() == 1


def test_keys_of_two_callers_are_two(caller):
    other = Caller(caller.key.partner)
    answers = [who.post("/invitations", LINK, Idempotency_Key="a") for who in (caller, other)]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert Invitation.objects.count() == 2


def test_refused_call_does_not_use_up_the_key(caller):
    invitation = InvitationFactory(partner=caller.key.partner, recipient="", channel="link")
    path = f"/invitations/{invitation.pk}/resend"
    answer = caller.post(path, Idempotency_Key="a")

    assert (answer.status_code, answer.json()["code"]) == (409, "not_by_email")
    assert not IdempotentAnswer.objects.exists()


@pytest.mark.parametrize("key", ["", "a b", "x" * 256])
def test_key_has_visible_letters_only(caller, key):
    answer = caller.post("/invitations", LINK, Idempotency_Key=key)

    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_invalid")
