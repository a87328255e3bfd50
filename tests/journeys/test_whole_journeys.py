"""Whole journeys, from the link to the result, each leaving every invariant intact."""

import json
from io import StringIO

import pytest
from django.core.management import call_command
from django.test import Client

from accounts.models import Freeze
from association.models import Association, Authorization, Consent
from tests.factories import CustomerAccountFactory, InvitationFactory, PartnerMemberFactory
from tests.journeys.walk import ADDRESS, Walk, document, invite

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _invariants_are_kept(db):
    yield
    out = StringIO()
    call_command("check_invariants", "--json", stdout=out)
    assert json.loads(out.getvalue()) == {"violations": []}


def follow(walk, response):
    """Open the page that an answer leads to; return its address and its text."""
    page = walk.client.get(response["Location"], follow=True)
    assert page.status_code == 200
    chain = page.redirect_chain
    return (chain[-1][0] if chain else response["Location"]), page.content.decode()


def start(invitation):
    """Open the landing page, go on by its button, and make the first POST."""
    PartnerMemberFactory.create(partner=invitation.partner, administrator=True)
    walk = Walk(invitation)
    text = walk.client.get(f"/i/{invitation.token}").content.decode()
    first = "instructions" if invitation.is_reseller else "account"
    assert f'href="/i/{invitation.token}/{first}"' in text
    assert walk.client.get(f"/i/{invitation.token}/{first}").status_code == 200
    return walk


def result_of(walk, *, frozen):
    """Check the one association there is now, and return it."""
    association = Association.objects.get()
    walk.invitation.refresh_from_db()
    assert association.attempt_id == walk.attempt_id
    assert walk.invitation.used_count == 1
    assert association.account.freezes.open().count() == int(frozen)
    page = walk.get("done").content.decode()
    assert ("frozen" in page.lower()) == frozen
    assert walk.client.get("/account/partner/").status_code == 200
    return association


def test_reseller_link_and_new_account():
    walk = start(InvitationFactory.create(max_uses=2))
    place, _ = follow(walk, walk.begin(letter=True))
    assert place == walk.url("account")
    place, _ = follow(walk, walk.post("account", choice="register"))
    assert place == walk.url("register")
    place, text = follow(walk, walk.send_code())
    assert ADDRESS in text
    place, _ = follow(walk, walk.register("second@example.org"))
    assert place == walk.url("enable")
    letter = document("letter_of_authorization").version
    answer = walk.enable(country="FR", letter_of_authorization="on", shown_letter=letter)
    place, text = follow(walk, answer)
    assert place == walk.url("done")
    association = result_of(walk, frozen=True)
    assert association.account.country.code == "FR"
    assert Consent.objects.filter(account=association.account).count() == 4
    assert Authorization.objects.get().state == "granted"


def test_reseller_mail_and_existing_account():
    account = CustomerAccountFactory.create(enabled=True)
    walk = start(invite(account))
    walk.begin()
    answer = walk.post("account", choice="login")
    assert walk.client.get(answer["Location"]).status_code == 200
    place, text = follow(walk, walk.log_in(account.owner))
    assert place == walk.url("confirm")
    assert account.owner.account_name in text
    place, _ = follow(walk, walk.post("confirm"))
    assert place == walk.url("done")
    association = result_of(walk, frozen=True)
    assert (association.account, Authorization.objects.count()) == (account, 0)


def test_referral_link_and_new_account():
    walk = start(InvitationFactory.create(referral=True))
    place, _ = follow(walk, walk.begin())
    assert place == walk.url("register")
    place, text = follow(walk, walk.register())
    assert place == walk.url("enable")
    assert "Nothing is frozen." in text
    place, _ = follow(walk, walk.enable())
    assert place == walk.url("done")
    association = result_of(walk, frozen=False)
    assert association.coupons_pay_before is None
    assert Freeze.objects.count() == 0


def test_referral_mail_and_existing_account():
    account = CustomerAccountFactory.create(enabled=True)
    walk = start(invite(account, referral=True))
    place, _ = follow(walk, walk.begin(choice="login"))
    assert place.startswith("/account/login/")
    place, _ = follow(walk, walk.log_in(account.owner))
    assert place == walk.url("confirm")
    follow(walk, walk.post("confirm"))
    result_of(walk, frozen=False)


def test_enable_later_and_resume_from_another_browser():
    walk = start(InvitationFactory.create())
    walk.begin()
    walk.register()
    place, text = follow(walk, walk.post("enable/later"))
    assert place == walk.url("enable/later")
    assert "You can enable services later" in text
    elsewhere = Walk(walk.invitation, Client())
    elsewhere.attempt_id = walk.attempt_id
    answer = elsewhere.get()
    assert (answer.status_code, answer["Location"][:15]) == (302, "/account/login/")
    place, _ = follow(elsewhere, elsewhere.log_in(walk.attempt.account.owner))
    assert place == elsewhere.url("enable")
    follow(elsewhere, elsewhere.enable())
    result_of(elsewhere, frozen=True)
    assert walk.get("enable")["Location"] == walk.url("done")


def test_two_people_share_one_browser_and_never_each_others_attempt():
    walk = start(InvitationFactory.create())
    walk.begin()
    walk.register("first@example.org")
    walk.enable()
    first = walk.attempt_id
    walk.client.post("/account/logout/")
    walk.begin()
    walk.register("second@example.org")
    assert walk.client.get(f"/join/{first}/done").status_code == 404
    walk.enable()
    assert Association.objects.count() == 2
    assert Association.objects.values("account").distinct().count() == 2
