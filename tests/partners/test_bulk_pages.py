"""The pages of an action on many invitations: choose, confirm, progress, outcomes, cancel."""

import re
from datetime import datetime, timedelta
from html import unescape
from urllib.parse import quote

import pytest
from django.test import Client
from django.utils import timezone

from outbox.models import OutboxMessage
from partners.models import BulkAction, Invitation
from partners.refusals import SENTENCES
from partners.services.bulk_invitations import act_on_invitations
from partners.services.retention import forget_bulk_actions
from tests.csv_files import lines_of
from tests.factories import (
    FROZEN,
    InvitationBatchFactory,
    InvitationFactory,
    PartnerMemberFactory,
    customer_of,
)
from web.moments import moment_text

pytestmark = pytest.mark.django_db

LIST = "/partner/invitations/"
CHOOSE = f"{LIST}bulk/"
NOW = timezone.now()
KEY = {"form_key": "k" * 22}


def signed_in(user):
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(user)
    return client


@pytest.fixture
def member():
    return PartnerMemberFactory.create()


@pytest.fixture
def client(member):
    return signed_in(member.user)


def own(member, **fields):
    return InvitationFactory.create(partner=member.partner, created_by=member.user, **fields)


def choose(client, action, rows, **more):
    """Press the button of the list with these rows ticked; return the page that it leads to."""
    sent = {"action": action, "row": [row.pk for row in rows], **more}
    answer = client.post(CHOOSE, sent)
    assert answer.status_code == 303
    return answer["Location"]


def text_of(answer):
    return " ".join(re.sub(r"<[^>]*>", " ", answer.content.decode()).split())


def test_without_anything_to_do_the_page_has_no_button(client, member):
    rows = [own(member, label=f"Fair {number}") for number in (1, 2)]
    shown = client.get(choose(client, "resend", rows))
    assert "Send 2 invitations again?" not in text_of(shown)
    assert "This can be done to none of those chosen." in text_of(shown)
    assert '<form method="post" novalidate>' not in shown.content.decode()


def test_ticked_rows_are_revoked_after_a_reason(client, member):
    rows = [own(member, label="Fair 1"), own(member, label="Fair 2", revoked=True)]
    page = choose(client, "revoke", rows)
    shown = client.get(page)
    assert "Revoke 1 invitation?" in text_of(shown)
    assert "As it is now, at least 1 of 2 chosen will be left alone" in text_of(shown)
    assert [name.text for name, _row, _word in shown.context["rows"]] == ["Fair 1"]

    assert client.post(page, {}).status_code == 400
    rows[0].refresh_from_db()
    assert rows[0].revoked_at is None

    done = client.post(page, {"reason": "The box was stolen.", **KEY})
    assert (done.status_code, done["Location"]) == (303, page)
    rows[0].refresh_from_db()
    assert (rows[0].revoked_by, rows[0].revoked_at is None) == (member.user, False)
    shown = client.get(page)
    assert "1 of 2 done · 1 left alone" in text_of(shown)
    [(name, _row, word)] = shown.context["rows"]
    assert (name.text, word) == ("Fair 2", "This invitation has been revoked.")
    assert text_of(shown).count("The box was stolen.") == 1

    assert client.post(page, {"reason": "The box was stolen.", **KEY})["Location"] == page
    assert BulkAction.objects.get().done_count == 2


def test_outcomes_are_a_file(client, member):
    rows = [own(member, label="Fair 1"), own(member, label="=Fair 2", used_up=True)]
    page = choose(client, "revoke", rows)
    client.post(page, {"reason": "Lost"})
    lines = lines_of(client.get(page.rstrip("/") + ".csv"))
    assert lines == [
        "Number,Name,Outcome",
        "1,Fair 1,Done",
        "2,'=Fair 2,This invitation has been used up.",
    ]


