"""Lists with people whom the partner knows: customers, invited people, people mailed too often."""

from datetime import UTC, datetime, timedelta

import pytest

from outbox.models import OutboxMessage
from partners.contact_lists.reading import read_list
from partners.enums import MailingRefusal
from partners.models import Invitation
from partners.services.invitations import create_invitation, revoke_invitation
from partners.services.known_people import mark_known_people
from partners.services.mailings import count_rows, draft_mailing, mail_batches, start_mailing
from tests.factories import (
    PartnerMemberFactory,
    customer_of,
)
from web.refused import Refused

pytestmark = pytest.mark.django_db

NOW = datetime(2030, 5, 4, 12, tzinfo=UTC)
LIST = "ann@example.org\nbob@example.org\ncy@example.org"


@pytest.fixture
def member():
    return PartnerMemberFactory.create(partner__reseller_only=True)


def invited(member, recipient, now=NOW, **terms):
    terms = {"channel": "email", "association_type": "reseller", "label": "x", **terms}
    return create_invitation(
        partner=member.partner, recipient=recipient, by=member.user, now=now, **terms
    )


def marked(member, text=LIST, now=NOW):
    people = read_list(text).people
    mark_known_people(people, partner=member.partner, now=now)
    return people


def marks(people):
    return {person.email.split("@")[0]: person.problem or person.remark for person in people}


def drafted(member, text=LIST, now=NOW):
    terms = {"association_type": "reseller", "label": "Fair", "is_bound": True}
    people = marked(member, text, now)
    return draft_mailing(partner=member.partner, people=people, by=member.user, now=now, **terms)


def start(member, batch, *, invites_again=False, now=NOW):
    words = {"subject": "", "note": "", "invites_again": invites_again}
    return start_mailing(batch=batch, by=member.user, now=now, **words)


def work(now=NOW):
    while mail_batches(now=now):
        pass


def mailed():
    invitations = OutboxMessage.objects.filter(kind="partners.invitation")
    return sorted(invitations.values_list("recipient", flat=True))


def test_what_the_partner_knows_is_told_before_anything_is_sent(member):
    customer_of(member.partner, "ann@example.org", now=NOW)
    invited(member, "bob@example.org")

    assert marks(marked(member)) == {
        "ann": "row_already_customer",
        "bob": "remark_already_invited",
        "cy": "",
    }


@pytest.mark.parametrize(
    "spelling", ["Ann@Example.ORG", "Ann <ann@example.org>", "mailto:ann@example.org"]
)
def test_customers_are_found_in_each_spelling(member, spelling):
    customer_of(member.partner, "ann@example.org", now=NOW)
    [person] = marked(member, f"Mail\n{spelling}")
    assert person.problem == "row_already_customer"


def test_people_of_others_and_of_the_past_are_not_known(member):
    other = PartnerMemberFactory.create()
    customer_of(other.partner, "ann@example.org", now=NOW)
    invited(other, "bob@example.org")
    customer_of(member.partner, "cy@example.org", now=NOW)
    member.partner.associations.update(ended_at=NOW)
    assert set(marks(marked(member)).values()) == {""}


def test_only_a_live_invitation_counts(member):
    revoke_invitation(invitation=invited(member, "ann@example.org"), by=member.user, now=NOW)
    invited(member, "bob@example.org")
    week = NOW + timedelta(days=7)
    just_before = week - timedelta(seconds=1)
    assert marks(marked(member, now=just_before)) == {
        "ann": "",
        "bob": "remark_already_invited",
        "cy": "",
    }
    assert set(marks(marked(member, now=week)).values()) == {""}


def test_three_invitations_within_a_day_are_told(member):
    for _ in range(3):
        invited(PartnerMemberFactory.create(), "ann@example.org")
    assert marks(marked(member))["ann"] == "remark_mailed_too_often"
    assert marks(marked(member, now=NOW + timedelta(days=1)))["ann"] == ""


@pytest.mark.parametrize(
    ("invites_again", "size", "recipients"),
    [(False, 1, ["bob", "cy"]), (True, 2, ["bob", "bob", "cy"])],
)
def test_invited_people_are_mailed_again_only_when_wanted(member, invites_again, size, recipients):
    customer_of(member.partner, "ann@example.org", now=NOW)
    invited(member, "bob@example.org")
    batch = drafted(member)
    counts = count_rows(batch)
    assert (counts.good, counts.invited, counts.with_remark, counts.bad) == (1, 1, 1, 1)

    start(member, batch, invites_again=invites_again)
    work()

    batch.refresh_from_db()
    assert (batch.state, batch.size, batch.done_count) == ("finished", size, size)
    after = count_rows(batch)
    assert (after.were_passed_over, after.with_remark, after.bad) == (2 - size, 1, 1)
    assert mailed() == [f"{name}@example.org" for name in recipients]


def test_what_became_true_after_the_upload_counts_at_the_start(member):
    batch = drafted(member)
    customer_of(member.partner, "ann@example.org", now=NOW)
    invited(member, "bob@example.org")

    start(member, batch)
    work()

    assert mailed() == ["bob@example.org", "cy@example.org"]
    assert dict(batch.rows.values_list("email", "problem")) == {
        "ann@example.org": "row_already_customer",
        "bob@example.org": "row_already_invited",
        "cy@example.org": "",
    }


def test_invitation_that_is_revoked_meanwhile_does_not_count(member):
    first = invited(member, "bob@example.org")
    batch = drafted(member)
    revoke_invitation(invitation=first, by=member.user, now=NOW)
    start(member, batch)
    work()
    assert Invitation.objects.live(NOW).filter(recipient="bob@example.org").count() == 1


def test_list_of_known_people_alone_is_not_started(member):
    invited(member, "ann@example.org")
    batch = drafted(member, "ann@example.org")
    with pytest.raises(Refused) as refused:
        start(member, batch)
    assert refused.value.code == MailingRefusal.NOBODY_LEFT
    batch.refresh_from_db()
    assert (batch.state, batch.size, batch.rows.get().problem) == ("draft", 1, "")
    assert start(member, batch, invites_again=True).state == "running"


def test_second_start_for_more_people_is_refused(member):
    invited(member, "ann@example.org")
    batch = drafted(member)
    start(member, batch)
    start(member, batch)
    with pytest.raises(Refused) as refused:
        start(member, batch, invites_again=True)
    assert refused.value.code == MailingRefusal.STARTED


@pytest.mark.parametrize("rows", [1, 3])
def test_known_people_are_found_with_a_constant_query_count(
    member, rows, django_assert_num_queries
):
    people = read_list("\n".join(f"p{n}@example.org" for n in range(rows))).people
    with django_assert_num_queries(4):
        mark_known_people(people, partner=member.partner, now=NOW)
