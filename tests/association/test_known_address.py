"""A known address at Register: its e-mail leads through the log-in back into the attempt."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from association.models import Association, Attempt, DocumentKind
from outbox.models import OutboxMessage
from outbox.services.rendering import render_message
from tests.factories import (
    PASSWORD,
    CustomerAccountFactory,
    InvitationFactory,
    make_associated,
)
from tests.journeys.walk import Walk, shown_versions
from tests.reading_mails import links
from tests.shown_texts import shown_text
from tests.tables import tables

pytestmark = pytest.mark.django_db


@pytest.fixture
def account():
    return CustomerAccountFactory.create(enabled=True)


@pytest.fixture
def walk(account):
    """A browser that typed the address of the account at Register, letter ticked."""
    return asked_for(account, InvitationFactory.create(email=True, recipient=account.owner.email))


def asked_for(account, invitation):
    walk = Walk(invitation)
    walk.begin(letter=invitation.is_reseller)
    assert walk.send_code(account.owner.email).status_code == 303
    return walk


def mail():
    message = OutboxMessage.objects.get(kind="accounts.already_registered")
    return render_message(message)


def log_in_link():
    return next(link for link in links(mail()) if link.startswith("/account/login/"))


def follow_mail(client, user, password=PASSWORD):
    """Press the e-mail's button, log in, and return the last page."""
    page = client.get(log_in_link(), follow=True)
    assert page.status_code == 200
    typed = {"login": user.email, "password": password, "next": page.context["next_url"]}
    return client.post("/account/login/", typed, follow=True)


def place(response):
    return response.redirect_chain[-1][0]


@pytest.mark.parametrize("stored", ["a@☃.net", "no address"])
def test_address_that_is_no_longer_accepted_is_none(account, stored):
    walk = asked_for(account, InvitationFactory.create())
    Attempt.objects.update(registration_email=stored)
    assert walk.get("register").status_code == 200
    strangers = Client()
    strangers.force_login(account.owner)
    for page in ("", "register", "enable"):
        assert strangers.get(walk.url(page)).status_code == 404
    wrong = walk.post("register/account", code="123456", password="an unrelated few words 71")
    assert wrong.status_code == 400
    assert "That is not the newest code of this page:" in wrong.content.decode()


def test_email_of_a_link_says_that_the_account_cannot_follow_it(account):
    walk = asked_for(account, InvitationFactory.create())
    partner = walk.invitation.partner.name
    written = mail()
    for text in (written.text, written.html):
        assert "the invitation is a link for new accounts only" in text
        assert f"ask {partner} for an online invitation" in text
        assert "register with another address" in text
        assert "you come back to the invitation" not in text
    last = follow_mail(walk.client, account.owner)
    assert f"Ask {partner} for an online invitation" in last.content.decode()


def test_email_names_the_partner_and_leads_into_the_attempt(walk):
    assert f"to become a customer of {walk.invitation.partner.name}." in mail().text
    assert links(mail()) == {
        f"/account/login/?next=%2Fjoin%2F{walk.attempt_id}%2F",
        f"/account/password/reset/?next=%2Fjoin%2F{walk.attempt_id}%2F",
    }


@pytest.mark.parametrize("browser", ["the same", "another"])
def test_log_in_enters_the_attempt_and_another_persons_ticks_are_removed(walk, account, browser):
    client = walk.client if browser == "the same" else Client()
    page = follow_mail(client, account.owner)
    assert place(page) == walk.url("confirm")
    attempt = walk.attempt
    assert (attempt.account, attempt.instructions, attempt.letter) == (account, None, None)
    assert "checked" not in page.content.decode()
    assert Association.objects.count() == 0


def test_consents_are_those_of_the_last_page(walk, account):
    client = Client()
    follow_mail(client, account.owner)
    before = timezone.now()
    answer = client.post(walk.url("confirm"), shown_versions({}))
    assert answer["Location"] == walk.url("done")
    [consent] = Association.objects.get().account.consents.all()
    assert consent.document.kind == DocumentKind.INSTRUCTIONS
    assert consent.agreed_at >= before
    assert walk.get("done").status_code == 302


def test_whoever_began_the_attempt_loses_it(walk, account):
    follow_mail(Client(), account.owner)
    assert walk.get()["Location"].startswith("/account/login/")
    walk.client.force_login(CustomerAccountFactory.create().owner)
    assert walk.get().status_code == 404


def test_signed_in_already_chooses_before_anything_is_entered(walk, account):
    client = Client()
    client.force_login(account.owner)
    page = client.get(log_in_link(), follow=True)
    assert place(page) == walk.url("account")
    assert f"Continue as {account.owner.email}" in page.content.decode()
    assert walk.attempt.account is None
    client.post(walk.url("account"), {"choice": "continue", "account": account.pk})
    assert walk.attempt.account == account
    assert walk.attempt.letter is None


def test_another_account_begins_an_attempt_of_its_own(walk, account):
    client = Client()
    client.force_login(account.owner)
    answer = client.post(walk.url("account"), {"choice": "switch"})
    fresh = Attempt.objects.exclude(pk=walk.attempt_id).get()
    assert answer["Location"] == f"/join/{fresh.pk}/account"
    assert client.get(answer["Location"]).status_code == 200
    assert "_auth_user_id" not in client.session
    assert walk.attempt.instructions is not None
    assert walk.get("register").status_code == 200


