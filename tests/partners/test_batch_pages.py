"""The console's pages about batches: whose they are, what may be typed, progress, cancelling."""

import pytest
from django.test import Client
from django.utils import timezone

from partners.models import InvitationBatch
from partners.services.batches import make_batches
from tests.factories import FROZEN, InvitationBatchFactory, PartnerMemberFactory, UserFactory

pytestmark = pytest.mark.django_db

LIST = "/partner/invitations/batches/"
NEW = f"{LIST}new"
GOOD = {"label": "Fair {n}", "size": "12", "association_type": "reseller"}


def signed_in(user):
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(user)
    return client


@pytest.fixture
def member():
    return PartnerMemberFactory.create()


@pytest.fixture
def member_client(member):
    return signed_in(member.user)


def own(member, **fields):
    return InvitationBatchFactory.create(partner=member.partner, created_by=member.user, **fields)


def test_form_starts_a_batch_and_leads_to_its_page(member_client, member):
    answer = member_client.post(NEW, {**GOOD, "note": "Hello", "max_uses": "2", "country": "DE"})
    batch = InvitationBatch.objects.get()
    assert (answer.status_code, answer["Location"]) == (303, f"{LIST}{batch.pk}/")
    assert (batch.label, batch.size, batch.note, batch.max_uses, str(batch.country)) == (
        "Fair {n}",
        12,
        "Hello",
        2,
        "DE",
    )
    assert (batch.partner, batch.created_by, batch.state) == (
        member.partner,
        member.user,
        "running",
    )
    shown = member_client.get(answer["Location"]).content.decode()
    assert shown.count('data-refresh="2"') == 1
    assert "0 of 12 done" in shown


def test_batches_are_called_so_and_both_ways_to_make_one_are_offered(member_client):
    page = member_client.get(LIST).content.decode()
    assert '<h1 id="batches">Batches</h1>' in page
    assert f'href="{NEW}"' in page
    assert 'href="/partner/invitations/email/many"' in page
    assert (
        f'href="{LIST}">Batches</a>' in member_client.get("/partner/invitations/").content.decode()
    )
    assert "It is printed on the labels." in member_client.get(NEW).content.decode()


def test_double_click_starts_one_batch(member_client):
    sent = {**GOOD, "form_key": "k" * 22}
    answers = [member_client.post(NEW, sent)["Location"] for _ in range(2)]
    assert len(set(answers)) == 1
    assert InvitationBatch.objects.count() == 1


@pytest.mark.parametrize(
    ("label", "kept"),
    [("Fair", "Fair {n}"), ("{n}. seat", "{n}. seat"), ("a" * 114, "a" * 114 + " {n}")],
)
def test_label_gets_a_place_for_the_number(member_client, label, kept):
    member_client.post(NEW, {**GOOD, "label": label})
    assert InvitationBatch.objects.get().label == kept


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("size", ""),
        ("size", "0"),
        ("size", "-1"),
        ("size", "10001"),
        ("size", "1.5"),
        ("size", "1e3"),
        ("size", str(2**63)),
        ("size", "9" * 5000),
        ("size", "twelve"),
        ("label", ""),
        ("label", "a" * 121),
        ("label", "a" * 118),
        ("label", "{n}" * 30 + "a" * 31),
        ("label", "a\0b"),
        ("note", "a" * 501),
        ("association_type", "tenant"),
        ("max_uses", "0"),
        ("max_uses", str(2**63)),
        ("expires_at", "2020-01-01 10:00"),
        ("expires_at", "9999-12-31 10:00"),
        ("language", "xx"),
        ("country", "XX"),
    ],
)
def test_bad_input_is_a_400_that_keeps_what_was_typed(member_client, name, typed):
    answer = member_client.post(NEW, {**GOOD, "size": "10000", "note": "Dear all", name: typed})
    assert answer.status_code == 400
    assert answer.content.decode().count("There is a problem") == 1
    if name != "note":
        assert "Dear all" in answer.content.decode()
    assert InvitationBatch.objects.count() == 0


def test_type_that_is_not_granted_is_refused(member_client, member):
    type(member.partner).objects.update(allows_reseller=False)
    assert member_client.post(NEW, GOOD).status_code == 400


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        (FROZEN, "The partner is frozen and cannot invite."),
        (
            {"allows_reseller": False, "allows_referral": False},
            "The partner may not invite in this association type.",
        ),
    ],
)
def test_partner_that_can_make_no_link_is_told_before_and_after(
    member_client, member, state, sentence
):
    type(member.partner).objects.update(**state)
    shown, refused = member_client.get(NEW), member_client.post(NEW, GOOD)
    assert (shown.status_code, refused.status_code) == (200, 409)
    for answer in (shown, refused):
        assert sentence in answer.content.decode()
        assert 'name="size"' not in answer.content.decode()
    assert InvitationBatch.objects.count() == 0


def test_only_type_is_named_and_the_help_names_the_zone_alone(member_client, member):
    assert "Empty: never." not in member_client.get(NEW).content.decode()
    type(member.partner).objects.update(allows_referral=False)
    assert "Association type: reseller." in member_client.get(NEW).content.decode()


def test_quota_is_a_429_that_says_when_and_keeps_the_form(member_client, settings):
    settings.PARTNER_DAILY_INVITATIONS = 11
    answer = member_client.post(NEW, {**GOOD, "note": "Dear all"})
    assert answer.status_code == 429
    assert 86_390 <= int(answer["Retry-After"]) <= 86_400
    shown = answer.content.decode()
    assert "Possible again from" in shown
    assert "Dear all" in shown
    assert InvitationBatch.objects.count() == 0


