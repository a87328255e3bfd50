"""Ending under My partner, in the console and in the admin, and what every page says afterwards."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.enums import FreezeCause, FreezeScope
from accounts.models import CustomerAccount
from accounts.services.freezes import freeze_account
from association.enums import EndAnswer, Side
from association.models import Association, DocumentKind, EndRequest
from association.services.customers import set_budget
from association.services.endings import MOST_REQUESTS_A_DAY, ask_to_end, withdraw_end_request
from association.services.overview import waiting_counts
from association.services.provider_freezes import freeze_for_provider
from association.views import my_partner
from association.views.console import endings
from tests.factories import (
    BillFactory,
    CustomerAccountFactory,
    InvitationFactory,
    PartnerMemberFactory,
    ResourceFactory,
    UserFactory,
    end_by_provider,
    make_associated,
)
from tests.journeys.walk import document, invite, ready_attempt
from tests.shown_forms import confirm_action, hidden_fields
from web.templatetags.moments import moment

pytestmark = pytest.mark.django_db

LETTER = DocumentKind.LETTER_OF_AUTHORIZATION
MY_PARTNER, MY_END = "/account/partner/", "/account/partner/end/"


def client_of(user):
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(user)
    return client


@pytest.fixture
def association():
    return make_associated(invitation=InvitationFactory.create(partner__name="Nimbus"))


@pytest.fixture
def customer(association):
    return client_of(association.account.owner)


@pytest.fixture
def member(association):
    return PartnerMemberFactory.create(partner=association.partner, administrator=True)


@pytest.fixture
def console(member):
    return client_of(member.user)


def console_end(association):
    return reverse("console_end", args=[association.pk])


def text_of(page):
    return " ".join(page.content.decode().split())


def press(client, address, action, reason=""):
    """Open the page, and press one of its buttons."""
    sent = {**hidden_fields(client.get(address)), "action": action, "reason": reason}
    return client.post(address, sent)


def asked(association, side, now=None):
    owner = association.account.owner
    by = owner if side == Side.CUSTOMER else UserFactory.create()
    now = now or timezone.now()
    return ask_to_end(association=association, side=side, reason="Too dear", by=by, now=now)


def buttons(page):
    names = ("ask", "withdraw", "agree", "decline")
    return [name for name in names if f'value="{name}"' in page.content.decode()]


@pytest.mark.parametrize(
    ("side", "for_customer", "for_partner"),
    [
        (None, ["ask"], ["ask"]),
        (Side.CUSTOMER, ["withdraw"], ["agree", "decline"]),
        (Side.PARTNER, ["agree", "decline"], ["withdraw"]),
    ],
)
def test_each_side_has_the_buttons_of_the_state(
    association, customer, console, side, for_customer, for_partner
):
    if side:
        asked(association, side)
    assert buttons(customer.get(MY_END)) == for_customer
    assert buttons(console.get(console_end(association))) == for_partner


def test_a_frozen_customer_who_asks_to_end_waits_once(association, member):
    assert waiting_counts(member)[0].number == 1
    asked(association, Side.CUSTOMER)
    assert waiting_counts(member)[0].number == 1


def test_the_customer_asks_and_the_partner_agrees(association, customer, console):
    done = press(customer, MY_END, "ask", "Too dear")
    assert (done.status_code, done["Location"]) == (303, MY_PARTNER)
    assert "You have asked <bdi>Nimbus</bdi> to end the association" in text_of(
        customer.get(MY_PARTNER)
    )
    detail = reverse("console_customer", args=[association.pk])
    assert "The customer asks to end the association" in text_of(console.get(detail))
    done = press(console, console_end(association), "agree")
    assert (done.status_code, done["Location"]) == (303, detail)
    assert Association.objects.get().ended_at is not None
    page = text_of(console.get(detail))
    assert "The association has ended" in page
    assert "The customer asked to end the association, and you agreed. </p>" in page
    page = text_of(customer.get(MY_PARTNER))
    assert "You asked to end the association, and Nimbus agreed." in page


@pytest.mark.parametrize("agree", [True, False])
@pytest.mark.parametrize("side", [Side.CUSTOMER, Side.PARTNER])
def test_what_is_typed_stays_whichever_answer_is_pressed(
    association, customer, console, side, agree
):
    other = Side.PARTNER if side == Side.CUSTOMER else Side.CUSTOMER
    asked(association, other)
    reader, address = (
        (customer, MY_END) if side == Side.CUSTOMER else (console, console_end(association))
    )
    text = text_of(reader.get(address))
    [answering] = re.findall('<form method="post" novalidate>.*?</form>', text)
    names = re.findall('<textarea name="(.*?)"|value="(agree|decline)"', answering)
    assert [one or two for one, two in names] == ["reason", "agree", "decline"]
    press(reader, address, "agree" if agree else "decline", "As we said on the phone")
    end_request = EndRequest.objects.get()
    assert end_request.answer == (EndAnswer.AGREED if agree else EndAnswer.DECLINED)
    assert end_request.answer_reason == "As we said on the phone"


def test_the_partner_asks_and_the_customer_declines(association, customer, console):
    press(console, console_end(association), "ask", "No more support")
    page = text_of(customer.get(MY_PARTNER))
    assert "<bdi>Nimbus</bdi> asks to end the association" in page
    assert "Reason: <bdi>No more support</bdi>" in page
    assert press(customer, MY_END, "decline", "I stay").status_code == 303
    assert EndRequest.objects.get().answer == EndAnswer.DECLINED
    page = text_of(console.get(console_end(association)))
    assert "Answer: <bdi>I stay</bdi>" in page
    assert buttons(console.get(console_end(association))) == ["ask"]


def test_asking_needs_a_reason_and_keeps_what_was_typed(association, customer, console):
    for client, address in ((customer, MY_END), (console, console_end(association))):
        page = press(client, address, "ask")
        assert page.status_code == 400
        assert "Say why the association should end." in text_of(page)
        page = press(client, address, "ask", "x" * 257)
        assert page.status_code == 400
        assert "x" * 257 in text_of(page)
        assert page.content.decode().count('class="error-summary') == 1
    assert not EndRequest.objects.exists()


@pytest.mark.parametrize("sent", [{}, {"action": "burn"}, {"action": "agree"}])
def test_a_form_of_no_page_is_invalid(association, customer, sent):
    assert customer.post(MY_END, sent).status_code == 400


def test_what_the_page_showed_is_what_its_button_does(association, customer, console):
    page = hidden_fields(customer.get(MY_END))
    asked(association, Side.PARTNER)
    late = customer.post(MY_END, {**page, "action": "ask", "reason": "Too dear"})
    assert late.status_code == 409
    assert "A request to end this association is open already." in text_of(late)
    assert buttons(late) == ["agree", "decline"]

    first = hidden_fields(customer.get(MY_END))
    assert press(console, console_end(association), "withdraw").status_code == 303
    asked(association, Side.PARTNER)
    late = customer.post(MY_END, {**first, "action": "agree"})
    assert late.status_code == 409
    assert "was answered or withdrawn in the meantime" in text_of(late)
    assert Association.objects.get().ended_at is None


def test_anothers_request_does_not_exist(association, customer):
    other = asked(make_associated(), Side.PARTNER)
    sent = {"action": "agree", "end_request": other.pk}
    assert customer.post(MY_END, sent).status_code == 404


def test_obstacles_are_listed_and_only_the_customer_reads_amounts(association, customer, console):
    BillFactory.create(account=association.account, amount="12.34", paid_amount="0")
    page = customer.get(MY_END)
    assert buttons(page) == []
    assert "12.34" in text_of(page)
    assert "has to agree" not in text_of(page)
    mine = text_of(customer.get(MY_PARTNER))
    assert "The association cannot end yet" in mine
    assert "You can ask Nimbus to end" not in mine
    page = console.get(console_end(association))
    assert buttons(page) == []
    assert "The customer has unpaid bills." in text_of(page)
    assert "has to agree" not in text_of(page)
    assert "12.34" not in text_of(page)


@pytest.mark.parametrize("has", [True, False])
def test_only_what_there_is_ends(has):
    association = make_associated(
        invitation=InvitationFactory.create(partner__name="Nimbus"), letter=has
    )
    boss = PartnerMemberFactory.create(partner=association.partner, administrator=True)
    customer, console = client_of(association.account.owner), client_of(boss.user)
    if has:
        terms = {"amount": Decimal(10), "period": "monthly", "on_exhaustion": "freeze"}
        set_budget(association=association, by=None, now=timezone.now(), **terms)
    mine, theirs = text_of(customer.get(MY_END)), text_of(console.get(console_end(association)))
    for page, sentence in (
        (mine, "Your budget ends."),
        (mine, "Nimbus may no longer order or operate anything for you."),
        (theirs, "The budget ends."),
        (theirs, "You may no longer order or operate anything for this account."),
    ):
        assert (sentence in page) is has
    assert "has to agree" in mine
    end_by_provider(association)
    mine = text_of(customer.get(MY_PARTNER))
    assert ("– ended with the association on" in mine) is has
    assert "revoked on" not in mine
    detail = text_of(console.get(reverse("console_customer", args=[association.pk])))
    assert ("The authorization ended with the association" in detail) is has


@pytest.mark.parametrize("referral", [False, True])
def test_both_sides_read_who_bills_after_an_end_that_stays(referral):
    association = make_associated(invitation=InvitationFactory.create(referral=referral))
    member = PartnerMemberFactory.create(partner=association.partner, administrator=True)
    mine = text_of(client_of(association.account.owner).get(MY_END))
    theirs = text_of(client_of(member.user).get(console_end(association)))
    for page, who in ((mine, "you"), (theirs, "the customer")):
        assert "It cannot be taken back." in page
        assert (f"Example Cloud bills {who} from that moment." in page) is not referral
        assert (f"Example Cloud goes on billing {who}." in page) is referral


@pytest.mark.parametrize("cause", ["association", "budget_exhausted", "partner"])
def test_only_the_freezes_that_are_open_end(association, customer, console, cause):
    association.account.freezes.update(cause=cause)
    sentences = {
        "association": ("The freeze that came with joining ends.",) * 2,
        "budget_exhausted": ("The freeze that came with the used-up budget ends.",) * 2,
        "partner": ("The freeze by Nimbus ends.", "Your own freeze of this account ends."),
    }
    pages = (text_of(customer.get(MY_END)), text_of(console.get(console_end(association))))
    for other, pair in sentences.items():
        shown = [sentence in page for sentence, page in zip(pair, pages, strict=True)]
        assert shown == [other == cause] * 2


def test_asking_too_often_says_when_it_is_possible_again(association, console):
    now = timezone.now()
    for _ in range(MOST_REQUESTS_A_DAY):
        end_request = asked(association, Side.PARTNER, now)
        by = end_request.asked_by
        withdraw_end_request(end_request=end_request, side=Side.PARTNER, by=by, now=now)

    page = press(console, console_end(association), "ask", "Once more")

    assert page.status_code == 429
    assert 86_000 < int(page["Retry-After"]) <= 86_400
    assert "five times within a day" in text_of(page)
    assert "Once more" in text_of(page)


def test_a_customer_who_asks_too_often_is_told_so_too(association, customer):
    now, owner = timezone.now(), association.account.owner
    for _ in range(MOST_REQUESTS_A_DAY):
        end_request = asked(association, Side.CUSTOMER, now)
        withdraw_end_request(end_request=end_request, side=Side.CUSTOMER, by=owner, now=now)

    page = customer.post(MY_END, {"action": "ask", "reason": "Once more"})

    assert page.status_code == 429
    assert 86_000 < int(page["Retry-After"]) <= 86_400
    assert "Once more" in text_of(page)


def test_an_obstacle_that_came_meanwhile_is_a_conflict(association, customer):
    page = hidden_fields(customer.get(MY_END))
    BillFactory.create(account=association.account, amount="12.34", paid_amount="0")
    late = customer.post(MY_END, {**page, "action": "ask", "reason": "Too dear"})
    assert late.status_code == 409
    assert "All bills must be paid" in text_of(late)


def test_old_addresses_lead_to_the_past(association, customer):
    end_by_provider(association, reason="By law")
    for address in (MY_END, "/account/partner/authorization/", "/account/partner/ask-budget"):
        page = customer.get(address, follow=True)
        assert page.redirect_chain[-1][0] == MY_PARTNER
        page = customer.post(address, {"action": "agree"})
        assert page.status_code == 409
        assert "This association has ended." in text_of(page)
    page = text_of(customer.get(MY_PARTNER))
    assert "Example Cloud ended the association." in page
    assert "Since" in page
    assert "Example Cloud bills you" in page


def test_an_end_that_comes_between_is_said_with_the_page_of_the_past(
    association, customer, console, monkeypatch
):
    """The association was in force when the request began."""
    stale = Association.objects.select_related("partner", "account__owner").get()
    end_by_provider(association)
    monkeypatch.setattr(my_partner, "find_own_association", lambda owner: stale)
    ask = {"action": "ask", "reason": "Too dear"}
    agree = {"action": "agree", "shown_letter": document(LETTER).version}
    for address, sent in (
        (MY_END, ask),
        ("/account/partner/authorization/", agree),
        ("/account/partner/ask-budget", {}),
    ):
        page = customer.post(address, sent)
        assert page.status_code == 409
        assert "You have no partner now" in text_of(page)
    monkeypatch.setattr(endings, "find_customer", lambda member, key: stale)
    page = console.post(console_end(association), ask)
    assert (page.status_code, page.context["sentence"]) == (409, "This association has ended.")


def test_the_reason_for_an_answer_is_optional(association, customer, console):
    assert "(optional)" not in text_of(customer.get(MY_END))
    asked(association, Side.PARTNER)
    assert "(optional)" in text_of(customer.get(MY_END))


def test_who_never_had_a_partner_has_nothing_to_end():
    client = client_of(CustomerAccountFactory.create().owner)
    assert client.get(MY_END).status_code == 404
    assert client.post(MY_END, {"action": "ask", "reason": "x"}).status_code == 404


def test_the_invitations_link_and_done_say_that_it_ended(association, customer):
    end_by_provider(association)
    page = customer.get(f"/i/{association.invitation.token}", follow=True)
    assert "You were a customer of <bdi>Nimbus</bdi>" in text_of(page)
    assert "You are a customer of" not in text_of(page)


@pytest.mark.parametrize("by_provider", [False, True])
def test_after_the_end_the_pages_say_whether_the_account_is_frozen(
    association, customer, by_provider
):
    if by_provider:
        freeze_for_provider(
            account=association.account,
            scope=FreezeScope.ACCOUNT,
            reason="Fraud",
            by=None,
            now=timezone.now(),
        )
    end_by_provider(association)
    done = text_of(customer.get(f"/join/{association.attempt_id}/done"))
    mine = text_of(customer.get(MY_PARTNER))
    free = "Your account is no longer frozen: you can buy, renew and change resources."
    assert (free in done, free in mine) == (not by_provider, not by_provider)
    assert ("Your account is still frozen by Example Cloud" in done) is by_provider
    assert ("Your account is frozen" in mine) is by_provider


@pytest.mark.parametrize("days", [0, 8])
def test_joining_again_is_offered_only_while_it_is_possible(
    association, customer, time_machine, days
):
    end_by_provider(association)
    time_machine.move_to(association.account.registered_at + timedelta(days=days, minutes=1))
    fresh = client_of(association.account.owner)
    page = text_of(fresh.get(MY_PARTNER))
    assert ("Join another partner" in page) is (days == 0)
    assert ("Your account can be associated until" in page) is (days == 0)
    assert ("Your account can no longer join a partner." in page) is (days == 8)
    done = text_of(fresh.get(f"/join/{association.attempt_id}/done"))
    assert "You have used this invitation." in done
    assert ("To become a customer again" in done) is (days == 0)


@pytest.mark.parametrize("days", [0, 8])
def test_who_never_had_a_partner_reads_whether_joining_is_possible(time_machine, days):
    account = CustomerAccountFactory.create()
    time_machine.move_to(account.registered_at + timedelta(days=days, minutes=1))
    page = text_of(client_of(account.owner).get(MY_PARTNER))
    assert ("An account gets a partner through an invitation" in page) is (days == 0)
    assert ("Your account can no longer join a partner." in page) is (days == 8)


def test_a_new_partner_beside_the_earlier_one(association, customer):
    end_by_provider(association)
    account = association.account
    account.refresh_from_db()
    make_associated(account=account, invitation=invite(account))
    page = text_of(customer.get(MY_PARTNER))
    assert "Earlier partners" in page
    assert "<strong><bdi>Nimbus</bdi></strong>" in page


def test_an_ended_customer_offers_no_action(association, console):
    end_by_provider(association)
    page = text_of(console.get(reverse("console_customer", args=[association.pk])))
    for name in ("console_assign_manager", "console_request_authorization", "console_end"):
        assert reverse(name, args=[association.pk]) not in page


def test_the_former_partner_sees_nothing_of_the_time_after(association, console):
    account = association.account
    end_by_provider(association)
    ResourceFactory.create(account=account)
    freeze_account(
        account=account,
        cause=FreezeCause.PARTNER,
        reason="A later secret",
        by=None,
        now=timezone.now() + timedelta(seconds=1),
    )
    page = console.get(reverse("console_customer", args=[association.pk]))
    assert page.context["status"] == "Ended"
    assert "A later secret" not in text_of(page)
    assert page.context["running_resources"] == 0
    assert page.context["state"].freezes == []


def test_ended_customers_are_listed_only_behind_the_filter(association, console):
    end_by_provider(association)
    assert console.get(reverse("console_customers")).context["lines"] == []
    [line] = console.get(reverse("console_customers"), {"status": "ended"}).context["lines"]
    assert (line["association"], line["status"]) == (association, "Ended")


def test_a_manager_ends_own_customers_only(association):
    manager = PartnerMemberFactory.create(partner=association.partner)
    assert client_of(manager.user).get(console_end(association)).status_code == 404
    Association.objects.update(manager=manager)
    assert client_of(manager.user).get(console_end(association)).status_code == 200


@pytest.mark.parametrize("action", ["agree", "decline"])
def test_the_provider_answers_in_the_admin_when_it_is_due(association, time_machine, action):
    end_request = asked(association, Side.CUSTOMER)
    changelist = reverse("admin:association_endrequest_changelist")
    sent = {"action": action, "_selected_action": end_request.pk, "reason": "No answer came"}
    for days in (13, 14):
        time_machine.move_to(end_request.asked_at + timedelta(days=days))
        admin = client_of(UserFactory.create(staff=True))
        listed = admin.get(changelist, {"state": "due"}).context["cl"].result_list
        assert list(listed) == ([end_request] if days == 14 else [])
        page = confirm_action(admin, changelist, sent, follow=True)
        refused = "The other side still has time to answer." in text_of(page)
        assert refused is (days == 13)
    end_request.refresh_from_db()
    assert (end_request.answering_side, end_request.answer_reason) == (
        Side.PROVIDER,
        "No answer came",
    )


@pytest.mark.parametrize("action", ["agree", "decline"])
def test_the_admin_asks_nothing_before_the_answer_is_due(association, action):
    end_request = asked(association, Side.CUSTOMER)
    changelist = reverse("admin:association_endrequest_changelist")
    admin = client_of(UserFactory.create(staff=True))
    chosen = {"action": action, "_selected_action": end_request.pk}
    page = text_of(admin.post(changelist, chosen, follow=True))
    due = end_request.asked_at + timedelta(days=14)
    assert f"The other side has time to answer until {due:%-d %B %Y, %H:%M}" in page
    assert "What will happen" not in page
    waits = "1 end request without answer, which you may decide now"
    index = text_of(admin.get(reverse("admin:index")))
    assert "for which the other side still has time" in index
    assert waits not in index
    type(end_request).objects.update(asked_at=end_request.asked_at - timedelta(days=14))
    assert waits in text_of(admin.get(reverse("admin:index")))


def test_the_admin_names_account_partner_reason_and_due_date(association, time_machine):
    end_request = asked(association, Side.CUSTOMER)
    changelist = reverse("admin:association_endrequest_changelist")
    admin = client_of(UserFactory.create(staff=True))
    cells = re.findall(r'<td class="field-[^>]*>([^<]*)</td>', text_of(admin.get(changelist)))
    account = association.account.owner.account_name
    due = end_request.asked_at + timedelta(days=14)
    assert cells[:3] == ["Nimbus", "Too dear", f"{due:%-d %B %Y, %H:%M}"]
    chosen = {"action": "agree", "_selected_action": end_request.pk}
    time_machine.move_to(due)
    admin = client_of(UserFactory.create(staff=True))
    confirmation = text_of(admin.post(changelist, chosen))
    bills = "From then on the provider bills the customer."
    assert f"<h2>To which</h2> <ul> <li> {account} – Nimbus <br> {bills} <input" in confirmation


@pytest.mark.parametrize("rows", [1, 3])
def test_the_page_costs_the_same_for_more_rows(
    association, customer, django_assert_num_queries, rows
):
    for _ in range(rows):
        asked(association, Side.PARTNER)
        press(customer, MY_END, "decline")
    with django_assert_num_queries(10):
        assert customer.get(MY_END).status_code == 200


def test_a_second_attempt_that_is_open_can_go_on_after_the_end(association):
    account = association.account
    end_by_provider(association)
    attempt = ready_attempt(account=account, invitation=invite(account))
    page = client_of(account.owner).get(f"/join/{attempt.pk}/confirm")
    assert page.status_code == 200


@pytest.mark.parametrize(("days", "is_too_late"), [(1, False), (8, True)])
def test_page_says_until_when_the_account_can_join_another_partner(
    association, customer, days, is_too_late
):
    registered_at = timezone.now() - timedelta(days=days)
    CustomerAccount.objects.update(registered_at=registered_at)
    end = moment(registered_at + timedelta(days=7))
    text = customer.get(MY_END).content.decode()
    assert (f"This account can join another partner until {end}" in text) is not is_too_late
    assert ("Nimbus has 14 days to answer" in text) is not is_too_late
    assert ("You can join another partner if the rules allow it." in text) is not is_too_late
    assert (f"that was possible until {end}" in text) is is_too_late
