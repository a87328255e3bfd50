"""The result that can be kept, and My partner: what is true now, in both association types."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone

from accounts.enums import FreezeScope
from association.models import Association, BudgetPeriod, Consent, OnExhaustion
from association.services.customers import freeze_customer, set_budget, unfreeze_customer
from tests.factories import (
    CouponFactory,
    CustomerAccountFactory,
    ResourceFactory,
    SpendingFactory,
    UserFactory,
    end_by_provider,
)
from tests.journeys.walk import invite, ready_attempt, walk_of
from tests.tables import tables

pytestmark = pytest.mark.django_db

MY_PARTNER = "/account/partner/"
CSRF = re.compile(r'name="csrfmiddlewaretoken" value="\w+"')


def joined(*, referral=False, letter=False):
    account = CustomerAccountFactory.create(enabled=True)
    invitation = invite(account, referral=referral)
    walk = walk_of(ready_attempt(account=account, invitation=invitation, letter=letter))
    walk.post("confirm")
    return walk


def text_of(response):
    return response.content.decode()


@pytest.mark.parametrize("referral", [False, True])
def test_done_says_what_is_true_now(referral):
    walk = joined(referral=referral)
    response = walk.get("done")
    text = text_of(response)
    assert response.status_code == 200
    assert walk.invitation.partner.name in text
    assert walk.invitation.partner.support_email in text
    assert walk.attempt.account.owner.account_name in text
    assert f'href="{MY_PARTNER}"' in text
    assert ("Your account is frozen" in text) == (not referral)
    assert ("You can use your account now" in text) == referral


@pytest.mark.parametrize("has_some", [True, False])
def test_done_names_coupons_and_resources_only_where_there_are_some(has_some):
    account = CustomerAccountFactory.create(enabled=True)
    if has_some:
        CouponFactory.create(account=account)
        ResourceFactory.create(account=account)
    walk = walk_of(ready_attempt(account=account, invitation=invite(account)))
    walk.post("confirm")
    text = text_of(walk.get("done"))
    assert ("Your coupons pay only for charges" in text) == has_some
    assert ("Your running resource goes on costing money" in text) == has_some


def test_the_partners_phone_stands_with_its_address():
    walk = joined()
    partner = walk.invitation.partner
    assert "tel:" not in text_of(walk.get("done"))
    partner.support_phone = "+49 30 1234"
    partner.save()
    for page in (walk.get("done"), walk.client.get(MY_PARTNER)):
        assert '<a href="tel:+49301234"><bdi>+49 30 1234</bdi></a>' in text_of(page)


def test_hashes_are_folded_and_in_one_order():
    walk = joined()
    pages = [text_of(page) for page in (walk.get("done"), walk.client.get(MY_PARTNER))]
    hashes = [re.findall(r'<code dir="ltr">([0-9a-f]{64})</code>', page) for page in pages]
    assert hashes[0] == hashes[1]
    assert len(hashes[0]) == walk.attempt.consents.count()
    for page, first in zip(pages, hashes, strict=True):
        assert "SHA-256 of the texts</summary>" in page[: page.index(first[0])]


def test_done_lists_consents_with_version_and_moment():
    walk = joined(letter=True)
    text = text_of(walk.get("done"))
    assert Consent.objects.count() == 2
    for consent in Consent.objects.select_related("document"):
        assert f'href="/account/consents/{consent.pk}/"' in text
        assert f"version {consent.document.version}" in text
        assert consent.agreed_at.strftime("%Y-%m-%dT%H:%M") in text


def test_done_is_the_state_of_this_moment():
    walk = joined()
    association = Association.objects.get()
    assert "frozen" in text_of(walk.get("done")).lower()
    budget(association)
    unfreeze_customer(association=association, reason="", by=None, now=timezone.now())
    before = tables()
    text = text_of(walk.get("done"))
    assert "Your account is frozen" not in text
    assert tables() == before


def test_done_can_be_bookmarked_and_reloaded():
    walk = joined()
    first, again = (CSRF.sub("", text_of(walk.get("done"))) for _ in range(2))
    assert again == first
    assert walk.client.head(walk.url("done")).status_code == 200


def budget(association, amount="500.00", period=BudgetPeriod.ONE_TIME):
    return set_budget(
        association=association,
        amount=Decimal(amount),
        period=period,
        on_exhaustion=OnExhaustion.choices[0][0],
        by=None,
        now=timezone.now(),
    )


def test_my_partner_of_a_reseller_shows_freeze_budget_and_consents():
    walk = joined(letter=True)
    association = Association.objects.get()
    text = text_of(walk.client.get(MY_PARTNER))
    partner = walk.invitation.partner.name
    assert f"{partner} has not set a budget yet." in text
    reminds = f"{partner} was told when you joined that you wait for a budget."
    assert reminds in text
    assert reminds in text_of(walk.get("done"))
    assert f"{partner} may order and operate for you" in text
    assert "<h2>Freezes</h2>" in text
    budget(association)
    SpendingFactory.create(account=association.account, amount=Decimal("12.30"))
    SpendingFactory.create(
        account=association.account, occurred_at=timezone.now() - timedelta(days=40)
    )
    text = text_of(walk.client.get(MY_PARTNER))
    assert "12.30\N{NO-BREAK SPACE}USD of 500.00\N{NO-BREAK SPACE}USD used" in text


def test_my_partner_shows_every_freeze_with_its_reason_as_text():
    walk = joined()
    association = Association.objects.get()
    freeze_customer(
        association=association,
        scope=FreezeScope.ACCOUNT_AND_RESOURCES,
        reason="<b>Late</b> & more",
        by=None,
        now=timezone.now(),
    )
    text = text_of(walk.client.get(MY_PARTNER))
    assert text.count("since ") >= 2
    assert "&lt;b&gt;Late&lt;/b&gt; &amp; more" in text


def test_my_partner_of_a_referral_knows_no_budget_and_no_freeze():
    text = text_of(joined(referral=True).client.get(MY_PARTNER))
    assert "has not set a budget" not in text
    assert "Freezes" not in text
    assert "You can use your account now" in text
    assert "frozen" not in text


def test_my_partner_without_one_says_how_to_get_one(client):
    client.force_login(CustomerAccountFactory.create().owner)
    assert "You have no partner yet" in text_of(client.get(MY_PARTNER))


def test_my_partner_and_done_say_what_was_after_the_end():
    walk = joined()
    end_by_provider(Association.objects.get(), reason="Moved")
    for page in (walk.client.get(MY_PARTNER), walk.get("done")):
        assert page.status_code == 200
        assert "you were a customer of" in text_of(page)
        assert "<bdi>Moved</bdi>" in text_of(page)
        assert "You are a customer" not in text_of(page)


def test_done_of_a_past_partner_says_nothing_of_bills_once_there_is_another():
    walk = joined()
    end_by_provider(Association.objects.get())
    assert "Example Cloud bills you" in text_of(walk.get("done"))
    account = walk.attempt.account
    walk_of(ready_attempt(account=account, invitation=invite(account))).post("confirm")
    assert Association.objects.in_force().filter(account=account).exists()
    assert "Example Cloud bills you" not in text_of(walk.get("done"))


@pytest.mark.parametrize("address", [MY_PARTNER, "/account/"])
def test_anonymous_visitor_is_asked_to_log_in(client, address):
    response = client.get(address)
    assert (response.status_code, response["Location"]) == (
        302,
        f"/account/login/?next={address}",
    )


def test_consent_is_shown_word_for_word_to_its_account_alone(client):
    walk = joined()
    consent = Consent.objects.get()
    url = f"/account/consents/{consent.pk}/"
    response = walk.client.get(url)
    assert response.status_code == 200
    assert consent.document.title in text_of(response)
    assert Client().get(url).status_code == 302
    client.force_login(CustomerAccountFactory.create().owner)
    assert client.get(url).status_code == 404
    assert client.get("/account/consents/999999999999999999999/").status_code == 404


def test_home_leads_customers_to_my_partner_and_greets_others(client):
    walk = joined()
    assert walk.client.get("/account/")["Location"] == MY_PARTNER
    client.force_login(UserFactory.create())
    assert client.get("/account/").status_code == 200


def test_the_header_leads_to_my_partner_where_what_is_unfinished_is_named():
    walk = walk_of(ready_attempt())
    assert f'<a href="{MY_PARTNER}">My partner</a>' in text_of(walk.get("confirm"))
    page = text_of(walk.client.get(MY_PARTNER))
    assert f"You have begun to join <bdi>{walk.attempt.invitation.partner.name}</bdi>" in page


def test_open_attempt_elsewhere_does_not_hide_my_partner():
    walk = joined()
    walk_of(ready_attempt(account=walk.attempt.account))
    assert walk.client.get("/account/")["Location"] == MY_PARTNER
