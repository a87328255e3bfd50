"""Making, finding, changing, re-sending and revoking invitations."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, connection

from audit.models import AuditEvent
from outbox.models import OutboxMessage
from partners.enums import AssociationType, Channel, InvitationProblem
from partners.models import Invitation
from partners.services.invitation_use import find_invitation
from partners.services.invitations import (
    create_invitation,
    create_links,
    edit_invitation,
    resend_invitation,
    revoke_invitation,
)
from tests.factories import InvitationFactory, PartnerFactory, UserFactory
from web.email_addresses import InvalidAddress
from web.refused import Refused

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
WEEK = timedelta(days=7)


def make(**fields):
    """Make a reseller link, or another invitation by `fields`."""
    fields = {
        "partner": fields.pop("partner", None) or PartnerFactory(),
        "channel": Channel.LINK,
        "association_type": AssociationType.RESELLER,
        "label": "Spring",
        "by": None,
        "now": NOW,
        **fields,
    }
    return create_invitation(**fields)


def make_email(**fields):
    return make(**{"channel": Channel.EMAIL, "recipient": "Ann@Example.ORG", **fields})


def edit(invitation, **fields):
    kept = {
        "label": invitation.label,
        "note": invitation.note,
        "expires_at": invitation.expires_at,
        "max_uses": invitation.max_uses,
    }
    return edit_invitation(invitation=invitation, by=None, now=NOW, **{**kept, **fields})


def events(invitation):
    """Return the actions in the audit trail of the invitation, oldest first."""
    return list(
        AuditEvent.objects.filter(
            object_label="partners.invitation", object_id=str(invitation.pk)
        ).order_by("pk")
    )


def mails(invitation):
    return list(
        OutboxMessage.objects.filter(
            about_label="partners.invitation", about_id=str(invitation.pk)
        ).order_by("pk")
    )


def test_link_has_no_limits_by_default_and_sends_no_email(django_assert_num_queries):
    partner, member = PartnerFactory(), UserFactory()
    # The savepoint of the service inside the test's transaction takes two, the quota two; on
    # PostgreSQL its lock is one more.
    with django_assert_num_queries(8 if connection.vendor == "postgresql" else 7):
        invitation = make(partner=partner, by=member, note="Hello", country="DE")
    invitation.refresh_from_db()
    assert (invitation.max_uses, invitation.expires_at, invitation.is_bound) == (None, None, False)
    assert (invitation.created_by, invitation.created_at) == (member, NOW)
    assert mails(invitation) == []
    [event] = events(invitation)
    assert (event.action, event.actor, event.before) == ("invitation.created", member, None)
    assert event.after == {
        "partner": partner.pk,
        "channel": "link",
        "association_type": "reseller",
        "label": "Spring",
        "note": "Hello",
        "subject": "",
        "customer_name": "",
        "reference": "",
        "metadata": {},
        "language": "",
        "country": "DE",
        "is_bound": False,
        "max_uses": None,
        "expires_at": None,
        "budget_amount": None,
        "budget_period": "",
        "budget_on_exhaustion": "",
        "allowed_domains": "",
    }


def test_link_with_recipient_is_refused_by_the_database():
    with pytest.raises(IntegrityError):
        make(recipient="ann@example.org")


def test_email_is_bound_for_one_use_and_seven_days_and_mailed_once():
    invitation = make_email(language="de", max_uses=5)
    assert (invitation.recipient, invitation.max_uses) == ("ann@example.org", 1)
    assert (invitation.is_bound, invitation.expires_at) == (True, NOW + WEEK)
    [mail] = mails(invitation)
    assert (mail.kind, mail.recipient) == ("partners.invitation", "ann@example.org")
    assert (mail.language, mail.deadline_at) == ("de", NOW + WEEK)
    assert "ann@example.org" not in str([event.after for event in events(invitation)])


def test_email_may_be_for_anyone_and_end_when_the_partner_says():
    invitation = make_email(is_bound=False, expires_at=NOW + timedelta(days=1))
    assert (invitation.is_bound, invitation.expires_at) == (False, NOW + timedelta(days=1))
    assert mails(invitation)[0].deadline_at == NOW + timedelta(days=1)


@pytest.mark.parametrize("recipient", ["", "ann", "ann@localhost", "a@b.org\nBcc: c@d.org"])
def test_email_without_an_address_is_not_made(recipient):
    with pytest.raises(InvalidAddress):
        make(channel=Channel.EMAIL, recipient=recipient)
    assert not Invitation.objects.exists()


@pytest.mark.parametrize(
    ("partner", "fields", "code"),
    [
        ({"frozen": True}, {}, InvitationProblem.PARTNER_UNAVAILABLE),
        ({"allows_reseller": False}, {}, InvitationProblem.TYPE_NOT_ALLOWED),
        (
            {"reseller_only": True},
            {"association_type": AssociationType.REFERRAL},
            InvitationProblem.TYPE_NOT_ALLOWED,
        ),
        ({}, {"expires_at": NOW}, InvitationProblem.EXPIRY_NOT_AHEAD),
        ({}, {"max_uses": 0}, InvitationProblem.TOO_FEW_USES),
        ({}, {"max_uses": -1}, InvitationProblem.TOO_FEW_USES),
        ({}, {"max_uses": 2**31}, InvitationProblem.TOO_MANY_USES),
    ],
)
def test_invitation_that_cannot_be_followed_is_not_made(partner, fields, code):
    partner = PartnerFactory(**partner)
    with pytest.raises(Refused) as refused:
        make(partner=partner, **fields)
    assert refused.value.code == code
    with pytest.raises(Refused) as refused:
        create_links(
            count=2,
            partner=partner,
            by=None,
            now=NOW,
            label="x",
            **{"association_type": AssociationType.RESELLER, **fields},
        )
    assert refused.value.code == code
    assert (Invitation.objects.count(), AuditEvent.objects.count()) == (0, 0)


@pytest.mark.parametrize("count", [1, 3])
def test_many_links_differ_in_token_and_number_only(count):
    member = UserFactory()
    made = create_links(
        count=count,
        partner=PartnerFactory(),
        association_type=AssociationType.RESELLER,
        label="Fair “A” {n}",
        by=member,
        now=NOW,
        max_uses=2,
        expires_at=NOW + WEEK,
    )
    assert [invitation.label for invitation in made] == [
        f"Fair “A” {number}" for number in range(1, count + 1)
    ]
    assert len({invitation.token for invitation in made}) == count
    assert len({invitation.pk for invitation in made}) == count
    for invitation in made:
        stored = Invitation.objects.get(pk=invitation.pk)
        assert stored.token == invitation.token
        assert stored.refusal(NOW) is None
        assert (stored.max_uses, stored.expires_at, stored.used_count) == (2, NOW + WEEK, 0)
        [event] = events(stored)
        assert (event.action, event.actor, event.occurred_at) == ("invitation.created", member, NOW)
        assert (event.after["label"], event.after["max_uses"]) == (stored.label, 2)


# The savepoint's two; links, audit events and events are one statement each. With at most 999
# parameters in a statement (SQLite, Django 5.2): one for every 33 links, 99 and 124 events.
@pytest.mark.parametrize(("count", "split"), [(2, 5), (300, 19)])
def test_many_links_take_as_many_statements_as_few(django_assert_num_queries, count, split):
    partner = PartnerFactory()
    with django_assert_num_queries(split if connection.features.max_query_params == 999 else 5):
        create_links(
            count=count,
            partner=partner,
            association_type="reseller",
            label="x",
            by=None,
            now=NOW,
        )


def test_find_takes_one_query_with_the_partner(django_assert_num_queries):
    invitation = InvitationFactory(token="0123456789abcdefghjkmnpqrs", revoked=True)
    with django_assert_num_queries(1):
        found = find_invitation("OI23456789ABCDEFGHJKMNPQRS")
        assert found == invitation
        assert found.partner.name == invitation.partner.name


@pytest.mark.parametrize("text", ["", "\x00" * 26, "0" * 27, "é" * 26])
def test_find_runs_no_query_for_what_is_no_token(django_assert_num_queries, text):
    with django_assert_num_queries(0):
        assert find_invitation(text) is None


def test_find_of_unknown_token_is_none():
    assert find_invitation("z" * 26) is None


@pytest.mark.parametrize("trait", [{}, {"expired": True}, {"used_up": True}])
def test_revoking_twice_is_one_revocation(trait):
    invitation, member = InvitationFactory(**trait), UserFactory()
    revoke_invitation(invitation=invitation, by=member, now=NOW)
    again = revoke_invitation(invitation=invitation, by=None, now=NOW + WEEK)
    assert (again.revoked_at, again.revoked_by) == (NOW, member)
    [event] = events(invitation)
    assert (event.action, event.before) == ("invitation.revoked", {"revoked_at": None})
    assert event.after == {"revoked_at": NOW.isoformat()}


@pytest.mark.parametrize("age", [timedelta(days=1), WEEK, timedelta(days=100)])
def test_resending_mails_the_same_link_and_renews_it(age):
    invitation = make_email(now=NOW - age)
    resent = resend_invitation(invitation=invitation, by=None, now=NOW)
    assert (resent.token, resent.expires_at) == (invitation.token, NOW + WEEK)
    assert [mail.deadline_at for mail in mails(invitation)] == [NOW - age + WEEK, NOW + WEEK]
    assert [event.action for event in events(invitation)][1:] == ["invitation.resent"]


def test_resending_never_shortens_what_the_partner_set():
    far = NOW + timedelta(days=60)
    resent = resend_invitation(invitation=make_email(expires_at=far), by=None, now=NOW)
    assert resent.expires_at == far


@pytest.mark.parametrize(
    ("trait", "code"),
    [
        ({}, InvitationProblem.NOT_BY_EMAIL),
        ({"email": True, "revoked": True}, InvitationProblem.REVOKED),
        ({"email": True, "used_up": True}, InvitationProblem.USED_UP),
        (
            {"email": True, "expired": True, "partner__frozen": True},
            InvitationProblem.PARTNER_UNAVAILABLE,
        ),
    ],
)
def test_resending_what_cannot_be_followed_is_refused(trait, code):
    invitation = InvitationFactory(**trait)
    with pytest.raises(Refused) as refused:
        resend_invitation(invitation=invitation, by=None, now=NOW)
    assert refused.value.code == code
    assert (mails(invitation), events(invitation)) == ([], [])


def test_person_is_mailed_at_most_three_times_a_day_by_all_partners():
    make_email()
    make_email(now=NOW + timedelta(hours=1))
    invitation = make_email(now=NOW + timedelta(hours=2))
    late = NOW + timedelta(hours=23)
    for action in (
        lambda: make_email(now=late),
        lambda: resend_invitation(invitation=invitation, by=None, now=late),
    ):
        with pytest.raises(Refused) as refused:
            action()
        assert refused.value.code == InvitationProblem.MAILED_TOO_OFTEN
    assert (Invitation.objects.count(), OutboxMessage.objects.count()) == (3, 3)
    make_email(recipient="bob@example.org", now=late)
    resend_invitation(invitation=invitation, by=None, now=NOW + timedelta(hours=24))
    assert len(mails(invitation)) == 2


def test_invitation_by_email_may_be_made_without_its_email():
    for _ in range(4):
        make_email(mailed=False)
    assert (Invitation.objects.count(), OutboxMessage.objects.count()) == (4, 0)


def test_editing_keeps_the_token_and_writes_what_changed():
    invitation = InvitationFactory(label="Spring", max_uses=5, used_count=2)
    edited = edit(invitation, label="Summer", max_uses=2, expires_at=NOW + WEEK)
    edited.refresh_from_db()
    assert (edited.label, edited.max_uses, edited.expires_at) == ("Summer", 2, NOW + WEEK)
    assert edited.token == invitation.token
    [event] = events(invitation)
    assert event.action == "invitation.edited"
    assert event.before == {"label": "Spring", "max_uses": 5, "expires_at": None}
    assert event.after == {
        "label": "Summer",
        "max_uses": 2,
        "expires_at": (NOW + WEEK).isoformat(),
    }


def test_editing_nothing_writes_nothing():
    invitation = InvitationFactory()
    edit(invitation)
    assert events(invitation) == []


def test_email_keeps_its_one_use_and_always_ends():
    invitation = make_email()
    edited = edit(invitation, max_uses=None, expires_at=None)
    assert (edited.max_uses, edited.expires_at) == (1, NOW + WEEK)


@pytest.mark.parametrize(
    ("trait", "fields", "code"),
    [
        ({"max_uses": 5, "used_count": 3}, {"max_uses": 2}, InvitationProblem.TOO_FEW_USES),
        ({}, {"max_uses": 0}, InvitationProblem.TOO_FEW_USES),
        ({}, {"expires_at": NOW}, InvitationProblem.EXPIRY_NOT_AHEAD),
        ({"expires_at": NOW}, {"expires_at": NOW + WEEK}, InvitationProblem.EXPIRED),
        ({"revoked": True}, {"label": "x"}, InvitationProblem.REVOKED),
        ({"used_up": True}, {"max_uses": 9}, InvitationProblem.USED_UP),
    ],
)
def test_editing_what_is_not_live_or_would_not_be_is_refused(trait, fields, code):
    invitation = InvitationFactory(**trait)
    with pytest.raises(Refused) as refused:
        edit(invitation, **fields)
    assert refused.value.code == code
    assert events(invitation) == []
