"""Logging in and registering at an issuer."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.account.models import EmailAddress
from django.test import Client
from django.utils import timezone

from accounts.models import ConnectedLogin, CustomerAccount, User
from association.models import Association, Attempt
from audit.models import AuditEvent
from outbox.models import OutboxMessage
from tests.factories import (
    CustomerAccountFactory,
    InvitationFactory,
    PartnerMemberFactory,
    UserFactory,
    make_associated,
)
from tests.integration.issuer import begun_by_email, connected, go, log_in, signed_in_as
from tests.journeys.walk import ADDRESS, Walk

pytestmark = pytest.mark.django_db


def test_connected_login_opens_its_account_in_a_new_session(issuer):
    user, client = connected(issuer), Client()
    response = log_in(client, issuer, next_url="/account/settings/")
    assert (response.status_code, response["Location"]) == (302, "/account/settings/")
    assert signed_in_as(client) == str(user.pk)
    assert "issuer_flows" not in client.session


def test_authorization_request_has_state_nonce_and_challenge(issuer):
    asked = parse_qs(urlsplit(go(Client(), issuer)).query)
    assert asked["scope"] == ["openid email profile"]
    assert asked["redirect_uri"] == ["http://127.0.0.1:8000/account/issuers/cloud/callback"]
    assert {"state", "nonce", "code_challenge"} <= asked.keys()
    assert "prompt" not in asked
    registering = parse_qs(urlsplit(go(Client(), issuer, purpose="register")).query)
    assert registering["prompt"] == ["create"]


def test_documents_of_the_issuer_are_read_once(issuer):
    connected(issuer)
    for _number in range(3):
        log_in(Client(), issuer)
    counts = {path: issuer.requests.count(path) for path in issuer.requests}
    assert counts == {"/.well-known/openid-configuration": 1, "/keys": 1, "/token": 3}


def test_invited_person_registers_and_joins_without_a_password(issuer):
    walk = begun_by_email()
    issuer.claims["registered_at"] = timezone.now().isoformat()
    response = log_in(walk.client, issuer, next_url=walk.url(), purpose="register")
    assert (response.status_code, response["Location"]) == (302, walk.url())
    user = User.objects.get(email=ADDRESS)
    assert signed_in_as(walk.client) == str(user.pk)
    assert not user.has_usable_password()
    assert EmailAddress.objects.get(user=user).verified
    account = user.customer_account
    assert (account.name, account.country.code) == ("Ada Lovelace", "DE")
    attempt = walk.attempt
    assert (attempt.account, attempt.registered_at is not None) == (account, True)
    assert walk.get()["Location"] == walk.url("enable")
    assert walk.enable()["Location"] == walk.url("done")
    assert Association.objects.get().account == account
    actions = AuditEvent.objects.filter(actor=user).values_list("action", flat=True)
    assert {"account.registered", "user.login_connected"} <= set(actions)
    kinds = set(OutboxMessage.objects.values_list("kind", flat=True))
    assert {"accounts.registered", "accounts.connected_login_changed"} <= kinds


@pytest.mark.parametrize(
    ("registered", "is_new"),
    [
        pytest.param(timedelta(microseconds=1), True, id="after the attempt began"),
        pytest.param(timedelta(seconds=-1), False, id="before"),
        pytest.param(None, False, id="not told"),
    ],
)
def test_account_is_new_only_if_the_issuer_says_so(issuer, registered, is_new):
    walk = begun_by_email()
    moment = walk.attempt.started_at + registered if registered else None
    if moment:
        issuer.claims["registered_at"] = moment.isoformat()
    log_in(walk.client, issuer, next_url=walk.url())
    attempt = walk.attempt
    assert (attempt.registered_at is not None) is is_new
    assert attempt.account.registered_at == moment or not moment
    assert attempt.is_ticked_by_its_account is is_new or attempt.instructions is None


def test_seven_days_count_from_the_registration_at_the_provider(issuer):
    walk = begun_by_email()
    registered_at = timezone.now() - timedelta(days=8)
    issuer.claims["registered_at"] = registered_at.timestamp()
    log_in(walk.client, issuer, next_url=walk.url())
    assert walk.attempt.account.registered_at == registered_at
    assert walk.attempt.refusal_codes == ["registered_too_long"]


def test_registration_site_comes_from_the_issuer(issuer):
    walk = begun_by_email()
    issuer.claims["site"] = "chinese_mainland"
    log_in(walk.client, issuer, next_url=walk.url())
    assert walk.attempt.refusal_codes == ["chinese_mainland_site"]


def test_existing_account_at_the_issuer_may_not_use_a_link(issuer):
    walk = Walk(InvitationFactory.create())
    walk.begin()
    log_in(walk.client, issuer, next_url=walk.url())
    assert walk.attempt.refusal_codes == ["existing_account_not_allowed"]


def test_country_is_asked_for_where_the_issuer_does_not_tell_it(issuer):
    walk = begun_by_email()
    del issuer.claims["country"]
    page = "/account/issuers/cloud/country"
    response = log_in(walk.client, issuer, next_url=walk.url())
    assert (response.status_code, response["Location"]) == (303, page)
    assert signed_in_as(walk.client) is None
    assert ADDRESS in walk.client.get(page).content.decode()
    assert walk.client.post(page, {"country": "XX"}).status_code == 400
    assert not CustomerAccount.objects.exists()
    assert walk.client.post(page, {"country": "FR"}).status_code in (302, 303)
    assert walk.attempt.account.country.code == "FR"
    assert walk.client.get(page)["Location"] == "/account/login/"


def test_claims_that_the_token_lacks_are_asked_for(issuer):
    walk = begun_by_email()
    issuer.userinfo = {"email": issuer.claims.pop("email"), "email_verified": True}
    del issuer.claims["email_verified"]
    log_in(walk.client, issuer, next_url=walk.url())
    assert walk.attempt.account.owner.email == ADDRESS


def test_invited_member_gets_the_user_that_was_made(issuer):
    user = UserFactory.create(email=ADDRESS, password="!unusable", verified=False)
    PartnerMemberFactory.create(user=user)
    client = Client()
    response = log_in(client, issuer, next_url="/partner/")
    assert (response.status_code, response["Location"]) == (302, "/partner/")
    assert signed_in_as(client) == str(user.pk)
    assert ConnectedLogin.objects.get().user == user
    assert not CustomerAccount.objects.exists()


def test_stranger_without_an_invitation_gets_no_account(issuer):
    response = log_in(Client(), issuer)
    assert response.status_code == 409
    assert "This log-in has no account here yet." in response.content.decode()
    assert not User.objects.exists()


def test_address_of_an_account_connects_nothing(issuer):
    walk = begun_by_email()
    UserFactory.create(email=ADDRESS)
    response = log_in(walk.client, issuer, next_url=walk.url())
    assert response.status_code == 409
    page = response.content.decode()
    assert "You have an account here already" in page
    assert f"/account/login/?next={walk.url()}" in page
    assert (ConnectedLogin.objects.count(), signed_in_as(walk.client)) == (0, None)
    assert Attempt.objects.get().account is None


def test_other_subject_with_the_same_address_is_refused(issuer):
    connected(issuer, UserFactory.create(email=ADDRESS), subject="subject-0")
    client = Client()
    assert log_in(client, issuer).status_code == 409
    assert (ConnectedLogin.objects.count(), signed_in_as(client)) == (1, None)


def test_user_who_is_not_active_is_not_logged_in(issuer):
    connected(issuer, UserFactory.create(is_active=False))
    client = Client()
    assert log_in(client, issuer).status_code == 409
    assert signed_in_as(client) is None


def test_page_leads_to_no_other_site(issuer):
    connected(issuer)
    response = log_in(Client(), issuer, next_url="https://evil.example/")
    assert response["Location"] == "/account/"


def test_log_in_page_names_the_issuers_in_its_policy(issuer):
    response = Client().get("/account/login/")
    assert f"form-action 'self' {issuer.url};" in response["Content-Security-Policy"] + ";"
    assert "Continue with Cloud ID" in response.content.decode()
    other = Client().get("/join/")
    assert issuer.url not in other["Content-Security-Policy"]


def added_by_the_provider(**traits):
    owner = UserFactory.create(email=ADDRESS, password="!none", verified=False)
    return CustomerAccountFactory.create(owner=owner, external_id="acc-1", **traits)


def test_account_that_the_provider_added_is_opened_by_its_external_id(issuer):
    account, walk = added_by_the_provider(), begun_by_email()
    issuer.claims["account"] = "acc-1"
    response = log_in(walk.client, issuer, next_url=walk.url())
    assert (response.status_code, response["Location"]) == (302, walk.url())
    assert signed_in_as(walk.client) == str(account.owner_id)
    assert EmailAddress.objects.get().verified
    attempt = walk.attempt
    assert (attempt.account, attempt.registered_at) == (account, None)


@pytest.mark.parametrize(
    "used",
    [
        {"email": "other@example.org"},
        {"password": "a hash"},
        {"last_login": timezone.now()},
        {"is_staff": True},
        {"is_active": False},
    ],
)
def test_account_in_use_is_not_opened_by_its_external_id(issuer, used):
    account = added_by_the_provider()
    User.objects.filter(pk=account.owner_id).update(**used)
    issuer.claims["account"] = "acc-1"
    client = Client()
    response = log_in(client, issuer)
    assert response.status_code == 409
    assert "Your account is here already" in response.content.decode()
    assert (ConnectedLogin.objects.count(), signed_in_as(client)) == (0, None)


def test_new_account_gets_the_external_id(issuer):
    walk = begun_by_email()
    issuer.claims["account"] = 4711
    log_in(walk.client, issuer, next_url=walk.url())
    assert walk.attempt.account.external_id == "4711"


def names_of(claims, issuer, settings):
    """Log a customer in whose name has changed; return its names here, and the audit events."""
    setting = issuer.setting()
    settings.OIDC_PROVIDERS = issuer.configured(claims={**setting["claims"], **claims})
    user = connected(issuer)
    customer = make_associated(account=CustomerAccountFactory(owner=user, name="Ada Byron"))
    log_in(Client(), issuer)
    # Again, which writes nothing.
    log_in(Client(), issuer)
    customer.refresh_from_db()
    customer.account.refresh_from_db()
    events = AuditEvent.objects.filter(action="account.changed").values("before", "after", "actor")
    return (customer.account.name, customer.shown_name, customer.account.country), list(events)


def test_name_is_taken_over_at_the_log_in_where_the_setting_maps_it(issuer, settings):
    issuer.claims |= {"full": " Ada  Lovelace ", "country": "FR"}
    names, events = names_of({"name": "full"}, issuer, settings)
    assert names == ("Ada Lovelace", "Ada Lovelace", "DE")
    [event] = events
    assert (event["before"], event["after"]) == ({"name": "Ada Byron"}, {"name": "Ada Lovelace"})
    assert event["actor"] == User.objects.get(customer_account__name="Ada Lovelace").pk


@pytest.mark.parametrize(("claims", "said"), [({}, "Ada Lovelace"), ({"name": "full"}, "")])
def test_name_stays_where_no_claim_is_mapped_or_it_is_empty(issuer, settings, claims, said):
    issuer.claims |= {"name": "Ada Lovelace", "full": said}
    names, events = names_of(claims, issuer, settings)
    assert (names, events) == (("Ada Byron", "Ada Byron", "DE"), [])


def test_what_the_partner_calls_the_customer_stays(issuer, settings):
    settings.OIDC_PROVIDERS = issuer.configured(claims={"name": "name"})
    account = CustomerAccountFactory(owner=connected(issuer), name="Ada Byron")
    customer = make_associated(account=account)
    Association.objects.update(customer_name="The bakery", shown_name="The bakery")
    log_in(Client(), issuer)
    customer.refresh_from_db()
    account.refresh_from_db()
    assert (account.name, customer.shown_name) == ("Ada Lovelace", "The bakery")
