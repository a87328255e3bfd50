"""The console's list of invitations: found, filtered, ordered, counted, each member's own."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from partners.enums import InvitationRefusal, InvitationState
from partners.models import Invitation
from partners.services.pages import Count
from partners.services.progress import Progress, progress_of
from tests.factories import (
    AttemptFactory,
    InvitationBatchFactory,
    InvitationFactory,
    PartnerFactory,
    PartnerMemberFactory,
    UserFactory,
)
from tests.shown_texts import unbroken

pytestmark = pytest.mark.django_db

PATH = "/partner/invitations/"
REFUSALS = {
    None: InvitationState.LIVE,
    InvitationRefusal.REVOKED: InvitationState.REVOKED,
    InvitationRefusal.USED_UP: InvitationState.USED_UP,
    InvitationRefusal.EXPIRED: InvitationState.EXPIRED,
}


@pytest.fixture
def boss():
    return PartnerMemberFactory(administrator=True)


def client_of(user):
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(user)
    return client


def labels(member, query=""):
    """Return the labels on the page, from top to bottom."""
    page = client_of(member.user).get(f"{PATH}?{query}")
    assert page.status_code == 200
    return [
        row["batch"].title if "batch" in row else row["invitation"].label
        for row in page.context["rows"]
    ]


@pytest.mark.parametrize("rows", [1, 3])
def test_list_has_a_constant_query_count(boss, rows, django_assert_num_queries):
    for invitation in InvitationFactory.create_batch(rows, partner=boss.partner):
        AttemptFactory(invitation=invitation)
    client = client_of(boss.user)
    with django_assert_num_queries(12):
        page = client.get(PATH)
    assert len(page.context["rows"]) == rows


@pytest.mark.parametrize(
    "traits",
    [
        {},
        {"expired": True},
        {"revoked": True},
        {"used_up": True},
        {"expired": True, "used_up": True},
        {"expired": True, "revoked": True},
        {"used_up": True, "revoked": True},
        {"max_uses": 2, "used_count": 1},
        {"partner__frozen": True},
        {"partner__frozen": True, "expired": True},
        {"referral": True, "partner__reseller_only": True},
    ],
)
def test_state_is_what_refusal_says(traits):
    invitation, now = InvitationFactory(**traits), timezone.now()

    states = [
        state
        for state in InvitationState
        if Invitation.objects.in_state(state, now).filter(pk=invitation.pk).exists()
    ]

    expected = REFUSALS.get(invitation.refusal(now))
    assert states == ([] if expected is None else [expected])


def test_invitation_expires_exactly_at_its_moment():
    now = timezone.now()
    InvitationFactory(expires_at=now)
    assert Invitation.objects.in_state("expired", now).count() == 1
    assert Invitation.objects.in_state("live", now).count() == 0


def test_progress_counts_attempts():
    now, invitation = timezone.now(), InvitationFactory()
    AttemptFactory.create_batch(2, invitation=invitation)
    AttemptFactory(invitation=invitation, refused_at=now, decided_at=now)
    AttemptFactory()

    [progress] = progress_of([invitation]).values()

    assert progress == Progress(Count(3, False), Count(0, False), Count(1, False))


def test_progress_stops_counting(monkeypatch):
    monkeypatch.setattr("partners.services.progress.COUNTED", 2)
    few, many = InvitationFactory(), InvitationFactory()
    AttemptFactory.create_batch(2, invitation=few)
    AttemptFactory.create_batch(3, invitation=many)

    progress = progress_of([few, many])

    assert progress[few.pk].started == Count(2, is_more=False)
    assert progress[many.pk].started == Count(2, is_more=True)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["mail", "over", "link"]),
        ("state=live", ["mail", "link"]),
        ("state=expired", ["over"]),
        ("state=revoked", []),
        ("channel=email", ["mail"]),
        ("channel=link", ["over", "link"]),
        ("association_type=referral", ["link"]),
        ("q=LIN", ["link"]),
        ("q=Ann%40Example.org", ["mail"]),
        ("q=ann", ["mail"]),
        ("q=%00", ["mail", "over", "link"]),
        ("order=used", ["link", "mail", "over"]),
        ("order=expiring", ["mail"]),
        ("order=expiring&state=expired", ["over"]),
        ("order=nonsense&state=nonsense", ["mail", "over", "link"]),
    ],
)
def test_list_shows_what_was_asked_for(boss, query, expected):
    now, partner = timezone.now(), boss.partner
    InvitationFactory(partner=partner, label="link", referral=True, used_count=2, created_at=now)
    InvitationFactory(
        partner=partner, label="over", expired=True, created_at=now + timedelta(seconds=1)
    )
    InvitationFactory(
        partner=partner,
        label="mail",
        email=True,
        recipient="ann@example.org",
        used_count=1,
        max_uses=1,
        created_at=now + timedelta(seconds=2),
    )
    Invitation.objects.filter(label="mail").update(used_count=0)
    if "order=used" in query:
        Invitation.objects.filter(label="mail").update(used_count=1)
    assert labels(boss, query) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("state=expired", ["made first", "made last", "between"]),
        ("state=expired&order=newest", ["made first", "made last", "between"]),
        ("state=expired&order=expiring", ["between", "made last", "made first"]),
        ("", ["made last", "between", "made first"]),
    ],
)
def test_expired_ones_are_listed_by_their_expiry(boss, query, expected):
    now = timezone.now()
    hours = {"made first": (9, 1), "between": (8, 3), "made last": (7, 2)}
    for label, (made, expired) in hours.items():
        InvitationFactory(
            partner=boss.partner,
            label=label,
            created_at=now - timedelta(hours=made),
            expires_at=now - timedelta(hours=expired),
        )
    assert labels(boss, query) == expected


def test_link_is_found_in_each_way_of_typing_it(boss):
    wanted = InvitationFactory(partner=boss.partner, label="wanted")
    InvitationFactory(partner=boss.partner)
    for text in (wanted.token, wanted.link, wanted.link.upper(), wanted.grouped_token):
        assert labels(boss, f"q={text.replace(' ', '+')}") == ["wanted"]
    stranger = InvitationFactory()
    assert labels(boss, f"q={stranger.token}") == []


def test_administrator_asks_for_those_of_one_member(boss):
    manager = PartnerMemberFactory(partner=boss.partner)
    InvitationFactory(partner=boss.partner, label="hers", created_by=manager.user)
    InvitationFactory(partner=boss.partner, label="his", created_by=boss.user)
    assert labels(boss, f"created_by={manager.pk}") == ["hers"]
    assert labels(boss, f"created_by={PartnerMemberFactory().pk}") == ["his", "hers"]


def test_manager_sees_own_and_no_filter_for_others(boss):
    manager = PartnerMemberFactory(partner=boss.partner)
    InvitationFactory(partner=boss.partner, label="hers", created_by=manager.user)
    InvitationFactory(partner=boss.partner, label="his", created_by=boss.user)
    InvitationFactory(label="another partner's")
    assert labels(boss) == ["his", "hers"]
    assert labels(manager) == ["hers"]
    page = client_of(manager.user).get(PATH)
    assert "created_by" not in page.context["listing"].form.fields


def test_pages_follow(boss):
    InvitationFactory.create_batch(26, partner=boss.partner)
    client = client_of(boss.user)
    first = client.get(PATH).context["listing"].page
    second = client.get(PATH, {"after": first.after}).context["listing"].page
    assert (len(first.rows), len(second.rows), second.after) == (25, 1, "")


def test_empty_list_says_what_to_do(boss):
    page = client_of(boss.user).get(PATH).content.decode()
    assert "You have not invited anybody yet." in page
    assert "/partner/invitations/new" in page


def test_list_is_for_members():
    assert Client(SERVER_NAME="127.0.0.1").get(PATH).status_code == 302
    assert client_of(UserFactory()).get(PATH).status_code == 404
    InvitationFactory(partner=PartnerFactory(), label="another partner's")
    assert labels(PartnerMemberFactory(administrator=True)) == []


@pytest.mark.parametrize(
    ("query", "is_filtered"),
    [("?order=newest", False), ("?q=&state=&order=newest", False), ("?order=used", True)],
)
def test_usual_order_is_no_filter(query, is_filtered):
    client = Client()
    client.force_login(PartnerMemberFactory.create().user)
    page = client.get(f"/partner/invitations/{query}").content.decode()
    assert ("No invitation is like that." in page) is is_filtered
    assert ("You have not invited anybody yet." in page) is not is_filtered


def test_list_is_narrowed_to_one_batch_of_ones_own(boss):
    batch = InvitationBatchFactory.create(partner=boss.partner)
    others = InvitationBatchFactory.create()
    of_batch = InvitationFactory.create(partner=boss.partner, batch=batch)
    InvitationFactory.create(partner=boss.partner)
    InvitationFactory.create(partner=others.partner, batch=others)

    assert labels(boss, f"batch={batch.pk}") == [of_batch.label]
    for unknown in (others.pk, 2**63 - 1):
        assert labels(boss, f"batch={unknown}") == []
    assert len(labels(boss, f"batch={2**70}")) == 2


@pytest.mark.parametrize("rows", [1, 3])
def test_list_of_a_batch_names_it_keeps_it_and_asks_once_more(
    boss, rows, django_assert_num_queries
):
    batch = InvitationBatchFactory.create(partner=boss.partner, label="<b>Fair</b> {n}", size=3)
    InvitationFactory.create_batch(rows, partner=boss.partner, batch=batch)
    client = client_of(boss.user)
    with django_assert_num_queries(10):
        page = client.get(f"{PATH}?batch={batch.pk}")
    content = page.content.decode()
    assert len(page.context["rows"]) == rows
    assert "Only those of the batch “<bdi>&lt;b&gt;Fair&lt;/b&gt; 1–3</bdi>”" in content
    assert f'· <a href="{PATH}">Show all</a>' in content
    assert f'<input type="hidden" name="batch" value="{batch.pk}"' in content


def test_batch_of_others_is_not_named(boss):
    manager = PartnerMemberFactory(partner=boss.partner)
    of_boss = InvitationBatchFactory.create(
        partner=boss.partner, created_by=boss.user, label="Secret {n}"
    )
    of_others = InvitationBatchFactory.create(label="Secret {n}")
    InvitationFactory.create(partner=boss.partner, batch=of_boss, created_by=boss.user)
    for member, batch in ((manager, of_boss), (boss, of_others)):
        page = client_of(member.user).get(f"{PATH}?batch={batch.pk}")
        assert (page.status_code, page.context["rows"], page.context["batch"]) == (200, [], None)
        assert "Secret" not in page.content.decode()


def test_people_of_the_same_name_can_be_told_apart(boss):
    for number in (1, 2):
        InvitationFactory.create(
            partner=boss.partner,
            email=True,
            label="Anna Bär",
            recipient=f"anna{number}@example.org",
            reference=f"C-{number}",
        )
    page = " ".join(client_of(boss.user).get("/partner/invitations/").content.decode().split())
    for number in (1, 2):
        assert (
            f"<bdi>anna{number}@<wbr>example.<wbr>org</bdi> · <bdi>C-{number}</bdi> · Reseller"
            in page
        )
    manager = PartnerMemberFactory.create(partner=boss.partner)
    own = InvitationFactory.create(
        partner=boss.partner, email=True, recipient="anna3@example.org", created_by=manager.user
    )
    page = unbroken(client_of(manager.user).get("/partner/invitations/"))
    assert own.masked_recipient in page
    assert "anna3@example.org" not in page


def test_what_expires_next_can_still_be_used(boss):
    now = timezone.now()
    for days, label, fields in (
        (1, "used up", {"used_count": 1, "max_uses": 1}),
        (2, "revoked", {"revoked": True}),
        (3, "live", {}),
    ):
        InvitationFactory(
            partner=boss.partner, label=label, expires_at=now + timedelta(days=days), **fields
        )
    assert labels(boss, "order=expiring") == ["live"]
