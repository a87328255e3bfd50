"""Which account joins: a new one, the one that is signed in, another one; never silently."""

import pytest
from django.conf import settings

from association.models import Association, Attempt
from partners.models import InvitationRequest
from tests.factories import (
    PASSWORD,
    CustomerAccountFactory,
    InvitationFactory,
    PartnerMemberFactory,
    UserFactory,
)
from tests.journeys.walk import Walk, invite, ready_attempt, walk_of
from tests.tables import tables

pytestmark = pytest.mark.django_db

ASKED = "If {} agrees, it sends an online invitation to the address you entered."


@pytest.fixture
def account():
    return CustomerAccountFactory.create(enabled=True)


@pytest.fixture
def walk(account):
    """A browser, signed in as the account, that has agreed to the instructions."""
    walk = Walk(invite(account))
    walk.client.force_login(account.owner)
    walk.begin(letter=True)
    return walk


def test_page_names_the_signed_in_account_in_full_and_offers_both_ways(walk, account):
    text = walk.get("account").content.decode()
    assert account.owner.account_name in text
    assert f"Continue as {account.owner.email}" in text
    assert "Use another account" in text


def test_account_that_may_not_use_the_link_is_not_led_on(account):
    walk = Walk(InvitationFactory.create())
    walk.client.force_login(account.owner)
    walk.begin()
    text = walk.get("account").content.decode()
    assert "This link is for new accounts only, and this account is not one" in text
    assert "Continue as" not in text
    assert f"Ask {walk.invitation.partner.name} for an online invitation" in text
    answer = walk.post("account", choice="ask")
    assert answer["Location"] == walk.url("ask")
    assert f'value="{account.owner.email}"' in walk.get("ask").content.decode()
    assert walk.post("account", choice="register")["Location"] == walk.url("register")
    assert walk.get("register").status_code == 200


def test_account_registered_by_an_invitation_that_never_joined_may_use_a_link():
    attempt = ready_attempt(registered=True, invitation=InvitationFactory.create())
    walk = Walk(InvitationFactory.create())
    walk.client.force_login(attempt.account.owner)
    walk.begin()
    text = walk.get("account").content.decode()
    assert f"Continue as {attempt.account.owner.email}" in text
    assert "for new accounts only" not in text


def test_page_of_a_bound_invitation_says_for_which_address_it_is():
    walk = Walk(InvitationFactory.create(email=True, recipient="ada@bernstein.demo.example"))
    walk.begin()
    expected = f"This invitation is for <bdi>{walk.invitation.masked_recipient}</bdi>."
    assert expected in walk.get("account").content.decode()
    walk.post("account", choice="register")
    page = walk.get("register").content.decode()
    assert f"This invitation is for {walk.invitation.masked_recipient}." in page
    assert "ada@bernstein" not in page


def test_being_signed_in_associates_nothing(walk):
    for step in ("", "account", "check", "enable", "confirm", "done"):
        walk.get(step)
    assert walk.attempt.account is None
    assert Association.objects.count() == 0


def test_continue_enters_the_attempt_and_leaves_the_last_click(walk, account):
    response = walk.post("account", choice="continue", account=account.pk)
    assert (response.status_code, response["Location"]) == (303, walk.url())
    assert walk.attempt.account == account
    assert walk.get()["Location"] == walk.url("confirm")
    assert Association.objects.count() == 0


@pytest.mark.parametrize("shown", ["0", "999999", "x", "-1", "\x00"])
def test_continue_as_an_account_that_is_not_signed_in_is_a_conflict(walk, shown):
    before = tables()
    response = walk.post("account", choice="continue", account=shown)
    assert response.status_code == 409
    assert "Meanwhile another account has been signed in." in response.content.decode()
    assert tables() == before


def test_account_signed_in_meanwhile_is_never_taken_for_the_one_that_was_shown(walk, account):
    other = CustomerAccountFactory.create()
    walk.client.force_login(other.owner)
    assert walk.post("account", choice="continue", account=account.pk).status_code == 409
    assert walk.attempt.account is None


