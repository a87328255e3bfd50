"""How long a log-in lasts, without a row: twelve hours, and thirty idle minutes for some."""

import time
from datetime import timedelta
from http import HTTPStatus

import pytest
import time_machine
from django.conf import settings
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partners.services.members import remove_member
from tests.factories.accounts import PASSWORD, UserFactory
from tests.factories.partners import MemberInvitationFactory, PartnerMemberFactory
from tests.shown_forms import version_of
from tests.tables import tables

pytestmark = pytest.mark.django_db
START = timezone.now().replace(microsecond=0)
ACTIVE, SESSION = settings.ACTIVE_COOKIE_NAME, settings.SESSION_COOKIE_NAME
LOGIN, CONSOLE, SETTINGS = "/account/login/", "/partner/", "/account/settings/"
EDIT = "/partner/invitations/new"


@pytest.fixture
def clock():
    with time_machine.travel(START, tick=False) as moving:
        yield moving


@pytest.fixture
def customer(client):
    return logged_in(client, UserFactory.create())


@pytest.fixture
def member(client):
    return logged_in(client, PartnerMemberFactory.create(administrator=True).user)


@pytest.fixture
def administrator(client):
    return logged_in(client, UserFactory.create(staff=True))


def logged_in(client, user):
    """Log in on the page; `force_login()` would begin no log-in of ours."""
    sent = client.post(LOGIN, {"login": user.email, "password": PASSWORD})
    assert sent.status_code == HTTPStatus.SEE_OTHER
    return client


def is_in(client, page):
    """Return whether the page is shown, and that it leads to the log-in otherwise."""
    response = client.get(page)
    if response.status_code == HTTPStatus.OK:
        return True
    entrance = "/admin/login/" if page == "/admin/" else LOGIN
    assert (response.status_code, response["Location"]) == (302, f"{entrance}?next={page}")
    return False


@pytest.mark.parametrize(
    ("who", "page"), [("member", CONSOLE), ("administrator", "/admin/"), ("member", SETTINGS)]
)
def test_idle_member_and_administrator_log_in_again_after_thirty_minutes(request, clock, who, page):
    client = request.getfixturevalue(who)
    for minutes in (29, 29):
        clock.shift(timedelta(minutes=minutes))
        assert is_in(client, page)
    clock.shift(timedelta(minutes=30))
    assert not is_in(client, page)
    assert not is_in(client, page)


@pytest.mark.parametrize(
    ("seconds", "expected"), [(30 * 60 - 1, True), (30 * 60, False), (30 * 60 + 1, False)]
)
def test_thirty_minutes_end_exactly(clock, member, seconds, expected):
    clock.shift(timedelta(minutes=2))
    assert is_in(member, CONSOLE)
    clock.shift(timedelta(seconds=seconds))
    assert is_in(member, CONSOLE) is expected


def test_customer_is_not_limited_by_idle_time(clock, customer):
    for hours in (6, 5):
        clock.shift(timedelta(hours=hours))
        assert is_in(customer, SETTINGS)
    assert ACTIVE not in customer.cookies


@pytest.mark.parametrize("who", ["customer", "member"])
def test_log_in_ends_after_twelve_hours_whatever_is_done(request, clock, who):
    client = request.getfixturevalue(who)
    for _ in range(12 * 3 - 1):
        clock.shift(timedelta(minutes=20))
        assert is_in(client, SETTINGS)
    clock.shift(timedelta(minutes=20))
    assert not is_in(client, SETTINGS)


@pytest.mark.parametrize("who", ["customer", "member"])
def test_session_that_is_stored_again_ends_after_twelve_hours_too(request, clock, who):
    client = request.getfixturevalue(who)
    for _ in range(12 * 3 - 1):
        clock.shift(timedelta(minutes=20))
        # It writes the session, and Django counts a session's twelve hours from then on.
        assert client.post(reverse("second_factor"), {"action": "begin"}).status_code == 303
    assert Session.objects.get().expire_date > START + timedelta(hours=23)
    clock.shift(timedelta(minutes=20))
    assert not is_in(client, SETTINGS)


