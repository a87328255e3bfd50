"""Access to every page of an attempt: in its turn, for its owner, others, anonymous visitors."""

import uuid

import pytest
from django.test import Client

from association.models import Association, Attempt
from tests.factories import (
    CustomerAccountFactory,
    InvitationFactory,
    PartnerFactory,
    PartnerMemberFactory,
    UserFactory,
)
from tests.journeys.walk import EVERY_ACTION, EVERY_STEP, Walk, invite, ready_attempt, walk_of
from tests.tables import tables

pytestmark = pytest.mark.django_db

PAGES = ["", *EVERY_STEP]
HARMLESS = {"action": "", "choice": ""}
UNKNOWN = uuid.UUID("00000000-0000-4000-8000-000000000000")


def path(attempt_id, step):
    return f"/join/{attempt_id}/{step}"


@pytest.fixture
def begun():
    """A browser with the cookie, before there is an account."""
    walk = Walk(InvitationFactory.create())
    walk.begin()
    return walk


@pytest.fixture
def entered():
    """A browser logged in as the account of an attempt that may be finished."""
    return walk_of(ready_attempt())


@pytest.mark.parametrize("step", PAGES)
@pytest.mark.parametrize("method", ["get", "head", "post"])
def test_anonymous_visitor_is_asked_to_log_in_whether_or_not_the_attempt_exists(
    begun, entered, step, method
):
    answers = set()
    before = tables()
    for attempt_id in (UNKNOWN, begun.attempt_id, entered.attempt_id):
        response = getattr(Client(), method)(path(attempt_id, step), HARMLESS)
        location = response.headers.get("Location", "").replace(str(attempt_id), "ATTEMPT")
        answers.add((response.status_code, location, response.content))
    expected = {(302, "/account/login/?next=/join/ATTEMPT/", b"")}
    if method == "post" and step in {"", "register", "done"}:
        assert {status for status, _, _ in answers} == {405}
        assert len(answers) == 1
    else:
        assert answers == expected
    assert tables() == before


@pytest.mark.parametrize("step", PAGES)
@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("kind", ["customer", "member", "staff"])
def test_another_users_attempt_does_not_exist(client, begun, entered, step, method, kind):
    make = {
        "customer": lambda: CustomerAccountFactory.create().owner,
        "member": lambda: (
            PartnerMemberFactory.create(partner=begun.invitation.partner, administrator=True).user
        ),
        "staff": lambda: UserFactory.create(staff=True),
    }
    client.force_login(make[kind]())
    before = tables()
    answers = {
        (response.status_code, response.content)
        for attempt_id in (UNKNOWN, begun.attempt_id, entered.attempt_id)
        for response in [getattr(client, method)(path(attempt_id, step), HARMLESS)]
    }
    assert {status for status, _ in answers} == (
        {405} if method == "post" and step in {"", "register", "done"} else {404}
    )
    assert tables() == before


@pytest.mark.parametrize("action", EVERY_ACTION)
def test_actions_are_closed_to_anonymous_visitors_and_to_others(begun, entered, action):
    other = Client()
    other.force_login(CustomerAccountFactory.create().owner)
    before = tables()
    for attempt_id in (UNKNOWN, begun.attempt_id, entered.attempt_id):
        address = path(attempt_id, action)
        asked = Client().post(address, {})
        log_in = f"/account/login/?next=/join/{attempt_id}/"
        assert (asked.status_code, asked["Location"]) == (302, log_in)
        assert other.post(address, {}).status_code == 404
    assert tables() == before


@pytest.mark.parametrize("step", PAGES)
def test_browser_alone_does_not_open_an_attempt_that_has_an_account(step):
    walk = Walk(InvitationFactory.create())
    walk.begin()
    walk.register()
    cookie = walk.client.cookies["browser"].value
    walk.client = Client()
    walk.client.cookies["browser"] = cookie
    assert walk.get(step).status_code == 302


@pytest.mark.parametrize("secret", ["", "0" * 32, "x", "A" * 4000])
def test_guessed_cookie_opens_nothing(client, begun, secret):
    client.cookies["browser"] = secret
    assert client.get(begun.url("account")).status_code == 302


UNDONE_ACCOUNT = {
    "": (303, "account"),
    "instructions": (200, None),
    "account": (200, None),
    "register": (200, None),
    "ask": (200, None),
    "switch": (303, "account"),
    "check": (303, "account"),
    "enable": (303, "account"),
    "confirm": (303, "account"),
    "done": (303, "account"),
}
UNDONE_CONFIRM = dict.fromkeys(PAGES, (303, "confirm")) | {
    "instructions": (200, None),
    "confirm": (200, None),
}
UNDONE_CHECK = dict.fromkeys(PAGES, (303, "check")) | {
    "instructions": (200, None),
    "check": (200, None),
}


def answers_of(walk):
    answers = {}
    for page in PAGES:
        response = walk.get(page)
        location = response.headers.get("Location")
        answers[page] = (response.status_code, location and location.rpartition("/")[2])
    return answers


def test_every_page_before_there_is_an_account(begun):
    assert answers_of(begun) == UNDONE_ACCOUNT


def test_every_page_when_only_the_last_click_is_missing(entered):
    assert answers_of(entered) == UNDONE_CONFIRM


def test_every_page_when_services_are_not_enabled():
    walk = walk_of(ready_attempt(account=CustomerAccountFactory.create()))
    enable = dict.fromkeys(PAGES, (303, "enable"))
    assert answers_of(walk) == enable | {"instructions": (200, None), "enable": (200, None)}