def test_outcomes_that_appear_while_the_file_is_sent_are_in_it(client, member, monkeypatch):
    monkeypatch.setattr("partners.services.bulk_actions.FEW_ROWS", 0)
    page = choose(client, "revoke", [own(member, label="Fair 1"), own(member, used_up=True)])
    client.post(page, {"reason": "Lost"})
    answer = client.get(page.rstrip("/") + ".csv")
    act_on_invitations(now=timezone.now())
    lines = lines_of(answer)
    assert lines[1] == "1,Fair 1,Done"
    assert lines[2].endswith(",This invitation has been used up.")


def test_same_start_with_another_reason_is_a_conflict(client, member):
    page = choose(client, "revoke", [own(member)])
    client.post(page, {"reason": "Lost"})
    answer = client.post(page, {"reason": "Stolen"})
    assert answer.status_code == 409
    assert "with something else typed. Nothing new was started." in text_of(answer)
    assert BulkAction.objects.get().reason == "Lost"
    assert client.post(page, {"reason": "Lost"})["Location"] == page


def test_all_that_match_the_filter_are_chosen(client, member):
    wanted = [own(member, label=f"Fair {number}") for number in range(30)]
    own(member, label="Shop")
    other = PartnerMemberFactory.create(partner=member.partner)
    own(other, label="Fair of a colleague")
    answer = client.post(f"{CHOOSE}?q=Fair", {"action": "revoke", "all": "1"})
    assert answer.status_code == 303
    action = BulkAction.objects.get()
    keys = action.rows.order_by("number").values_list("object_id", flat=True)
    assert list(keys) == [row.pk for row in reversed(wanted)]


@pytest.mark.parametrize("action", ["revoke", "download"])
@pytest.mark.parametrize("gone", ["q=" + "a" * 4_001, "state=sung", "batch=x", "created_by=1"])
def test_all_that_match_a_filter_that_is_gone_are_nobody(client, member, action, gone):
    own(member)
    answer = client.post(f"{CHOOSE}?{gone}", {"action": action, "all": "1"})
    assert answer.status_code == 409
    assert "The filter has changed; look at the list again." in text_of(answer)
    assert BulkAction.objects.count() == 0


def test_place_and_size_of_the_list_are_no_filters(client, member):
    own(member)
    answer = client.post(
        f"{CHOOSE}?after=x&size=100&created_by=&lang=en", {"action": "revoke", "all": "1"}
    )
    assert (answer.status_code, BulkAction.objects.get().size) == (303, 1)


@pytest.mark.parametrize("action", ["revoke", "download"])
def test_nothing_ticked_is_said_on_the_same_page_of_the_list(client, member, action):
    for number in range(30):
        own(member, label=f"Fair {number}")
    own(member, label="Shop")
    first = client.get(f"{LIST}?q=Fair").context["listing"]
    page = client.get(f"{LIST}?q=Fair&after={quote(first.page.after)}")
    [address] = re.findall(r'action="(/partner/invitations/bulk/[^"]*)"', page.content.decode())
    answer = client.post(unescape(address), {"action": action})
    assert answer.status_code == 409
    assert "Nothing was chosen. Tick rows of the list, then choose again." in text_of(answer)
    assert answer.content.decode().split("<title>")[1].strip().startswith("Error:")
    labels = [
        [row["invitation"].label for row in shown.context["rows"]] for shown in (page, answer)
    ]
    assert labels[0] == labels[1] == [f"Fair {number}" for number in range(4, -1, -1)]
    # What the page links to, and a log-in on the way, find the list as it was.
    assert client.get(unescape(address))["Location"] == unescape(address).replace("bulk/", "")


@pytest.mark.parametrize("wrong", ["freeze", "set_budget", "sing", ""])
def test_unknown_actions_do_not_exist(client, member, wrong):
    sent = {"action": wrong, "row": [own(member).pk]}
    assert client.post(CHOOSE, sent).status_code == 404


@pytest.mark.parametrize("row", ["1", "x", "-1", "9" * 30, "1\0"])
def test_rows_of_nobody_do_not_exist(client, row):
    assert client.post(CHOOSE, {"action": "revoke", "row": [row]}).status_code == 404


