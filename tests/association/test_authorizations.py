"""Asking for an authorization, granting, declining and revoking it: the services."""

from datetime import timedelta

import pytest
from django.utils import timezone

from association.models import Association, Authorization, Consent, DocumentKind
from association.services.authorizations import (
    MOST_GRANTS_A_DAY,
    decline_authorization,
    grant_authorization,
    request_authorization,
    revoke_authorization,
)
from association.services.invariants.checking import find_violations
from audit.models import AuditEvent
from outbox.models import OutboxMessage
from tests.factories import (
    InvitationFactory,
    PartnerMemberFactory,
    UserFactory,
    end_by_provider,
    make_associated,
)
from tests.journeys.walk import document, publish_next
from web.refused import Refused

pytestmark = pytest.mark.django_db

ADDRESS = "192.0.2.44"
LETTER = DocumentKind.LETTER_OF_AUTHORIZATION
REQUESTED, DECIDED = "association.authorization_requested", "association.authorization_decided"


def associated(*, referral=False, letter=False):
    association = make_associated(invitation=InvitationFactory.create(referral=referral))
    if letter:
        grant(association)
    return association


def ask(association, by=None, now=None):
    by = by or PartnerMemberFactory.create(partner=association.partner).user
    return request_authorization(association=association, by=by, now=now or timezone.now())


def grant(association, **changed):
    return grant_authorization(
        **{
            "association": association,
            "shown_request": None,
            "shown_letter": document(LETTER).version,
            "label": "I agree",
            "language": "en",
            "address": ADDRESS,
            "by": association.account.owner,
            "now": timezone.now(),
            **changed,
        }
    )


def decline(authorization, reason="", by=None):
    by = by or authorization.association.account.owner
    return decline_authorization(
        authorization=authorization, reason=reason, by=by, now=timezone.now()
    )


def revoke(authorization, reason="Moved", by=None):
    by = by or authorization.association.account.owner
    return revoke_authorization(
        authorization=authorization, reason=reason, by=by, now=timezone.now()
    )


def trail():
    """What the trail says about authorizations: action, actor, before, after."""
    events = AuditEvent.objects.filter(object_label="association.authorization").order_by("pk")
    return [(event.action, event.actor, event.before, event.after) for event in events]


def mailed(kind):
    return sorted(OutboxMessage.objects.filter(kind=kind).values_list("recipient", flat=True))


def rows_of_associations():
    return list(Association.objects.order_by("pk").values())


@pytest.fixture
def untouched():
    """Check afterwards that nothing of any association has changed."""
    yield
    for association in Association.objects.all():
        made = AuditEvent.objects.filter(object_label="association.association")
        assert [event.action for event in made.filter(object_id=association.pk)] == [
            "association.made"
        ]
    assert list(find_violations()) == []


@pytest.mark.parametrize("referral", [False, True])
def test_request_is_stored_audited_and_e_mailed_once(untouched, referral):
    association = associated(referral=referral)
    member = PartnerMemberFactory.create(partner=association.partner)
    before = rows_of_associations()
    asked = ask(association, by=member.user)
    assert (asked.state, asked.requested_by) == ("requested", member.user)
    assert ask(association, by=UserFactory.create()) == asked
    assert [row[:3] for row in trail()] == [("authorization.requested", member.user, None)]
    assert trail()[0][3]["association"] == association.pk
    assert mailed(REQUESTED) == [association.account.owner.email]
    assert rows_of_associations() == before


@pytest.mark.parametrize("referral", [False, True])
@pytest.mark.parametrize("was_asked", [False, True])
def test_grant_stores_the_consent_and_e_mails_the_partners_members(untouched, referral, was_asked):
    association = associated(referral=referral)
    asked = ask(association) if was_asked else None
    administrator = PartnerMemberFactory.create(partner=association.partner, administrator=True)
    manager = PartnerMemberFactory.create(partner=association.partner)
    Association.objects.update(manager=manager)
    association.refresh_from_db()
    before, now = rows_of_associations(), timezone.now()
    granted = grant(association, shown_request=asked, now=now)
    consent = Consent.objects.get(document__kind=LETTER)
    assert (granted.state, granted.consent, granted.granted_at) == ("granted", consent, now)
    assert (consent.account, consent.attempt) == (association.account, None)
    assert (consent.document, consent.network_address) == (document(LETTER), ADDRESS)
    assert consent.agreed_at == now
    owner = association.account.owner
    action, actor, was, became = trail()[-1]
    assert (action, actor, was) == ("authorization.granted", owner, {"granted_at": None})
    assert became["consent"] == consent.pk
    assert len(trail()) == 1 + was_asked
    assert mailed(DECIDED) == sorted([administrator.user.email, manager.user.email])
    assert rows_of_associations() == before


