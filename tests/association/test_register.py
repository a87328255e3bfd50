"""Register: one page with three forms; there is no user before the address is proven."""

import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from accounts.models import CustomerAccount, User, VerificationCode
from accounts.services.codes import derive_code
from association.models import Attempt
from outbox.models import OutboxMessage
from tests.factories import PASSWORD, CustomerAccountFactory, InvitationFactory
from tests.journeys.walk import ADDRESS, Walk, newest_code, other_code
from tests.shown_forms import hidden_fields
from tests.shown_texts import shown_text
from tests.tables import tables

pytestmark = pytest.mark.django_db

STRONG = "an unrelated few words 71"


@pytest.fixture
def walk():
    """A browser that has agreed to the instructions of a reseller link."""
    walk = Walk(InvitationFactory.create())
    walk.begin()
    return walk


def register(walk, code, password=PASSWORD, **data):
    return walk.post("register/account", code=code, password=password, **data)


def let_pass(seconds):
    """Make every code and send that much older."""
    for row in VerificationCode.objects.all():
        row.sent_at -= timedelta(seconds=seconds)
        row.expires_at -= timedelta(seconds=seconds)
        row.save()


def test_right_code_and_password_make_an_account_that_has_entered(walk):
    response = walk.register(" New.Customer@Example.ORG ")
    assert (response.status_code, response["Location"]) == (303, walk.url())
    user = User.objects.get()
    assert (user.email, user.email_original) == (ADDRESS, "New.Customer@Example.ORG")
    assert walk.client.session["_auth_user_id"] == str(user.pk)
    attempt = walk.attempt
    assert attempt.account == user.customer_account
    assert attempt.registered_at is not None
    assert user.customer_account.country.code == "DE"
    assert walk.get()["Location"] == walk.url("enable")


def test_no_user_exists_before_the_code_is_proven(walk):
    walk.send_code()
    register(walk, other_code(newest_code()))
    assert (User.objects.count(), CustomerAccount.objects.count()) == (0, 0)
    assert "_auth_user_id" not in walk.client.session


def wrong(walk):
    return other_code(newest_code())


def expired(walk):
    code = newest_code()
    let_pass(600)
    return code


def of_another_flow(walk):
    let_pass(61)
    other = Walk(walk.invitation)
    other.begin()
    other.send_code()
    return newest_code()


def of_another_address(walk):
    code = newest_code()
    walk.post("register/address")
    walk.send_code("other@example.org")
    return code


def older(walk):
    code = newest_code()
    let_pass(61)
    walk.send_code()
    return code


def tried_too_often(walk):
    code = newest_code()
    for _ in range(5):
        register(walk, other_code(code))
    return code


@pytest.mark.parametrize(
    "make", [wrong, expired, of_another_flow, of_another_address, older, tried_too_often]
)
def test_code_that_does_not_prove_this_address_here_now_is_a_form_error(walk, make):
    walk.send_code()
    code = make(walk)
    response = register(walk, code)
    assert response.status_code == 400
    assert 'aria-invalid="true"' in response.content.decode()
    assert User.objects.count() == 0
    assert "_auth_user_id" not in walk.client.session


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "\x00" * 6, "<b>", "-12345"])
def test_code_of_a_wrong_shape_is_a_form_error_and_costs_no_try(walk, code):
    walk.send_code()
    assert register(walk, code).status_code == 400
    assert VerificationCode.objects.get().tries == 0


def test_used_code_registers_no_other_user(walk):
    walk.register()
    code = newest_code()
    let_pass(61)
    thief = Walk(walk.invitation)
    thief.begin()
    thief.send_code()
    assert register(thief, code, password=STRONG).status_code == 400
    assert User.objects.count() == 1


def test_new_code_works_after_five_wrong_ones(walk):
    walk.send_code()
    for _ in range(5):
        assert register(walk, other_code(newest_code())).status_code == 400
    response = register(walk, newest_code())
    assert "The code was mistyped too often. Request a new code." in response.content.decode()
    let_pass(61)
    walk.send_code()
    assert register(walk, newest_code())["Location"] == walk.url()