def test_manager_chooses_no_row_of_a_colleague(client, member):
    colleague = PartnerMemberFactory.create(partner=member.partner)
    rows = [own(member).pk, own(colleague).pk]
    assert client.post(CHOOSE, {"action": "revoke", "row": rows}).status_code == 404
    assert BulkAction.objects.count() == 0


def test_only_its_member_sees_and_starts_a_draft(client, member):
    page = choose(client, "revoke", [own(member)])
    boss = PartnerMemberFactory.create(partner=member.partner, administrator=True)
    for method in ("get", "post"):
        assert getattr(signed_in(boss.user), method)(page).status_code == 404


def test_administrator_reads_what_a_manager_has_started_and_why(client, member):
    page = choose(client, "revoke", [own(member)])
    client.post(page, {"reason": "A stack of labels was lost"})
    boss = PartnerMemberFactory.create(partner=member.partner, administrator=True)
    colleague = PartnerMemberFactory.create(partner=member.partner)
    assert "A stack of labels was lost" in text_of(signed_in(boss.user).get(page))
    assert signed_in(colleague.user).get(page).status_code == 404


def test_large_actions_are_left_to_the_worker(client, member, monkeypatch):
    rows = [own(member, label=f"Fair {number}") for number in range(3)]
    monkeypatch.setattr("partners.services.bulk_actions.FEW_ROWS", 2)
    page = choose(client, "revoke", rows)
    client.post(page, {"reason": "Lost"})
    shown = client.get(page)
    assert "0 of 3 done" in text_of(shown)
    assert shown.content.decode().count('data-refresh="2"') == 1
    assert "Running Revoke · 0 of 3 done" in text_of(client.get(LIST))
    assert act_on_invitations(now=timezone.now()) == 3
    assert "3 of 3 done" in text_of(client.get(page))
    assert "Finished Revoke · 3 of 3 done" in text_of(client.get(LIST))
    assert f'<a href="{page}">' in client.get(LIST).content.decode()
    BulkAction.objects.update(finished_at=timezone.now() - timedelta(days=1))
    assert "Revoke · 3 of 3 done" not in text_of(client.get(LIST))


def test_page_of_what_was_extended_names_the_new_expiry(client, member):
    page = choose(client, "extend", [own(member, expires_at=timezone.now() + timedelta(days=1))])
    client.post(page, {"expiry": "90"})
    expires_at = datetime.fromisoformat(BulkAction.objects.get().terms["expires_at"])
    assert f"New expiry: {moment_text(expires_at)}." in text_of(client.get(page))


def test_running_action_is_cancelled(client, member, monkeypatch):
    monkeypatch.setattr("partners.services.bulk_actions.FEW_ROWS", 0)
    page = choose(client, "revoke", [own(member)])
    client.post(page, {"reason": "Lost"})
    assert client.post(page, {"action": "cancel"})["Location"] == page
    assert act_on_invitations(now=timezone.now()) == 0
    assert "What was done before stays." in text_of(client.get(page))
    assert client.post(page, {"reason": "Lost"}).status_code == 409


def test_page_of_a_discarded_draft_starts_nothing(client, member):
    invitation = own(member)
    old = choose(client, "revoke", [invitation])
    choose(client, "revoke", [invitation])
    assert client.get(old).status_code == 200
    answer = client.post(old, {"reason": "Lost"})
    assert answer.status_code == 409
    assert "This has been cancelled. Choose the rows again." in text_of(answer)
    invitation.refresh_from_db()
    assert invitation.revoked_at is None


def test_page_says_that_the_rows_were_removed(client, member, settings):
    page = choose(client, "revoke", [own(member), own(member, revoked=True)])
    client.post(page, {"reason": "Lost"})
    download, removed = "Download all outcomes", "what became of each, are no longer kept."
    shown = text_of(client.get(page))
    assert (download in shown, removed in shown) == (True, False)
    assert forget_bulk_actions(now=timezone.now() + settings.RETENTION["DRAFTS"]) == 2
    shown = text_of(client.get(page))
    assert (download in shown, removed in shown) == (False, True)
    assert "1 of 2 done · 1 left alone" in shown


