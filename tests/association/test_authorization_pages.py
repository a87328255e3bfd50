"""The letter under My partner and the console's request for it: who may, and what the pages say."""

import pytest
from django.test import Client
from django.utils import timezone

from association.models import Authorization, Consent, DocumentKind
from association.services.authorizations import (
    decline_authorization,
    grant_authorization,
    request_authorization,
)
from audit.models import AuditEvent
from tests.factories import (
    CustomerAccountFactory,
    InvitationFactory,
    PartnerMemberFactory,
    make_associated,
)
from tests.journeys.walk import document, publish_next
from tests.tables import tables
from web.templatetags.moments import moment

pytestmark = pytest.mark.django_db

LETTER_PAGE, MY_PARTNER = "/account/partner/authorization/", "/account/partner/"
LETTER = DocumentKind.LETTER_OF_AUTHORIZATION


def client_of(user):
    client = Client()
    client.force_login(user)
    return client


def associated(*, referral=False, asked=False):
    association = make_associated(invitation=InvitationFactory.create(referral=referral))
    if asked:
        ask(association)
    return association


def ask(association):
    by = PartnerMemberFactory.create(partner=association.partner).user
    return request_authorization(association=association, by=by, now=timezone.now())


def customer_of(association):
    return client_of(association.account.owner)


def text_of(response):
    return response.content.decode()


def shown_by(association, **answer):
    """What the page's form would send."""
    open_one = association.authorizations.open().first()
    request = {"authorization": open_one.pk} if open_one else {}
    return {"shown_letter": document(LETTER).version, **request, **answer}


@pytest.mark.parametrize("referral", [False, True])
@pytest.mark.parametrize("asked", [False, True])
def test_letter_is_shown_in_full_with_what_can_be_answered(referral, asked):
    association = associated(referral=referral, asked=asked)
    response = customer_of(association).get(LETTER_PAGE)
    text = text_of(response)
    assert response.status_code == 200
    assert "What the partner may not do" in text
    assert f"Version {document(LETTER).version}" in text
    assert text.count('value="agree"') == 1
    assert text.count('value="decline"') == int(asked)
    assert 'value="revoke"' not in text
    assert 'type="checkbox"' not in text


@pytest.mark.parametrize("asked", [False, True])
def test_agreeing_grants_once_however_often_it_is_sent(asked):
    association = associated(referral=not asked, asked=asked)
    client, sent = customer_of(association), shown_by(association, action="agree")
    for _ in range(2):
        response = client.post(LETTER_PAGE, sent)
        assert (response.status_code, response["Location"]) == (303, MY_PARTNER)
    text = text_of(client.get(MY_PARTNER))
    assert f"{association.partner.name} may now order and operate for you." in text
    consent = Consent.objects.get(document__kind=LETTER)
    assert Authorization.objects.get().consent == consent
    assert consent.network_address == "127.0.0.1"
    assert AuditEvent.objects.filter(action="authorization.granted").count() == 1


def test_granted_letter_can_be_revoked_with_a_reason_only():
    association = associated()
    client = customer_of(association)
    client.post(LETTER_PAGE, shown_by(association, action="agree"))
    page = text_of(client.get(LETTER_PAGE))
    assert 'value="revoke"' in page
    assert 'value="agree"' not in page
    sent = shown_by(association, action="revoke")
    refused = client.post(LETTER_PAGE, sent)
    assert refused.status_code == 400
    assert "Say why you revoke the authorization." in text_of(refused)
    for _ in range(2):
        assert client.post(LETTER_PAGE, {**sent, "reason": "Moved"}).status_code == 303
    ended = Authorization.objects.get()
    assert (ended.state, ended.reason) == ("revoked", "Moved")
    assert AuditEvent.objects.filter(action="authorization.revoked").count() == 1
    assert 'value="agree"' in text_of(client.get(LETTER_PAGE))


@pytest.mark.parametrize("referral", [False, True])
def test_both_sides_read_that_a_frozen_account_orders_nothing(referral):
    association = associated(referral=referral, asked=True)
    client = customer_of(association)
    client.post(LETTER_PAGE, shown_by(association, action="agree"))
    for page in (MY_PARTNER, LETTER_PAGE):
        sentence = "Nothing can be ordered or changed while your account is frozen."
        assert (sentence in text_of(client.get(page))) is not referral
    administrator = PartnerMemberFactory.create(partner=association.partner, administrator=True)
    page = text_of(client_of(administrator.user).get(console(association)))
    assert ("While the account is frozen, nothing can be ordered or changed." in page) is (
        not referral
    )


def test_revoked_letter_says_so_wherever_it_was_agreed_to(django_assert_num_queries):
    association = associated()
    client = customer_of(association)
    client.post(LETTER_PAGE, shown_by(association, action="agree"))
    consent_page = f"/account/consents/{Consent.objects.get(document__kind=LETTER).pk}/"
    for page in (MY_PARTNER, consent_page):
        assert "revoked" not in text_of(client.get(page))
    client.post(LETTER_PAGE, {**shown_by(association, action="revoke"), "reason": "Moved"})

    revoked = moment(Authorization.objects.get().revoked_at)

    assert f"– revoked on {revoked}" in text_of(client.get(MY_PARTNER))
    # Session, user, consent with what it authorized.
    with django_assert_num_queries(3):
        assert f"You revoked it on {revoked}." in text_of(client.get(consent_page))


@pytest.mark.parametrize("reason", ["", "Not <b>now</b>"])
def test_declining_needs_no_reason_and_keeps_one(reason):
    association = associated(asked=True)
    client = customer_of(association)
    sent = shown_by(association, action="decline", reason=reason)
    for _ in range(2):
        assert client.post(LETTER_PAGE, sent).status_code == 303
    assert Authorization.objects.get().reason == reason
    assert "You declined on" in text_of(client.get(MY_PARTNER))
    assert "<b>now" not in text_of(client.get(LETTER_PAGE))