def test_double_click_makes_one_account_and_lands_on_the_same_result(walk):
    walk.send_code()
    code = newest_code()
    second = Walk(walk.invitation)
    second.attempt_id = walk.attempt_id
    second.client.cookies["browser"] = walk.client.cookies["browser"].value
    answers = [register(walk, code), register(second, code), register(walk, code)]
    assert {answer.status_code for answer in answers} == {303}
    assert [answer["Location"] for answer in answers[:2]] == [walk.url(), walk.url()]
    assert (User.objects.count(), CustomerAccount.objects.count()) == (1, 1)
    assert second.client.get(second.url(), follow=True).redirect_chain[-1][0] == walk.url("enable")
    assert walk.enable()["Location"] == walk.url("done")


def test_repeated_registration_is_checked_like_the_first(walk):
    walk.send_code()
    code = newest_code()
    register(walk, code)
    again = Walk(walk.invitation)
    again.attempt_id = walk.attempt_id
    again.client.cookies["browser"] = walk.client.cookies["browser"].value
    before = User.objects.get().last_login
    assert register(again, code, password=STRONG).status_code == 400
    assert register(again, other_code(code)).status_code == 400
    assert "_auth_user_id" not in again.client.session
    assert User.objects.get().last_login == before


@pytest.mark.parametrize("action", ["code", "address"])
def test_browser_alone_changes_nothing_of_an_entered_attempt(walk, action):
    walk.register()
    walk.client.logout()
    before = tables()
    data = {"email": "thief@example.org", "country": "DE"}
    response = walk.post(f"register/{action}", **data)
    assert (response.status_code, response["Location"][:21]) == (302, "/account/login/?next=")
    assert tables() == before


def test_second_tabs_address_is_not_registered_by_the_first_tabs_button(walk):
    walk.send_code("first@example.org")
    shown = {"shown_email": "first@example.org"}
    walk.post("register/address")
    walk.send_code("second@example.org")
    response = register(walk, newest_code(), **shown)
    assert response.status_code == 409
    assert "The address was changed meanwhile." in response.content.decode()
    assert User.objects.count() == 0
    assert register(walk, newest_code(), shown_email="second@example.org").status_code == 303
    assert User.objects.get().email == "second@example.org"


def test_two_attempts_of_one_browser_do_not_mix(walk):
    other = Walk(walk.invitation, walk.client)
    other.begin()
    walk.send_code("first@example.org")
    first = newest_code()
    other.send_code("second@example.org")
    second = newest_code()
    assert register(walk, second).status_code == 400
    assert register(other, first).status_code == 400
    assert register(walk, first).status_code == 303
    assert User.objects.get().email == "first@example.org"


def test_change_address_goes_back_to_what_was_typed(walk):
    walk.send_code("first@example.org", country="FR")
    assert 'name="code"' in walk.get("register").content.decode()
    assert walk.post("register/address").status_code == 303
    text = walk.get("register").content.decode()
    assert 'value="first@example.org"' in text
    assert '<option value="FR" selected>' in text
    assert 'name="code"' not in text


def test_sending_again_within_a_minute_says_when_the_next_code_is_possible(walk):
    walk.send_code()
    code = newest_code()
    let_pass(20)
    again = walk.send_code()
    assert (again.status_code, again["Retry-After"]) == (429, "40")
    assert shown_text(again.content.decode(), "No new code") == (
        "No new code: one went to this address 20 seconds ago; the next is possible in 40 seconds."
    )
    assert VerificationCode.objects.count() == 1
    assert register(walk, code).status_code == 303


def test_code_for_another_page_counts_and_what_was_typed_is_kept(walk):
    walk.client.post("/account/password/reset/", {"email": ADDRESS})
    response = walk.send_code(country="FR")
    page = response.content.decode()
    assert response.status_code == 429
    assert shown_text(page, "No new code").startswith("No new code: one went to this address ")
    assert f'value="{ADDRESS}"' in page
    assert '<option value="FR" selected>' in page
    assert 'name="code"' not in page
    assert walk.attempt.registration_email == ""


def test_address_that_was_changed_and_changed_back_leads_to_its_code(walk):
    walk.send_code()
    code = newest_code()
    walk.post("register/address")
    assert walk.send_code().status_code == 429
    assert register(walk, code).status_code == 303