def test_continue_without_being_signed_in_is_a_conflict():
    walk = Walk(InvitationFactory.create())
    walk.begin()
    assert walk.post("account", choice="continue").status_code == 409


def test_switch_logs_out_and_removes_what_was_ticked(walk):
    response = walk.post("account", choice="switch")
    assert (response.status_code, response["Location"]) == (303, walk.url("account"))
    assert "_auth_user_id" not in walk.client.session
    text = walk.get("account").content.decode()
    assert "Register for Association" in text
    assert "Login for Association" in text
    assert (walk.attempt.instructions, walk.attempt.letter) == (None, None)


def test_switch_after_entering_begins_again_without_what_was_ticked(walk, account):
    walk.post("account", choice="continue", account=account.pk)
    old = walk.attempt
    response = walk.post("switch")
    new = Attempt.objects.exclude(pk=old.pk).get()
    assert response["Location"] == f"/join/{new.pk}/account"
    assert (new.account, new.instructions, new.letter) == (None, None, None)
    assert Attempt.objects.get(pk=old.pk).account == account
    assert walk.client.get(f"/join/{new.pk}/account").status_code == 200
    assert walk.get("confirm").status_code == 302


def test_switch_is_a_post_of_an_entered_attempt(walk):
    before = tables()
    assert walk.get("switch")["Location"] == walk.url("account")
    assert walk.post("switch")["Location"] == walk.url("account")
    assert tables() == before


@pytest.mark.parametrize("make", [UserFactory.create, lambda: PartnerMemberFactory.create().user])
def test_user_who_is_no_customer_reads_so(walk, make):
    user = make()
    walk.client.force_login(user)
    text = walk.get("account").content.decode()
    assert f"You are logged in as {user.account_name}, which is not a customer account." in text
    assert "Continue as" not in text
    assert walk.post("account", choice="continue").status_code == 409


@pytest.mark.parametrize("choice", ["register", "login", "ask"])
def test_each_choice_leads_to_its_page(choice):
    walk = Walk(InvitationFactory.create())
    walk.begin()
    response = walk.post("account", choice=choice)
    page = f"/account/login/?next=%2Fjoin%2F{walk.attempt_id}%2F"
    assert response.status_code == 303
    assert response["Location"] == (page if choice == "login" else walk.url(choice))
    assert walk.client.get(response["Location"]).status_code == 200


@pytest.mark.parametrize("choice", ["", "nothing", "\x00", "done"])
def test_unknown_choice_asks_again(choice):
    walk = Walk(InvitationFactory.create())
    walk.begin()
    assert walk.post("account", choice=choice)["Location"] == walk.url("account")


def test_logging_in_on_the_way_enters_the_attempt(account):
    walk = Walk(invite(account))
    walk.begin()
    response = walk.log_in(account.owner)
    assert (response.status_code, response["Location"]) == (303, walk.url())
    assert walk.attempt.account == account
    assert walk.get()["Location"] == walk.url("confirm")


def test_logging_in_from_another_browser_does_not_enter_the_attempt(account):
    walk = Walk(invite(account))
    walk.begin()
    walk.client.cookies.pop(settings.BROWSER_COOKIE_NAME)
    walk.log_in(account.owner)
    assert walk.attempt.account is None
    assert walk.get().status_code == 404


def test_link_explains_that_it_serves_new_accounts_and_offers_to_ask():
    walk = Walk(InvitationFactory.create())
    walk.begin()
    text = walk.get("account").content.decode()
    assert "This link serves new accounts only" in text
    assert f"Ask {walk.invitation.partner.name} for an online invitation" in text


def test_online_invitation_does_not_offer_to_ask(account):
    walk = Walk(invite(account))
    walk.begin()
    assert "for an online invitation" not in walk.get("account").content.decode()