def test_every_page_when_something_refuses():
    walk = walk_of(ready_attempt(account=CustomerAccountFactory.create(internal=True)))
    assert answers_of(walk) == UNDONE_CHECK


def test_every_page_when_it_is_done(entered):
    entered.post("confirm")
    assert answers_of(entered) == dict.fromkeys(PAGES, (303, "done")) | {"done": (200, None)}


FINAL = {"country": "DE", "agreement": "on"}


@pytest.mark.parametrize("step", ["account", "check", "enable", "confirm", "ask", *EVERY_ACTION])
def test_no_step_can_be_posted_before_the_instructions(client, step):
    """A reseller's attempt whose instructions are undone again: every page leads back to them."""
    from association.models import DocumentKind
    from tests.journeys.walk import publish_next

    walk = walk_of(ready_attempt(registered=True))
    publish_next(DocumentKind.INSTRUCTIONS)
    before = tables()
    response = walk.post(step, **FINAL, choice="login", email="a@example.org")
    assert (response.status_code, response["Location"]) == (303, walk.url("instructions"))
    assert tables() == before


@pytest.mark.parametrize(
    "step", ["check", "check/tell", "enable", "enable/later", "confirm", "switch"]
)
def test_no_final_post_without_an_account(begun, step):
    before = tables()
    response = begun.post(step, **FINAL)
    assert (response.status_code, response["Location"]) == (303, begun.url("account"))
    assert tables() == before


@pytest.mark.parametrize("action", EVERY_ACTION)
def test_a_look_at_an_action_leads_to_its_page(entered, action):
    before = tables()
    response = entered.get(action)
    # Enable later has a page of its own, so a look at it leads to the open step at once.
    page = "confirm" if action == "enable/later" else action.partition("/")[0]
    assert (response.status_code, response["Location"]) == (303, entered.url(page))
    assert tables() == before


def test_the_register_page_itself_takes_no_post(begun):
    before = tables()
    assert begun.post("register", country="DE", email="a@example.org").status_code == 405
    assert tables() == before


def test_confirm_does_not_pass_by_enable():
    walk = walk_of(ready_attempt(account=CustomerAccountFactory.create()))
    before = tables()
    assert walk.post("confirm")["Location"] == walk.url("enable")
    assert tables() == before


def test_enable_is_not_offered_twice(entered):
    before = tables()
    assert entered.enable()["Location"] == entered.url("confirm")
    assert tables() == before


def test_hidden_fields_of_ones_own_change_nothing(entered):
    other = InvitationFactory.create(referral=True, partner=PartnerFactory.create())
    stranger = CustomerAccountFactory.create(enabled=True)
    attempt = entered.attempt
    response = entered.post(
        "confirm",
        partner=other.partner_id,
        partner_id=other.partner_id,
        association_type="referral",
        invitation=other.pk,
        invitation_id=other.pk,
        account=stranger.pk,
        account_id=stranger.pk,
        step="done",
        attempt=UNKNOWN,
        associated_at="2000-01-01T00:00:00Z",
        token=other.token,
    )
    assert response["Location"] == entered.url("done")
    made = Association.objects.get()
    assert (made.partner, made.association_type) == (attempt.invitation.partner, "reseller")
    assert (made.invitation, made.account) == (attempt.invitation, attempt.account)
    assert made.attempt == attempt


@pytest.mark.parametrize("verb", ["PUT", "PATCH", "DELETE", "TRACE", "OPTIONS", "NONSENSE", "LINK"])
@pytest.mark.parametrize("step", [*EVERY_STEP, *EVERY_ACTION])
def test_no_other_verb_does_anything(entered, verb, step):
    before = tables()
    response = entered.client.generic(verb, entered.url(step), b"country=DE")
    assert response.status_code == 405
    assert tables() == before


@pytest.mark.parametrize("override", ["_method", "X-HTTP-Method-Override", "X-Method-Override"])
def test_method_override_is_not_understood(entered, override):
    headers = {override: "DELETE"} if override[0] == "X" else {}
    response = entered.client.post(entered.url("check"), {"_method": "DELETE"}, headers=headers)
    assert response["Location"] == entered.url()
    assert entered.client.get(entered.url("confirm"), headers=headers).status_code == 200
    assert Association.objects.count() == 0


def test_post_without_the_forms_own_value_is_forbidden(entered):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(entered.attempt.account.owner)
    before = tables()
    for step in ("instructions", "account", "register", "check", "enable", "confirm", "switch"):
        assert strict.post(entered.url(step), FINAL).status_code == 403
    assert tables() == before


@pytest.mark.parametrize("junk", ["x", "%00", "..", "00000000-0000-4000-8000-00000000000g", "1"])
def test_address_that_is_no_attempt_is_not_found(client, junk):
    client.force_login(UserFactory.create())
    assert client.get(f"/join/{junk}/").status_code == 404
    assert client.post(f"/join/{junk}/confirm").status_code == 404


def test_customer_of_this_partner_by_another_invitation_is_led_to_my_partner():
    account = CustomerAccountFactory.create(enabled=True)
    partner = PartnerFactory.create()
    first = walk_of(ready_attempt(account=account, invitation=invite(account, partner=partner)))
    second = walk_of(ready_attempt(account=account, invitation=invite(account, partner=partner)))
    first.post("confirm")
    before = tables()
    for page in [page for page in PAGES if page != "done"]:
        response = second.get(page)
        assert (response.status_code, response["Location"]) == (303, "/account/partner/"), page
    assert second.post("confirm")["Location"] == "/account/partner/"
    assert second.enable()["Location"] == "/account/partner/"
    assert tables() == before
    assert Attempt.objects.filter(association=None).count() == 1