def test_fifth_code_within_the_hour_says_when_the_next_is_possible(walk):
    start = datetime(2030, 1, 1, 6, 0, tzinfo=UTC)
    for minute in (0, 10, 20, 30, 40):
        with time_machine.travel(start + timedelta(minutes=minute), tick=False):
            assert walk.send_code().status_code == 303
            page = walk.get("register").content.decode()
    assert shown_text(page, "Requested at") == (
        "Requested at 06:40 UTC and on its way, valid until 06:50 UTC;"
        " earlier codes no longer work."
    )
    assert shown_text(page, "The next code") == "The next code is possible at 07:00 UTC."
    with time_machine.travel(start + timedelta(minutes=55), tick=False):
        response = walk.send_code()
    assert (response.status_code, response["Retry-After"]) == (429, "300")
    assert shown_text(response.content.decode(), "No new code") == (
        "No new code: 5 within the hour; the next is possible at 07:00 UTC."
    )


def test_page_after_sending_says_when_until_when_and_from_when_again(walk):
    with time_machine.travel(datetime(2030, 1, 1, 6, 12, tzinfo=UTC), tick=False):
        walk.send_code()
        page = walk.get("register").content.decode()
    assert shown_text(page, "Requested at") == (
        "Requested at 06:12 UTC and on its way, valid until 06:22 UTC;"
        " earlier codes no longer work."
    )
    assert shown_text(page, "The next code") == "The next code is possible in 60 seconds."


def test_page_asking_for_the_code_shows_no_secret(walk):
    walk.send_code()
    row = VerificationCode.objects.get()
    text = walk.get("register").content.decode()
    for secret in (newest_code(), row.nonce, walk.client.cookies["browser"].value):
        assert secret not in text
    assert newest_code() not in str(tables())
    assert "register" not in str(dict(walk.client.session))


def test_form_error_keeps_neither_code_nor_password(walk):
    walk.send_code()
    text = register(walk, other_code(newest_code()), password=STRONG).content.decode()
    assert STRONG not in text
    assert other_code(newest_code()) not in text


@pytest.mark.parametrize("password", ["", "short", "password1234", "example cloud", ADDRESS])
def test_weak_password_is_explained_and_costs_no_try(walk, password):
    walk.send_code()
    response = register(walk, newest_code(), password=password)
    assert response.status_code == 400
    assert VerificationCode.objects.get().tries == 0
    assert register(walk, newest_code(), password="  blanks are kept, ok  ").status_code == 303
    assert User.objects.get().check_password("  blanks are kept, ok  ")


@pytest.mark.parametrize("country", ["CN", "", "de", "XX", "Germany", "\x00", "D"])
def test_country_that_is_not_offered_is_refused_with_what_was_typed_kept(walk, country):
    response = walk.send_code(country=country)
    assert response.status_code == 400
    assert f'value="{ADDRESS}"' in response.content.decode()
    assert VerificationCode.objects.count() == 0


def test_chinese_mainland_is_not_in_the_list(walk):
    text = walk.get("register").content.decode()
    assert 'value="CN"' not in text
    assert 'value="TW"' in text


@pytest.mark.parametrize(
    ("code", "name"),
    [("XK", "Kosovo"), ("AC", "Ascension Island"), ("TA", "Tristan da Cunha")],
)
def test_countries_without_a_code_in_iso_3166_can_be_chosen(walk, code, name):
    assert f'<option value="{code}">{name}</option>' in walk.get("register").content.decode()
    assert walk.send_code(country=code).status_code == 303
    register(walk, newest_code(), country=code)
    country = User.objects.get().customer_account.country
    assert (country.code, country.name) == (code, name)


def test_country_of_the_invitation_is_preselected():
    walk = Walk(InvitationFactory.create(country="FR"))
    walk.begin()
    assert '<option value="FR" selected>' in walk.get("register").content.decode()


@pytest.mark.parametrize(
    "email",
    [
        "",
        "nobody",
        "a@localhost",
        "a@[127.0.0.1]",
        f"{'a' * 65}@example.org",
        f"a@{'b' * 250}.org",
        "a@example.org\r\nBcc: b@example.org",
        "a@example.org,b@example.org",
        '"a b"@example.org',
        "A <a@example.org>",
        "a\x00@example.org",
    ],
)
def test_invalid_address_is_a_form_error_and_sends_no_e_mail(walk, email):
    assert walk.send_code(email).status_code == 400
    assert OutboxMessage.objects.count() == 0