def test_letter_that_changed_meanwhile_is_shown_again():
    association = associated(asked=True)
    sent = shown_by(association, action="agree")
    publish_next(LETTER)
    response = customer_of(association).post(LETTER_PAGE, sent)
    text = text_of(response)
    assert response.status_code == 409
    assert "The letter has changed while you were reading." in text
    assert f'name="shown_letter" value="{sent["shown_letter"] + 1}"' in text
    assert Authorization.objects.get().state == "requested"


def test_answer_to_a_request_that_was_answered_elsewhere_is_a_conflict():
    association = associated(asked=True)
    client, agreeing = customer_of(association), shown_by(association, action="agree")
    decline_authorization(
        authorization=Authorization.objects.get(),
        reason="",
        by=association.account.owner,
        now=timezone.now(),
    )
    response = client.post(LETTER_PAGE, agreeing)
    assert response.status_code == 409
    assert "The request has been declined already." in text_of(response)
    late = client.post(LETTER_PAGE, {"action": "revoke", "reason": "Kept <typed>"})
    assert late.status_code == 409
    assert "You wrote: <bdi>Kept &lt;typed&gt;</bdi>" in text_of(late)
    assert Authorization.objects.get().state == "declined"


def test_ending_what_was_not_requested_is_a_conflict():
    response = customer_of(associated()).post(LETTER_PAGE, {"action": "decline"})
    assert response.status_code == 409
    assert "The partner has not asked for an authorization." in text_of(response)


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"action": "steal"},
        {"action": "agree"},
        {"action": "agree", "shown_letter": "x"},
        {"action": "decline", "authorization": "x"},
        {"action": "decline", "reason": "x" * 257},
        {"action": "decline", "reason": "a\0b"},
        {"action": "revoke", "reason": "   "},
    ],
)
def test_what_makes_no_sense_is_400_and_changes_nothing(sent):
    association = associated(asked=True)
    client, before = customer_of(association), tables()
    response = client.post(LETTER_PAGE, sent)
    assert response.status_code == 400
    assert "There is a problem" in text_of(response)
    assert tables() == before


def test_letter_belongs_to_the_associated_customer_alone():
    association = associated(asked=True)
    sent = shown_by(association, action="agree")
    member = PartnerMemberFactory.create(partner=association.partner, administrator=True).user
    for user in (CustomerAccountFactory.create().owner, member):
        assert client_of(user).get(LETTER_PAGE).status_code == 404
        assert client_of(user).post(LETTER_PAGE, sent).status_code == 404
    other = associated()
    assert customer_of(other).post(LETTER_PAGE, sent).status_code == 404
    assert customer_of(other).get(LETTER_PAGE).status_code == 200
    stranger = Client().post(LETTER_PAGE, sent)
    assert (stranger.status_code, stranger["Location"][:15]) == (302, "/account/login/")
    assert Authorization.objects.get().state == "requested"


@pytest.mark.parametrize("rows", [1, 3])
def test_letter_costs_the_same_for_more_rows(django_assert_num_queries, rows):
    association = associated()
    for _ in range(rows):
        declined = ask(association)
        decline_authorization(
            authorization=declined, reason="", by=association.account.owner, now=timezone.now()
        )
    client = customer_of(association)
    with django_assert_num_queries(6):
        assert client.get(LETTER_PAGE).status_code == 200


def console(association):
    return f"/partner/customers/{association.pk}/"


def test_request_from_the_console_is_made_once_and_seen_at_once():
    association = associated()
    administrator = PartnerMemberFactory.create(partner=association.partner, administrator=True)
    client = client_of(administrator.user)
    assert "Request authorization" in text_of(client.get(console(association)))
    for _ in range(2):
        response = client.post(f"{console(association)}authorization")
        assert (response.status_code, response["Location"]) == (303, console(association))
    assert AuditEvent.objects.filter(action="authorization.requested").count() == 1
    page = text_of(client.get(console(association)))
    assert "Waiting for the customer" in page
    assert "Request authorization" not in page
    customer = customer_of(association)
    asks = f"{association.partner.name} asks for your authorization"
    assert asks in text_of(customer.get(MY_PARTNER))
    customer.post(LETTER_PAGE, shown_by(association, action="decline", reason="Not <now>"))
    page = text_of(client.get(console(association)))
    assert "Not &lt;now&gt;" in page
    assert "Request authorization" in page


def test_request_for_what_was_given_meanwhile_says_so():
    association = associated()
    grant_authorization(
        association=association,
        shown_request=None,
        shown_letter=document(LETTER).version,
        label="I agree",
        language="en",
        address=None,
        by=association.account.owner,
        now=timezone.now(),
    )
    administrator = PartnerMemberFactory.create(partner=association.partner, administrator=True)
    client = client_of(administrator.user)
    response = client.post(f"{console(association)}authorization")
    assert response.status_code == 409
    assert "The authorization has been given already." in text_of(response)


def test_request_is_for_the_partners_own_people_and_a_managers_own_customers():
    association = associated()
    address = f"{console(association)}authorization"
    for user in (
        PartnerMemberFactory.create(administrator=True).user,
        PartnerMemberFactory.create(partner=association.partner).user,
        association.account.owner,
    ):
        assert client_of(user).post(address).status_code == 404
    assert Client().post(address).status_code == 302
    assert Authorization.objects.count() == 0
    association.manager = PartnerMemberFactory.create(partner=association.partner)
    association.save()
    client = client_of(association.manager.user)
    assert client.get(address).status_code == 303
    assert client.post(address).status_code == 303
    assert Authorization.objects.get().requested_by == association.manager.user