def test_somebody_else_cannot_enter(walk):
    stranger, client = CustomerAccountFactory.create(enabled=True), Client()
    page = follow_mail(client, stranger.owner)
    assert page.status_code == 404
    assert "You cannot go on here with this account" in page.content.decode()
    assert walk.attempt.account is None


def test_address_that_was_replaced_at_register_does_not_count(walk, account):
    walk.post("register/address")
    invitation = walk.invitation
    invitation.is_bound = False
    invitation.save()
    assert walk.send_code("somebody@example.org").status_code == 303
    client = Client()
    client.force_login(account.owner)
    assert client.get(walk.url()).status_code == 404


def test_attempt_that_is_gone_has_the_page_of_another_accounts(walk, account):
    link = log_in_link()
    Attempt.objects.all().delete()
    client = Client()
    page = client.get(link)
    typed = {"login": account.owner.email, "password": PASSWORD, "next": page.context["next_url"]}
    page = client.post("/account/login/", typed, follow=True)
    assert page.status_code == 404
    assert "To join with this account, open the link of the invitation again." in (
        page.content.decode()
    )


def test_invitation_that_died_meanwhile_says_so(walk, account):
    walk.invitation.expires_at = timezone.now() - timedelta(seconds=1)
    walk.invitation.save()
    page = follow_mail(Client(), account.owner)
    assert page.status_code == 410
    assert "This invitation has expired" in page.content.decode()


def test_customer_of_this_partner_comes_to_my_partner(account):
    partner = make_associated(account=account).partner
    recipient = account.owner.email
    walk = asked_for(
        account, InvitationFactory.create(email=True, recipient=recipient, partner=partner)
    )
    page = follow_mail(Client(), account.owner)
    assert place(page) == "/account/partner/"
    assert walk.attempt.invitation.used_count == 0


def test_customer_of_another_partner_is_told_so(account):
    other = make_associated(account=account)
    walk = asked_for(account, InvitationFactory.create(email=True, recipient=account.owner.email))
    page = follow_mail(Client(), account.owner)
    assert place(page) == walk.url("check")
    assert f"You already work with <bdi>{other.partner.name}</bdi>" in page.content.decode()


def test_link_for_new_accounts_offers_to_ask(account):
    walk = asked_for(account, InvitationFactory.create())
    page = follow_mail(Client(), account.owner)
    assert place(page) == walk.url("check")
    assert "This invitation is for new accounts only." in page.content.decode()


def test_looking_at_the_link_changes_nothing(walk, account):
    link, client = log_in_link(), Client()
    client.force_login(account.owner)
    before = tables()
    for browser in (Client(), client):
        browser.get(link, follow=True)
    assert tables() == before


def test_log_in_within_the_journey_keeps_partner_step_and_way_back(account):
    invitation = InvitationFactory.create(email=True, recipient=account.owner.email)
    walk = Walk(invitation)
    walk.begin()
    login = walk.post("account", choice="login")["Location"]
    wrong = {"login": account.owner.email, "password": "not this one", "next": walk.url()}
    pages = [walk.client.get(login), walk.client.post(login, wrong)]
    pages += [walk.client.post(login, wrong) for _ in range(5)]
    pages.append(walk.client.get(f"/account/password/reset/?next={walk.url()}"))
    assert [page.status_code for page in pages] == [200, *[400] * 5, 429, 200]
    for page in pages:
        text = page.content.decode()
        assert shown_text(text, "Step") == "Step 3 of 4"
        assert f"mailto:{invitation.partner.support_email}" in text
    assert all(f'href="{walk.url("account")}"' in page.content.decode() for page in pages[:-1])
    assert Client().get(login).content.decode().count("Step 3 of 4") == 0


def test_new_password_leads_back_into_the_attempt(walk, account):
    client = Client()
    link = next(link for link in links(mail()) if link.startswith("/account/password/reset/"))
    page = client.get(link)
    OutboxMessage.objects.all().delete()
    typed = {"email": account.owner.email, "next": page.context["next_url"]}
    early = client.post("/account/password/reset/", typed)
    assert early.status_code == 429
    assert f'name="next" value="{walk.url()}"' in early.content.decode()


def test_code_of_the_reset_carries_the_way_back(account):
    client = Client()
    typed = {"email": account.owner.email, "next": "/join/"}
    client.post("/account/password/reset/", typed)
    code = newest_code_for(account)
    answer = client.post(
        "/account/password/reset/confirm/", {"code": code, "password": "a brand new password"}
    )
    assert (answer.status_code, answer["Location"]) == (303, "/account/login/?next=%2Fjoin%2F")


def newest_code_for(account):
    from accounts.models import VerificationCode
    from accounts.services.codes import derive_code

    return derive_code(VerificationCode.objects.latest("pk"), account.owner)


@pytest.mark.parametrize("outside", ["//evil.example/", "https://evil.example/", "/\\evil.example"])
def test_reset_leads_to_no_other_site(account, outside):
    client = Client()
    client.post("/account/password/reset/", {"email": account.owner.email, "next": outside})
    assert client.session["password_reset"]["next"] == ""