def test_known_address_looks_like_an_unknown_one():
    account = CustomerAccountFactory.create()
    invitation = InvitationFactory.create()
    pages = []
    for address in ("somebody@example.org", account.owner.email):
        walk = Walk(invitation)
        walk.begin()
        response = walk.send_code(address)
        page = walk.get("register").content.decode()
        page = page.replace(address, "ADDRESS").replace(str(walk.attempt_id), "ATTEMPT")
        pages.append((response.status_code, sorted(response.headers), without_csrf(page)))
        assert register(
            walk, derive_code(VerificationCode.objects.latest("pk"), None)
        ).status_code == (303 if address == "somebody@example.org" else 400)
    assert pages[0] == pages[1]
    kinds = list(OutboxMessage.objects.order_by("pk").values_list("kind", flat=True))
    assert kinds[0] == "accounts.verification_code"
    assert kinds[-1] == "accounts.already_registered"
    assert User.objects.count() == 2


def without_csrf(page):
    page = re.sub(r'datetime="[^"]*"', "", page)
    return "".join(line for line in page.splitlines() if "csrfmiddlewaretoken" not in line)


def test_bound_invitation_refuses_another_address_in_neutral_words():
    walk = Walk(InvitationFactory.create(email=True, recipient="invited.person@example.org"))
    walk.begin()
    response = walk.send_code("other@example.org")
    text = response.content.decode()
    assert response.status_code == 400
    assert walk.invitation.masked_recipient in text
    assert "invited.person@example.org" not in text
    assert VerificationCode.objects.count() == 0
    walk.invitation.refresh_from_db()
    assert walk.invitation.used_count == 0
    assert walk.send_code("Invited.Person@Example.ORG").status_code == 303


def test_codes_an_hour_from_one_network_address_are_limited(walk, settings):
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "send_code": (30, 3600)}
    answers = [walk.send_code(f"person{n}@example.org") for n in range(31)]
    assert [answer.status_code for answer in answers] == [303] * 30 + [429]
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 3600
    assert VerificationCode.objects.count() == 30
    elsewhere = Walk(walk.invitation, Client(REMOTE_ADDR="198.51.100.9"))
    elsewhere.begin()
    assert elsewhere.send_code("elsewhere@example.org").status_code == 303


def test_429_of_the_networks_codes_gives_back_what_was_typed(walk, settings):
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "send_code": (1, 3600)}
    walk.send_code("somebody.else@example.org")
    answer = walk.send_code(country="FR")
    assert (answer.status_code, answer.templates[0].name) == (429, "429.html")
    assert answer.context["typed"] == [("Country", "FR"), ("Email", ADDRESS)]
    given_back = hidden_fields(answer)
    assert (given_back["country"], given_back["email"]) == ("FR", ADDRESS)
    cache.clear()
    assert walk.post("register/code", **given_back).status_code == 303
    attempt = walk.attempt
    assert (attempt.registration_email, attempt.registration_country.code) == (ADDRESS, "FR")


def test_register_without_an_address_asks_for_it(walk):
    before = tables()
    assert register(walk, "123456")["Location"] == walk.url("register")
    assert tables() == before


def test_signed_in_visitor_chooses_first(walk):
    walk.client.force_login(CustomerAccountFactory.create().owner)
    assert walk.get("register")["Location"] == walk.url("account")
    assert walk.send_code()["Location"] == walk.url("account")
    assert VerificationCode.objects.count() == 0


def test_log_in_in_a_second_tab_wins_over_the_registration_in_the_first(walk, other_tab_logs_in):
    walk.send_code()
    with other_tab_logs_in(walk):
        response = register(walk, newest_code())
    assert (response.status_code, response["Location"]) == (303, walk.url())
    assert User.objects.filter(email=ADDRESS).count() == 0


@pytest.fixture
def other_tab_logs_in():
    """Let another account enter the attempt at the moment when the code is spent."""
    from django.db import connection

    account = CustomerAccountFactory.create()

    def between(walk):
        def wrap(execute, sql, params, many, context):
            result = execute(sql, params, many, context)
            if sql.startswith("UPDATE") and "spent_at" in sql:
                attempts = Attempt.objects.filter(pk=walk.attempt_id, account=None)
                attempts.update(account=account, entered_at=timezone.now())
            return result

        return connection.execute_wrapper(wrap)

    return between