@pytest.mark.parametrize("address", ["", "cancellation", "links.csv", "codes.zip", "labels"])
def test_batch_exists_for_its_creator_and_administrators_only(member_client, member, address):
    path = f"{LIST}{own(member).pk}/{address}"
    boss = PartnerMemberFactory.create(partner=member.partner, administrator=True)
    assert member_client.get(path).status_code == 200
    assert signed_in(boss.user).get(path).status_code == 200
    colleague = PartnerMemberFactory.create(partner=member.partner)
    other = PartnerMemberFactory.create(administrator=True)
    for user in (colleague.user, other.user, UserFactory.create()):
        theirs, missing = (signed_in(user).get(p) for p in (path, f"{LIST}0/{address}"))
        assert (theirs.status_code, theirs.content) == (404, missing.content)
    assert Client(SERVER_NAME="127.0.0.1").get(path).status_code == 302


def test_cancelling_of_anothers_batch_does_not_exist(member):
    batch = own(member)
    colleague = PartnerMemberFactory.create(partner=member.partner)
    path = f"{LIST}{batch.pk}/cancellation"
    assert signed_in(colleague.user).post(path).status_code == 404
    assert InvitationBatch.objects.get().state == "running"


def test_list_shows_a_manager_own_batches_and_an_administrator_all(member_client, member):
    own(member, label="Mine {n}")
    InvitationBatchFactory.create(partner=member.partner, label="Other {n}")
    InvitationBatchFactory.create(label="Foreign {n}")
    boss = PartnerMemberFactory.create(partner=member.partner, administrator=True)
    seen = {
        who: [title in client.get(LIST).content.decode() for title in ("Mine", "Other", "Foreign")]
        for who, client in (("manager", member_client), ("boss", signed_in(boss.user)))
    }
    assert seen == {"manager": [True, False, False], "boss": [True, True, False]}


@pytest.mark.parametrize("rows", [1, 3])
def test_list_takes_the_same_queries_for_one_and_three_rows(
    member_client, member, rows, django_assert_num_queries
):
    for _ in range(rows):
        own(member)
    # Session, user, member; the rows, how many there are; what waits.
    with django_assert_num_queries(6):
        shown = member_client.get(LIST)
    assert shown.content.decode().count("0 of 3") == rows


def test_list_finds_by_label_and_state(member_client, member):
    own(member, label="Fair {n}")
    own(member, label="Show {n}", cancelled=True)
    titles = ("Fair 1–3", "Show 1–3")
    found = {
        query: [title in member_client.get(f"{LIST}?{query}").content.decode() for title in titles]
        for query in ("q=fai", "state=cancelled", "state=running", "state=draft", "state=nonsense")
    }
    assert found == {
        "q=fai": [True, False],
        "state=cancelled": [False, True],
        "state=running": [True, False],
        "state=draft": [False, False],
        "state=nonsense": [True, True],
    }
    assert "No batch is like that." in member_client.get(f"{LIST}?state=draft").content.decode()


def test_word_for_a_made_batch_is_true_after_its_invitations_are_revoked(member_client, member):
    batch = own(member)
    make_batches(now=timezone.now())
    batch.invitations.update(revoked_at=timezone.now())
    for address in (LIST, f"{LIST}{batch.pk}/"):
        page = member_client.get(address).content.decode()
        assert "All created" in page
        assert "Finished" not in page


def test_empty_list_says_what_it_is_for(member_client):
    assert "Nothing yet." in member_client.get(LIST).content.decode()


def test_page_of_a_finished_batch_offers_the_files_and_does_not_reload(member_client, member):
    batch = own(member)
    assert "Labels to print" not in member_client.get(f"{LIST}{batch.pk}/").content.decode()
    make_batches(now=timezone.now())
    shown = member_client.get(f"{LIST}{batch.pk}/").content.decode()
    assert "data-refresh" not in shown
    assert "3 of 3 done" in shown
    assert "Labels to print" in shown
    assert f'href="/partner/invitations/?batch={batch.pk}"' in shown
    assert f"{LIST}{batch.pk}/cancellation" not in shown


def test_cancelling_twice_cancels_once(member_client, member):
    batch = own(member)
    path = f"{LIST}{batch.pk}/cancellation"
    assert "No more are made." in member_client.get(path).content.decode()
    for _ in range(2):
        answer = member_client.post(path)
        assert (answer.status_code, answer["Location"]) == (303, f"{LIST}{batch.pk}/")
    batch.refresh_from_db()
    assert (batch.state, batch.cancelled_by) == ("cancelled", member.user)
    assert "This batch has ended already." in member_client.get(path).content.decode()


def test_stopped_batch_says_why(member_client, member):
    batch = own(member)
    type(member.partner).objects.update(allows_reseller=False)
    make_batches(now=timezone.now())
    shown = member_client.get(f"{LIST}{batch.pk}/").content.decode()
    assert "The batch could not go on" in shown
    assert "The partner may not invite in this association type." in shown


@pytest.mark.parametrize(
    ("fields", "words", "others"),
    [
        ({"email": True}, "Seven days after each is sent", "Never"),
        ({}, "Never", "Seven days after"),
    ],
)
def test_batch_without_an_expiry_says_how_long_each_lives(
    member_client, member, fields, words, others
):
    shown = member_client.get(f"{LIST}{own(member, **fields).pk}/").content.decode()
    assert words in shown
    assert others not in shown


@pytest.mark.parametrize("address", ["links.csv", "codes.zip", "labels"])
def test_batch_of_emails_has_no_files_of_links(member_client, member, address):
    batch = own(member, email=True)
    assert member_client.get(f"{LIST}{batch.pk}/{address}").status_code == 404