def test_extending_asks_until_when(client, member):
    invitation = own(member, expires_at=NOW + timedelta(days=1))
    page = choose(client, "extend", [invitation])
    for wrong in ({}, {"expires_at": "2020-01-01T10:00"}, {"expiry": "at"}, {"expiry": "never"}):
        assert client.post(page, wrong).status_code == 400
    client.post(page, {"expires_at": "2030-01-02T10:00"})
    invitation.refresh_from_db()
    assert invitation.expires_at.isoformat() == "2030-01-02T10:00:00+00:00"


def test_sending_again_asks_for_nothing(client, member):
    page = choose(client, "resend", [own(member, email=True, recipient="ada@example.org")])
    assert "Send 1 invitation again?" in text_of(client.get(page))
    client.post(page, KEY)
    assert OutboxMessage.objects.get().recipient == "ada@example.org"


def test_customers_are_counted_before_sending_again(client, member):
    customer_of(member.partner, "lena@example.org")
    rows = [own(member, email=True, recipient=f"{name}@example.org") for name in ("lena", "bo")]
    page = choose(client, "resend", rows)
    shown = text_of(client.get(page))
    assert "at least 1 of 2 chosen" in shown
    assert "Who is your customer already is left alone, whichever invitation they used." in shown
    client.post(page, KEY)
    assert "This person is your customer already." in text_of(client.get(page))
    assert OutboxMessage.objects.filter(kind="partners.invitation").get().recipient == (
        "bo@example.org"
    )


def test_chosen_invitations_are_downloaded(client, member):
    rows = [
        own(member, label="Fair 1", reference="C-1"),
        own(member, label="Ada", email=True, recipient="ada@example.org", expired=True),
        own(member, label="Other"),
    ]
    sent = {"action": "download", "row": [row.pk for row in rows[:2]]}
    lines = lines_of(client.post(CHOOSE, sent))
    assert lines[0] == "Label,Reference,Recipient,Link,Delivery,Outcome,When"
    assert lines[1] == f"Fair 1,C-1,,{rows[0].link},,Live,"
    cells = lines[2].split(",")
    assert cells[:2] == ["Ada", ""]
    # A manager without the right sees addresses masked.
    assert cells[2] == rows[1].masked_recipient != "ada@example.org"
    assert cells[5] == "Expired"
    assert cells[6][:10] == rows[1].expires_at.date().isoformat()
    assert len(lines) == 3


def test_download_of_nothing_is_refused(client):
    assert client.post(CHOOSE, {"action": "download"}).status_code == 409


def test_batch_chooses_what_can_still_be_used(client, member):
    batch = InvitationBatchFactory.create(partner=member.partner, created_by=member.user)
    open_ones = [own(member, batch=batch), own(member, batch=batch, expired=True)]
    own(member, batch=batch, used_up=True)
    own(member, batch=batch, revoked=True)
    own(member)
    answer = client.post(f"{LIST}batches/{batch.pk}/actions", {"action": "revoke"})
    action = BulkAction.objects.get()
    assert answer["Location"] == f"{LIST}bulk/{action.pk}/"
    assert action.batch == batch
    keys = set(action.rows.values_list("object_id", flat=True))
    assert keys == {row.pk for row in open_ones}
    assert f'href="{LIST}batches/{batch.pk}/"' in client.get(answer["Location"]).content.decode()