def test_granting_again_returns_it_and_writes_nothing(untouched):
    association = associated()
    asked = ask(association)
    granted = grant(association, shown_request=asked)
    rows = (len(trail()), Consent.objects.count(), OutboxMessage.objects.count())
    assert grant(association, shown_request=asked) == granted
    assert grant(association) == granted
    assert rows == (len(trail()), Consent.objects.count(), OutboxMessage.objects.count())


def test_older_version_than_the_one_in_force_is_refused(untouched):
    association = associated()
    shown = document(LETTER).version
    publish_next(LETTER)
    with pytest.raises(Refused, match=r"^authorization_letter_changed$"):
        grant(association, shown_letter=shown)
    assert Authorization.objects.count() == 0
    assert grant(association, shown_letter=shown + 1).consent.document.version == shown + 1


def test_decline_keeps_the_reason_once(untouched):
    association = associated()
    administrator = PartnerMemberFactory.create(partner=association.partner, administrator=True)
    asked, before = ask(association), rows_of_associations()
    declined = decline(asked, "Not now")
    assert (declined.state, declined.reason) == ("declined", "Not now")
    assert decline(asked, "Again").reason == "Not now"
    assert [row[0] for row in trail()] == ["authorization.requested", "authorization.declined"]
    assert trail()[-1][3]["reason"] == "Not now"
    assert mailed(DECIDED) == [administrator.user.email]
    assert rows_of_associations() == before


def test_revocation_keeps_the_reason_once_and_can_be_followed_by_another_grant(untouched):
    association = associated(letter=True)
    granted, before = Authorization.objects.get(), rows_of_associations()
    assert revoke(granted).state == "revoked"
    assert revoke(granted, "Again").reason == "Moved"
    assert [row[0] for row in trail()] == ["authorization.granted", "authorization.revoked"]
    second = grant(association)
    assert second != granted
    # The page that was open all the while is about the first one.
    assert revoke(granted, "Late").pk == granted.pk
    second.refresh_from_db()
    assert second.state == "granted"
    assert rows_of_associations() == before


def test_decline_after_the_grant_is_refused():
    association = associated()
    asked = ask(association)
    grant(association, shown_request=asked)
    with pytest.raises(Refused, match=r"^already_granted$"):
        decline(asked)


def test_grant_of_a_request_that_was_declined_is_refused():
    association = associated()
    asked = ask(association)
    decline(asked)
    with pytest.raises(Refused, match=r"^already_declined$"):
        grant(association, shown_request=asked)
    assert Authorization.objects.get().state == "declined"


def test_revoking_what_was_not_granted_is_refused():
    with pytest.raises(Refused, match=r"^not_granted$"):
        revoke(ask(associated()))


def test_asking_for_what_was_given_is_refused():
    with pytest.raises(Refused, match=r"^already_granted$"):
        ask(associated(letter=True))


def test_only_the_owner_answers():
    association, other = associated(), UserFactory.create()
    asked = ask(association)
    for act in (
        lambda: grant(association, by=other),
        lambda: decline(asked, by=other),
        lambda: revoke(asked, by=other),
    ):
        with pytest.raises(Refused, match=r"^not_owner$"):
            act()
    assert len(trail()) == 1


def test_ended_association_has_no_more_authorizations():
    association = associated()
    asked = ask(association)
    end_by_provider(association)
    for act in (
        lambda: ask(association),
        lambda: grant(association),
        lambda: decline(asked),
        lambda: revoke(asked),
    ):
        with pytest.raises(Refused, match=r"^ended$"):
            act()


def test_members_of_another_partner_and_inactive_ones_get_no_e_mail():
    association = associated()
    PartnerMemberFactory.create(administrator=True)
    PartnerMemberFactory.create(
        partner=association.partner, administrator=True, user__is_active=False
    )
    PartnerMemberFactory.create(partner=association.partner)
    decline(ask(association, now=timezone.now() - timedelta(days=1)))
    assert mailed(DECIDED) == []


def test_the_letter_is_agreed_to_only_so_often_a_day_and_revoked_always():
    association, now = associated(), timezone.now()
    for minute in range(MOST_GRANTS_A_DAY):
        at = now + timedelta(minutes=minute)
        granted = grant(association, now=at)
        assert revoke(granted).revoked_at is not None

    with pytest.raises(Refused, match="granted_too_often") as refused:
        grant(association, now=now + timedelta(hours=1))

    assert refused.value.again_at == now + timedelta(days=1)
    assert grant(association, now=refused.value.again_at).revoked_at is None
