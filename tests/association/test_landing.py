"""The landing page: it shows the offer to every visitor and stores nothing about them."""

import html
import re
from datetime import timedelta

import pytest
from django.templatetags.static import static
from django.test import override_settings
from django.utils import timezone

from association.services.attempts import last_moment_of
from partners.models import Partner
from tests.factories import (
    CustomerAccountFactory,
    InvitationFactory,
    PartnerFactory,
    PartnerLogoFactory,
)
from tests.journeys.walk import Walk, ready_attempt, walk_of
from tests.tables import tables
from web.templatetags.moments import moment

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("traits", [{}, {"referral": True}])
def test_attempts_begun_from_one_network_address_are_limited(client, settings, traits):
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "start_attempt": (2, 3600)}
    invitation = InvitationFactory.create(**traits)
    page = "account" if traits else "instructions"
    data = {"choice": "register", "instructions": "on", "shown_instructions": 1}
    answers = [client.post(f"/i/{invitation.token}/{page}", data) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [303, 303, 429]
    assert int(answers[-1].headers["Retry-After"]) >= 1
    assert invitation.attempts.count() == 2


META = re.compile(r'<meta (?:name|property)="((?:og:|desc|robots)[^"]*)"\s+content="([^"]*)"')
LOOKERS = [
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Microsoft Outlook SafeLinks",
    "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "WhatsApp/2.23.20.0",
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "",
]
AGREED = {"instructions": "on", "shown_instructions": 1}
TWO_LANGUAGES = override_settings(LANGUAGES=[("en", "English"), ("de", "Deutsch")])


def link(invitation):
    return f"/i/{invitation.token}"


def test_landing_for_an_unknown_visitor_is_one_statement(client, django_assert_num_queries):
    invitation = InvitationFactory.create(max_uses=3, note="Welcome")
    client.get(link(invitation))
    with django_assert_num_queries(1):
        response = client.get(link(invitation))
    assert response.status_code == 200


@pytest.mark.parametrize("method", ["get", "head", "options"])
@pytest.mark.parametrize("referral", [False, True])
def test_landing_changes_no_row_and_sets_no_cookie(client, method, referral):
    invitation = InvitationFactory.create(referral=referral)
    before = tables()
    response = getattr(client, method)(link(invitation))
    assert response.status_code == (405 if method == "options" else 200)
    assert tables() == before
    assert not response.cookies
    assert "Set-Cookie" not in response.headers


@pytest.mark.parametrize("agent", LOOKERS)
def test_landing_looks_the_same_to_every_looker(client, agent):
    invitation = InvitationFactory.create(max_uses=1)
    plain = client.get(link(invitation)).content
    before = tables()
    for _ in range(20):
        response = client.get(link(invitation), headers={"user-agent": agent})
        assert (response.status_code, response.content) == (200, plain)
        client.head(link(invitation), headers={"user-agent": agent})
    assert tables() == before


def test_journey_can_be_completed_once_after_a_thousand_looks(client):
    invitation = InvitationFactory.create(max_uses=1)
    name = html.escape(invitation.partner.name).encode()
    for number in range(1000):
        response = client.get(link(invitation), headers={"user-agent": LOOKERS[number % 7]})
        assert response.status_code == 200
        assert name in response.content
    walk = Walk(invitation)
    walk.begin()
    walk.register()
    assert walk.enable()["Location"] == walk.url("done")
    invitation.refresh_from_db()
    assert invitation.used_count == 1


@pytest.mark.parametrize(
    "spell",
    [
        lambda token: f"/I/{token.upper()}",
        lambda token: f"/i/{token.upper()}",
        lambda token: f"/I/{token}",
        lambda token: f"/i/{token.replace('0', 'o').replace('1', 'l')}",
        lambda token: f"/I/{token.replace('0', 'O').replace('1', 'I')}",
        lambda token: f"/i/{token}?utm_source=x&utm_campaign=y",
    ],
)
def test_landing_answers_every_spelling_directly_with_canonical_links(client, spell):
    token = "01" + "abcdefghjk" + "01" + "mnpqrstvwxyz"
    InvitationFactory.create(token=token)
    response = client.get(spell(token))
    assert response.status_code == 200
    assert f'href="/i/{token}/instructions"' in response.content.decode()


def test_note_is_shown_as_text(client):
    note = "<script>alert(1)</script>\nSecond & last {{ line }}"
    invitation = InvitationFactory.create(note=note)
    text = client.get(link(invitation)).content.decode()
    escaped = "&lt;script&gt;alert(1)&lt;/script&gt;<br>Second &amp; last {{ line }}"
    assert text.count(escaped) == 1
    assert "<script>alert" not in text


def test_partner_is_named_with_legal_name_country_and_contact(client):
    partner = PartnerFactory.create(
        name="Müller & <Söhne>", legal_name="Müller & Söhne GmbH", country="DE"
    )
    text = client.get(link(InvitationFactory.create(partner=partner))).content.decode()
    for shown in (partner.name, partner.legal_name, "Germany", partner.support_email):
        assert html.escape(shown) in text
    assert "<Söhne>" not in text


def test_frozen_notice_is_shown_for_reseller_only(client):
    notice = "cannot buy, renew or change resources. Some resources may be unavailable"
    reseller = client.get(link(InvitationFactory.create())).content.decode()
    referral = client.get(link(InvitationFactory.create(referral=True))).content.decode()
    assert (notice in reseller, notice in referral) == (True, False)


def test_a_partner_without_a_logo_has_the_providers_picture_in_the_preview(client):
    partner = PartnerFactory.create(name='A "B" <C>')
    text = client.get(link(InvitationFactory.create(partner=partner))).content.decode()
    name = html.escape(partner.name)
    joins = (
        f"Your Example Cloud account joins {name}."
        f" It is frozen until {name} has set a budget and unfrozen it."
    )
    assert dict(META.findall(text)) == {
        "description": joins,
        "og:type": "website",
        "og:title": f"{name} invites you to become its customer",
        "og:description": joins,
        "og:image": f"http://127.0.0.1:8000{static('preview.png')}",
        "robots": "noindex",
    }
    assert 'class="logo"' not in text


def test_a_logo_is_shown_with_its_size_and_in_the_preview(client, django_assert_num_queries):
    partner = PartnerFactory.create(with_logo=True)
    invitation = InvitationFactory.create(partner=partner, referral=True)
    with django_assert_num_queries(1):
        text = client.get(link(invitation)).content.decode()
    found = dict(META.findall(text))
    key = partner.logo_id
    assert found["og:image"] == f"http://127.0.0.1:8000/logo/{key}/preview.png"
    joins = f"Your Example Cloud account joins {partner.name}. Nothing is frozen."
    assert found["description"] == joins
    (picture,) = re.findall(r"<img[^>]*>", text)
    assert " ".join(picture.split()) == (
        f'<img class="logo" src="/logo/{key}.png" width="160" height="48" alt="{partner.name}">'
    )


def test_a_new_logo_is_shown_at_the_next_request(client):
    invitation = InvitationFactory.create()
    assert "/logo/" not in client.get(link(invitation)).content.decode()
    logo = PartnerLogoFactory.create()
    Partner.objects.update(logo=logo, logo_width=99, logo_height=40)
    assert f"/logo/{logo.pk}.png" in client.get(link(invitation)).content.decode()


@pytest.mark.parametrize(("referral", "count"), [(False, 4), (True, 3)])
def test_as_many_steps_are_listed_as_the_pages_count(client, referral, count):
    invitation = InvitationFactory.create(referral=referral)
    text = client.get(link(invitation)).content.decode()
    steps = text.partition('<ol class="steps">')[2].partition("</ol>")[0]
    page = "account" if referral else "instructions"
    first = client.get(f"{link(invitation)}/{page}").content.decode()
    assert (steps.count("<li>"), f"Step 1 of {count}" in first) == (count, True)


@pytest.mark.parametrize("email", [False, True])
def test_the_steps_of_a_link_promise_nothing_to_other_accounts(client, email):
    text = client.get(link(InvitationFactory.create(email=email))).content.decode()
    steps = text.partition('<ol class="steps">')[2].partition("</ol>")[0]
    [_, which, how, _] = re.findall(r"<li>(.*?)</li>", steps)
    assert (which, how) == (
        ("Choose a new account or your own", "Register with an e-mail address, or log in")
        if email
        else (
            "Say that you are new: this link is for new accounts only",
            "Register an account with your e-mail address",
        )
    )


def test_an_invitation_to_one_address_only_shows_it_masked(client):
    bound = InvitationFactory.create(email=True, recipient="ada@bernstein.demo.example")
    unbound = InvitationFactory.create(email=True, is_bound=False)
    text = html.unescape(client.get(link(bound)).content.decode())
    assert f"This invitation is for <bdi>{bound.masked_recipient}</bdi>." in text
    assert "ada@" not in text
    for other in (unbound, InvitationFactory.create()):
        assert "This invitation is for" not in client.get(link(other)).content.decode()


def test_it_says_who_bills(client):
    reseller, referral = InvitationFactory.create(), InvitationFactory.create(referral=True)
    pages = [client.get(link(one)).content.decode() for one in (reseller, referral)]
    assert f"{reseller.partner.name} bills you for what your account uses" in pages[0]
    assert "Example Cloud bills you for what your account uses" in pages[1]


def test_expiry_carries_its_zone_and_the_machine_readable_moment(client):
    expires_at = (timezone.now() + timedelta(days=3)).replace(microsecond=0)
    text = client.get(link(InvitationFactory.create(expires_at=expires_at))).content.decode()
    assert f'datetime="{expires_at.isoformat()}"' in text.replace("Z&quot;", "+00:00&quot;")
    assert "UTC" in text


@pytest.mark.parametrize(("used", "shown"), [(0, "2 places are left."), (1, "1 place is left.")])
def test_remaining_uses_are_shown_when_limited(client, used, shown):
    invitation = InvitationFactory.create(max_uses=2, used_count=used)
    assert shown in client.get(link(invitation)).content.decode()


def test_nothing_about_limits_is_shown_without_limits(client):
    text = client.get(link(InvitationFactory.create())).content.decode()
    assert "can be used until" not in text
    assert "left." not in text


@pytest.mark.parametrize(
    ("address", "invitation_language", "accepts", "spoken"),
    [
        ("?lang=de", "en", "en", "de"),
        ("?lang=en", "de", "de", "en"),
        ("", "de", "en", "de"),
        ("", "", "de", "de"),
        ("", "", "fr", "en"),
        ("?lang=xx", "", "de", "de"),
        ("?lang=de%00", "", "en", "en"),
    ],
)
@TWO_LANGUAGES
def test_language_is_the_readers_choice_then_the_invitations_then_the_browsers(
    client, address, invitation_language, accepts, spoken
):
    invitation = InvitationFactory.create(language=invitation_language)
    response = client.get(link(invitation) + address, headers={"accept-language": accepts})
    assert response.headers["Content-Language"] == spoken
    assert f'<html lang="{spoken}"' in response.content.decode()
    assert not response.cookies


@TWO_LANGUAGES
def test_language_chosen_on_the_landing_page_is_carried_on_and_stored_by_the_first_post(client):
    invitation = InvitationFactory.create()
    first_step = f"{link(invitation)}/instructions?lang=de"
    assert f'href="{first_step}"' in client.get(f"{link(invitation)}?lang=de").content.decode()
    response = client.post(first_step, AGREED)
    assert response.status_code == 303
    assert response.cookies["language"].value == "de"
    assert invitation.attempts.get().language == "de"


@TWO_LANGUAGES
def test_attempt_has_the_invitations_language_when_none_was_chosen(client):
    invitation = InvitationFactory.create(language="de")
    headers = {"accept-language": "en"}
    client.post(f"{link(invitation)}/instructions", AGREED, headers=headers)
    assert invitation.attempts.get().language == "de"


def test_robots_are_kept_away(client):
    response = client.get(link(InvitationFactory.create()))
    assert response.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert client.get("/robots.txt").content.decode().splitlines() == [
        "User-agent: *",
        "Allow: /i/",
        "Allow: /logo/",
        "Allow: /static/preview",
        "Disallow: /",
    ]


def test_visitor_who_began_goes_to_the_first_undone_step():
    walk = Walk(InvitationFactory.create())
    walk.begin()
    response = walk.client.get(link(walk.invitation), follow=True)
    assert response.redirect_chain == [(walk.url(), 303), (walk.url("account"), 303)]


def test_customer_of_this_partner_is_led_to_my_partner():
    walk = walk_of(ready_attempt())
    walk.post("confirm")
    other = InvitationFactory.create(partner=walk.invitation.partner)
    response = walk.client.get(link(other))
    assert (response.status_code, response["Location"]) == (303, "/account/partner/")
    sentence = f"You are already a customer of {other.partner.name}. Nothing has been changed."
    assert sentence in walk.client.get("/account/partner/").content.decode()
    other.refresh_from_db()
    assert other.used_count == 0


def test_customer_of_another_partner_reads_with_whom_and_gets_no_button():
    walk = walk_of(ready_attempt())
    walk.post("confirm")
    other = InvitationFactory.create()
    response = walk.client.get(link(other))
    text = response.content.decode()
    assert response.status_code == 200
    assert f"You already work with <bdi>{walk.invitation.partner.name}</bdi>" in text
    assert f"/i/{other.token}/" not in text
    account = walk.attempt.account
    shown = moment(last_moment_of(account))
    assert f"This account can join another partner until {shown}" in text
    assert f"{walk.invitation.partner.name} has 14 days to answer" in text


def test_signed_in_customer_without_partner_sees_the_offer(client):
    client.force_login(CustomerAccountFactory.create().owner)
    assert client.get(link(InvitationFactory.create())).status_code == 200


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "trace"])
def test_landing_takes_no_other_verb(client, method):
    assert getattr(client, method)(link(InvitationFactory.create())).status_code == 405