@pytest.mark.parametrize(
    ("first", "last", "chosen"),
    [
        ("3", "5", {3, 4, 5}),
        ("9", "", {9, 10, 11, 12}),
        ("", "2", {1, 2}),
        ("12", "900", {12}),
        ("", "", set(range(1, 13))),
    ],
)
def test_stack_of_labels_is_chosen_by_its_numbers(client, member, first, last, chosen):
    batch = InvitationBatchFactory.create(
        partner=member.partner, created_by=member.user, label="Seat {n}", size=12
    )
    made = [own(member, batch=batch, label=f"Seat {number}") for number in range(1, 13)]
    # A label that was edited keeps its number.
    Invitation.objects.filter(pk=made[2].pk).update(label="Seat 8")
    sent = {"action": "revoke", "first": first, "last": last}
    client.post(f"{LIST}batches/{batch.pk}/actions", sent)
    keys = BulkAction.objects.get().rows.values_list("object_id", flat=True)
    assert set(keys) == {made[number - 1].pk for number in chosen}


def test_numbers_count_the_links_that_are_left_alone(client, member):
    batch = InvitationBatchFactory.create(partner=member.partner, created_by=member.user, size=4)
    made = [own(member, batch=batch, revoked=number == 2) for number in range(1, 5)]
    client.post(f"{LIST}batches/{batch.pk}/actions", {"action": "revoke", "first": 2, "last": 3})
    assert BulkAction.objects.get().rows.get().object_id == made[2].pk


@pytest.mark.parametrize("numbers", [{"first": "13"}, {"first": "9" * 30, "last": "9" * 30}])
def test_numbers_beyond_the_batch_choose_nothing(client, member, numbers):
    batch = InvitationBatchFactory.create(partner=member.partner, created_by=member.user, size=12)
    for _ in range(12):
        own(member, batch=batch)
    sent = {"action": "revoke", **numbers}
    answer = client.post(f"{LIST}batches/{batch.pk}/actions", sent)
    assert (answer.status_code, BulkAction.objects.count()) == (409, 0)
    assert answer.context["form"].errors["__all__"] == [str(SENTENCES["bulk_nothing_chosen"])]
    assert answer.context["form"]["first"].value() == numbers["first"]


@pytest.mark.parametrize(
    "wrong", [{"first": "5", "last": "3"}, {"first": "0"}, {"last": "x"}, {"first": "1\0"}]
)
def test_wrong_numbers_are_a_400_on_the_page_of_the_batch(client, member, wrong):
    batch = InvitationBatchFactory.create(
        partner=member.partner, created_by=member.user, size=3, done_count=3
    )
    own(member, batch=batch)
    answer = client.post(f"{LIST}batches/{batch.pk}/actions", {"action": "revoke", **wrong})
    assert answer.status_code == 400
    assert "There is a problem" in text_of(answer)
    assert BulkAction.objects.count() == 0


def test_batch_that_never_expires_is_not_extended(client, member):
    batch = InvitationBatchFactory.create(
        partner=member.partner, created_by=member.user, size=3, done_count=3
    )
    own(member, batch=batch)
    shown = client.get(f"{LIST}batches/{batch.pk}/").content.decode()
    assert ('value="revoke"' in shown, 'value="extend"' in shown) == (True, False)
    answer = client.post(f"{LIST}batches/{batch.pk}/actions", {"action": "extend"})
    assert answer.status_code == 409


def test_batch_of_links_has_nothing_to_send_again(client, member):
    batch = InvitationBatchFactory.create(partner=member.partner, created_by=member.user)
    own(member, batch=batch)
    answer = client.post(f"{LIST}batches/{batch.pk}/actions", {"action": "resend"})
    assert answer.status_code == 409


def test_frozen_partner_is_answered_row_by_row(client, member):
    page = choose(client, "resend", [own(member, email=True)])
    type(member.partner).objects.update(**FROZEN)
    client.post(page)
    assert "The partner is frozen and cannot invite." in text_of(client.get(page))


@pytest.mark.parametrize("rows", [1, 3])
def test_page_has_a_constant_query_count(client, member, rows, django_assert_num_queries):
    page = choose(client, "revoke", [own(member) for _ in range(rows)])
    with django_assert_num_queries(8):
        client.get(page)
