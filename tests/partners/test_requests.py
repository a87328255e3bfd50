"""Requests for an online invitation: the same answer to all who ask, one click for the partner."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.models import AuditEvent
from outbox.models import OutboxMessage
from partners.enums import Channel, InvitationRefusal, InvitationRequestRefusal
from partners.models import Invitation, InvitationRequest
from partners.services.invitation_requests import (
    answer_invitation_request,
    dismiss_invitation_request,
    request_online_invitation,
)
from partners.services.invitation_use import InvitationRefused
from tests.factories import (
    CustomerAccountFactory,
    InvitationFactory,
    InvitationRequestFactory,
    PartnerMemberFactory,
    UserFactory,
)
from web.email_addresses import InvalidAddress
from web.refused import Refused

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


def ask(invitation, address="ann@example.org", now=NOW):
    request_online_invitation(invitation=invitation, address=address, language="de", now=now)


def told():
    """Return who was mailed about a request, in order."""
    mails = OutboxMessage.objects.filter(kind="partners.invitation_requested")
    return sorted(mails.values_list("recipient", flat=True))


def actions(about):
    events = AuditEvent.objects.filter(
        object_label=about._meta.label_lower, object_id=str(about.pk)
    )
    return list(events.order_by("pk").values_list("action", flat=True))


def test_request_tells_administrators_and_the_maker_once_each():
    invitation = InvitationFactory()
    partner = invitation.partner
    boss = PartnerMemberFactory(partner=partner, administrator=True).user
    maker = PartnerMemberFactory(partner=partner).user
    PartnerMemberFactory(partner=partner)
    PartnerMemberFactory(partner=partner, administrator=True, user__is_active=False)
    PartnerMemberFactory(administrator=True)
    invitation.created_by = maker
    invitation.save()
    ask(invitation, "Ann@Example.ORG")
    assert told() == sorted([boss.email, maker.email])
    [request] = InvitationRequest.objects.all()
    assert (request.partner, request.invitation) == (partner, invitation)
    assert (request.address, request.language) == ("ann@example.org", "de")
    assert actions(request) == ["invitation_request.opened"]


def test_maker_who_is_administrator_is_told_once_and_one_who_left_never():
    invitation = InvitationFactory()
    boss = PartnerMemberFactory(partner=invitation.partner, administrator=True).user
    invitation.created_by = boss
    ask(invitation)
    assert told() == [boss.email]
    left = InvitationFactory(created_by=UserFactory())
    ask(left)
    assert told() == [boss.email]


def test_known_and_unknown_addresses_take_the_same_statements():
    known = CustomerAccountFactory(enabled=True).owner.email
    seen = []
    for address in (known, "unknown@example.org"):
        invitation = InvitationFactory()
        PartnerMemberFactory(partner=invitation.partner, administrator=True)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            ask(invitation, address)
        seen.append([query["sql"].split(" ", 1)[0] for query in queries])
    assert seen[0] == seen[1]
    assert not any(
        "accounts_user" in query["sql"] and "email" in query["sql"].rpartition("WHERE")[2]
        for query in queries
    )


def test_asking_again_changes_nothing_until_it_is_closed():
    invitation = InvitationFactory()
    PartnerMemberFactory(partner=invitation.partner, administrator=True)
    ask(invitation)
    ask(InvitationFactory(partner=invitation.partner), " ANN@example.org", NOW + timedelta(days=1))
    [request] = InvitationRequest.objects.all()
    assert (request.requested_at, len(told())) == (NOW, 1)
    dismiss_invitation_request(invitation_request=request, reason="", by=UserFactory(), now=NOW)
    ask(invitation)
    assert (InvitationRequest.objects.count(), len(told())) == (2, 2)


def test_asking_two_partners_is_two_requests():
    ask(InvitationFactory())
    ask(InvitationFactory())
    assert InvitationRequest.objects.count() == 2


@pytest.mark.parametrize(
    ("trait", "code"),
    [
        ({"revoked": True}, InvitationRefusal.REVOKED),
        ({"expires_at": NOW}, InvitationRefusal.EXPIRED),
        ({"partner__frozen": True}, InvitationRefusal.PARTNER_UNAVAILABLE),
    ],
)
def test_dead_link_makes_no_request(trait, code):
    with pytest.raises(InvitationRefused) as refused:
        ask(InvitationFactory(**trait))
    assert refused.value.code == code
    assert not InvitationRequest.objects.exists()


def test_request_whose_address_todays_rules_refuse_is_answered():
    """The e-mail is not sent; the member sees that, and can hand on the link."""
    member = PartnerMemberFactory(administrator=True)
    asked = InvitationRequestFactory(
        invitation__partner=member.partner, address="person=?@example.org"
    )
    sent = answer_invitation_request(invitation_request=asked, by=member.user, now=NOW)
    assert sent.recipient == "person=?@example.org"
    assert OutboxMessage.objects.get(kind="partners.invitation").recipient == sent.recipient


def test_partner_gets_fifty_requests_an_hour():
    invitation = InvitationFactory()
    PartnerMemberFactory(partner=invitation.partner, administrator=True)
    hour = timedelta(hours=1)
    for number in range(51):
        ask(invitation, f"someone{number}@example.org")
    assert (InvitationRequest.objects.count(), len(told())) == (50, 50)
    ask(InvitationFactory(), "someone50@example.org")
    assert InvitationRequest.objects.count() == 51
    ask(invitation, "someone50@example.org", NOW + hour)
    assert InvitationRequest.objects.count() == 52


def test_address_gets_five_requests_a_day():
    for _ in range(6):
        ask(InvitationFactory())
    assert InvitationRequest.objects.count() == 5
    ask(InvitationFactory(), "bob@example.org")
    ask(InvitationFactory(), now=NOW + timedelta(days=1))
    assert InvitationRequest.objects.count() == 7


def test_online_invitation_is_not_asked_for_with_an_online_invitation():
    with pytest.raises(Refused) as refused:
        ask(InvitationFactory(email=True))
    assert refused.value.code == InvitationRequestRefusal.NOT_A_LINK
    assert not InvitationRequest.objects.exists()


def test_request_without_an_address_is_not_made():
    with pytest.raises(InvalidAddress):
        ask(InvitationFactory(), "ann")
    assert not InvitationRequest.objects.exists()


@pytest.mark.parametrize("referral", [True, False])
def test_answering_sends_one_bound_invitation_of_the_same_type(referral):
    request = InvitationRequestFactory(invitation__referral=referral, language="de")
    member = UserFactory()
    sent = answer_invitation_request(invitation_request=request, by=member, now=NOW)
    again = answer_invitation_request(
        invitation_request=request, by=UserFactory(), now=NOW + timedelta(days=1)
    )
    assert again == sent
    sent.refresh_from_db()
    assert (sent.channel, sent.recipient, sent.is_bound) == (Channel.EMAIL, request.address, True)
    assert sent.association_type == request.invitation.association_type
    assert (sent.partner, sent.language, sent.created_by) == (request.partner, "de", member)
    request.refresh_from_db()
    assert (request.closed_at, request.closed_by) == (NOW, member)
    assert request.sent_invitation == sent
    [mail] = OutboxMessage.objects.filter(kind="partners.invitation")
    assert mail.recipient == request.address
    assert actions(request) == ["invitation_request.answered"]
    with pytest.raises(Refused) as refused:
        dismiss_invitation_request(invitation_request=request, reason="late", by=member, now=NOW)
    assert refused.value.code == InvitationRequestRefusal.ANSWERED


def test_answering_is_all_or_nothing_when_the_partner_may_not_invite():
    request = InvitationRequestFactory(invitation__partner__frozen=True)
    with pytest.raises(Refused):
        answer_invitation_request(invitation_request=request, by=UserFactory(), now=NOW)
    request.refresh_from_db()
    assert (request.closed_at, Invitation.objects.count()) == (None, 1)


def test_dismissing_twice_keeps_the_first_reason_and_sends_no_email():
    request, member = InvitationRequestFactory(), UserFactory()
    dismiss_invitation_request(invitation_request=request, reason="Not ours", by=member, now=NOW)
    again = dismiss_invitation_request(
        invitation_request=request, reason="Not ours", by=UserFactory(), now=NOW
    )
    with pytest.raises(Refused):
        dismiss_invitation_request(
            invitation_request=request, reason="Other", by=UserFactory(), now=NOW
        )
    assert (again.dismiss_reason, again.closed_by) == ("Not ours", member)
    assert actions(request) == ["invitation_request.dismissed"]
    assert not OutboxMessage.objects.exists()
    with pytest.raises(Refused) as refused:
        answer_invitation_request(invitation_request=request, by=member, now=NOW)
    assert refused.value.code == InvitationRequestRefusal.DISMISSED