def test_pages_write_no_row_for_it(clock, member):
    before = tables()
    for _ in range(3):
        clock.shift(timedelta(minutes=20))
        assert is_in(member, CONSOLE)
    clock.shift(timedelta(minutes=40))
    assert not is_in(member, CONSOLE)
    assert tables() == before


def test_cookie_is_closed_to_scripts_and_sent_once_a_minute(clock, member):
    clock.shift(timedelta(minutes=2))
    first = member.get(CONSOLE).cookies[ACTIVE]
    assert (first["httponly"], first["samesite"], first["max-age"]) == (True, "Lax", "")
    clock.shift(timedelta(seconds=59))
    assert ACTIVE not in member.get(CONSOLE).cookies
    clock.shift(timedelta(seconds=1))
    assert ACTIVE in member.get(CONSOLE).cookies


@pytest.mark.parametrize("forged", ["", "9999999999", "9999999999:AAAA", None])
def test_deleted_or_forged_cookie_gains_nothing(clock, member, forged):
    clock.shift(timedelta(minutes=20))
    assert is_in(member, CONSOLE)
    clock.shift(timedelta(minutes=20))
    if forged is None:
        del member.cookies[ACTIVE]
    else:
        member.cookies[ACTIVE] = forged
    assert not is_in(member, CONSOLE)


def test_cookie_of_another_session_gains_nothing(clock, member):
    clock.shift(timedelta(minutes=29))
    other = logged_in(Client(), PartnerMemberFactory.create(administrator=True).user)
    clock.shift(timedelta(minutes=2))
    assert is_in(other, CONSOLE)
    member.cookies[ACTIVE] = other.cookies[ACTIVE].value
    assert not is_in(member, CONSOLE)


def test_new_log_in_replaces_the_ended_one(clock, member):
    old = member.cookies[SESSION].value
    clock.shift(timedelta(minutes=31))
    user = PartnerMemberFactory.create(administrator=True).user
    logged_in(member, user)
    assert is_in(member, CONSOLE)
    assert not Session.objects.filter(session_key=old).exists()


def test_session_of_an_older_version_goes_on(client, clock):
    client.force_login(PartnerMemberFactory.create(administrator=True).user)
    clock.shift(timedelta(minutes=40))
    assert is_in(client, CONSOLE)


def test_user_who_becomes_a_member_is_limited_from_then_on(clock, client):
    invited = MemberInvitationFactory.create()
    user = UserFactory.create(email=invited.address)
    logged_in(client, user)
    page = client.get(reverse("membership"))
    accepted = client.post(reverse("accept_membership", args=[invited.pk]), version_of(page))
    assert accepted.status_code == HTTPStatus.SEE_OTHER
    assert is_in(client, CONSOLE)
    clock.shift(timedelta(minutes=31))
    assert not is_in(client, CONSOLE)


def test_member_of_long_ago_stays_logged_in_where_the_invitation_is_accepted(clock, client):
    invited = MemberInvitationFactory.create()
    logged_in(client, UserFactory.create(email=invited.address))
    clock.shift(timedelta(hours=3))
    page = client.get(reverse("membership"))
    client.post(reverse("accept_membership", args=[invited.pk]), version_of(page))
    assert is_in(client, CONSOLE)


@pytest.mark.parametrize("becomes", ["a member", "an administrator"])
def test_sessions_from_before_are_limited_too(clock, client, becomes):
    user = UserFactory.create()
    logged_in(client, user)
    if becomes == "a member":
        PartnerMemberFactory.create(user=user)
    else:
        user.is_staff = True
        user.save()
    clock.shift(timedelta(minutes=29))
    assert is_in(client, SETTINGS)
    clock.shift(timedelta(minutes=30))
    assert not is_in(client, SETTINGS)