def test_asking_gives_one_neutral_answer_and_reaches_the_partner(account):
    walk = Walk(InvitationFactory.create())
    walk.begin()
    answers = set()
    for address in (account.owner.email, "nobody@example.org", account.owner.email.upper()):
        response = walk.post("ask", email=address)
        assert (response.status_code, response["Location"]) == (303, f"{walk.url('ask')}?asked")
        answers.add(walk.client.get(response["Location"]).content)
    assert len(answers) == 1
    assert ASKED.format(walk.invitation.partner.name) in answers.pop().decode()
    asked = InvitationRequest.objects.order_by("requested_at").values_list("address", flat=True)
    assert list(asked) == [account.owner.email, "nobody@example.org"]


def test_asking_is_limited_by_address_of_the_client():
    walk = Walk(InvitationFactory.create())
    walk.begin()
    for number in range(20):
        assert walk.post("ask", email=f"someone{number}@example.org").status_code == 303
    response = walk.post("ask", email="one-more@example.org")
    assert (response.status_code, "Retry-After" in response) == (429, True)
    assert InvitationRequest.objects.count() == 20


@pytest.mark.parametrize("method", ["get", "post"])
def test_online_invitation_has_no_page_to_ask_for_one(account, method):
    walk = Walk(invite(account))
    walk.begin()
    response = getattr(walk, method)("ask")
    assert (response.status_code, response["Location"]) == (303, walk.url("account"))
    assert InvitationRequest.objects.count() == 0


@pytest.mark.parametrize(
    "email", ["", "nobody", "a@localhost", "a@b.org,c@d.org", "a@b.org\r\nX:y"]
)
def test_asking_without_an_address_is_a_form_error(email):
    walk = Walk(InvitationFactory.create())
    walk.begin()
    assert walk.post("ask", email=email).status_code == 400
    assert InvitationRequest.objects.count() == 0


def test_existing_account_on_a_link_may_ask_from_the_check_page(account):
    walk = walk_of(ready_attempt(account=account, invitation=InvitationFactory.create()))
    assert walk.get()["Location"] == walk.url("check")
    text = walk.get("check").content.decode()
    assert f'href="{walk.url("ask")}"' in text
    assert f'value="{account.owner.email}"' in walk.get("ask").content.decode()


@pytest.mark.parametrize("choice", ["register", "login", "switch"])
def test_referral_begins_with_the_choice(client, choice):
    invitation = InvitationFactory.create(referral=True)
    before = tables()
    response = client.get(f"/i/{invitation.token}/account")
    assert response.status_code == 200
    assert tables() == before
    assert not response.cookies.get("browser")
    walk = Walk(invitation, client)
    response = walk.begin(choice=choice)
    page = {"register": walk.url("register"), "switch": walk.url("account")}
    assert response["Location"] == page.get(
        choice, f"/account/login/?next=%2Fjoin%2F{walk.attempt_id}%2F"
    )
    assert "browser" in response.cookies


def test_referral_continues_as_the_signed_in_account(client, account):
    walk = Walk(invite(account, referral=True), client)
    client.force_login(account.owner)
    response = walk.begin(choice="continue", account=account.pk)
    assert response["Location"] == walk.url()
    assert walk.get()["Location"] == walk.url("confirm")
    assert Association.objects.count() == 0


def test_reseller_cannot_skip_to_the_choice(client):
    invitation = InvitationFactory.create()
    before = tables()
    for response in (
        client.get(f"/i/{invitation.token}/account"),
        client.post(f"/i/{invitation.token}/account", {"choice": "register"}),
    ):
        assert response.status_code == 303
        assert response["Location"] == f"/i/{invitation.token}/instructions"
    assert tables() == before


def test_attempt_of_a_deactivated_user_dies(walk, account):
    walk.post("account", choice="continue", account=account.pk)
    account.owner.is_active = False
    account.owner.save()
    assert walk.post("confirm").status_code == 302
    assert walk.log_in(account.owner).status_code in {200, 400}
    assert PASSWORD not in walk.log_in(account.owner).content.decode()
    assert Association.objects.count() == 0