@pytest.mark.parametrize("lost", ["membership", "membership of later", "power"])
def test_ended_log_in_does_not_come_back_when_the_user_loses_the_power(clock, client, lost):
    user = UserFactory.create(staff=lost.startswith("power"))
    member = PartnerMemberFactory.create(user=user) if lost == "membership" else None
    logged_in(client, user)
    idle = logged_in(Client(), user)
    if lost == "membership of later":
        member = PartnerMemberFactory.create(user=user)
    clock.shift(timedelta(minutes=20))
    assert is_in(client, SETTINGS)
    clock.shift(timedelta(minutes=25))
    if member is not None:
        remove_member(member=member, by=UserFactory.create(staff=True), now=timezone.now())
    else:
        take_power_from(user)
    assert not is_in(idle, SETTINGS)
    assert is_in(client, SETTINGS)
    clock.shift(timedelta(hours=12) - timedelta(minutes=45, seconds=1))
    assert not is_in(idle, SETTINGS)
    again = logged_in(Client(), user)
    clock.shift(timedelta(minutes=46))
    assert not is_in(idle, SETTINGS)
    user.refresh_from_db()
    assert not user.idle_time_is_limited
    assert is_in(again, SETTINGS)


def take_power_from(user):
    """Untick "may open the admin" there."""
    superuser = Client()
    superuser.force_login(UserFactory.create(staff=True))
    page = reverse("admin:accounts_user_change", args=[user.pk])
    form = superuser.get(page).context["adminform"].form
    assert form["is_staff"].value() is True
    typed = {
        name: field.value()
        for name in form.fields
        if (field := form[name]).value() not in (None, False) and name != "is_staff"
    }
    assert superuser.post(page, {**typed, **version_of(superuser.get(page))}).status_code == 302


def test_signed_in_page_costs_two_statements_for_its_user(client, django_assert_num_queries):
    for user in (UserFactory.create(), PartnerMemberFactory.create(administrator=True).user):
        logged_in(client, user)
        with django_assert_num_queries(2):
            assert is_in(client, reverse("account_change_password"))


def test_form_sent_too_late_is_given_back(clock, member):
    clock.shift(timedelta(minutes=31))
    before = tables()
    typed = {"label": "Autumn <fair>", "note": "Two\nlines", "form_key": "k" * 22}
    response = member.post(f"{EDIT}?from=list", typed)
    page = response.content.decode()
    assert response.status_code == HTTPStatus.FORBIDDEN
    assert "You have been logged out" in page
    assert "Autumn &lt;fair&gt;" in page
    assert 'name="note" value="Two\nlines"' in page
    assert f'name="form_key" value="{"k" * 22}"' in page
    assert f'action="{EDIT}?from=list"' in page
    assert tables() == before


@pytest.mark.parametrize(
    "typed", [{}, {"form_key": "k" * 22}, {"present_password": "x", "label": "y"}]
)
def test_form_without_typed_text_or_with_a_secret_leads_to_the_log_in(clock, member, typed):
    clock.shift(timedelta(minutes=31))
    response = member.post(EDIT, typed)
    assert (response.status_code, response["Location"]) == (302, f"{LOGIN}?next={EDIT}")


def test_form_of_the_admin_is_given_back_too(clock, administrator):
    page = reverse("admin:partners_partner_add")
    clock.shift(timedelta(minutes=31))
    response = administrator.post(page, {"name": "Nimbus"})
    assert (response.status_code, b'value="Nimbus"' in response.content) == (403, True)


def test_stranger_is_shown_nothing_of_what_was_sent(client):
    response = client.post(EDIT, {"label": "Autumn fair"})
    assert (response.status_code, response["Location"]) == (302, f"{LOGIN}?next={EDIT}")


def test_times_are_whole_seconds_of_the_clock(clock, member):
    assert member.session["signed_in_at"] == int(time.time())
