"""Who may open which address: everything needs a log-in but what is listed here."""

import pytest
from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponse
from django.urls import path

from tests.conventions.routes import Route, routes

# Read before the log-in by anyone: a route belongs here only when a stranger must see it.
PUBLIC = {
    # the invitation and the journey until there is an account
    "front",
    "landing",
    "first_instructions",
    "first_account",
    "malformed_invitation",
    "enter_by_hand",
    "document",
    "join_resume",
    "join_instructions",
    "join_account",
    "join_ask",
    "join_switch",
    "join_register",
    "join_send_code",
    "join_change_address",
    "join_create_account",
    # the journey's later steps: their gatekeeper sends strangers to the log-in
    "join_check",
    "join_tell_partner",
    "join_enable",
    "join_enable_later",
    "join_calendar",
    "join_confirm",
    "join_done",
    # refusing invitations by e-mail, with a signed address
    "unsubscribe",
    "unsubscribe_now",
    "subscribe_again",
    # logging in, and a forgotten password
    "account_login",
    "account_logout",
    "account_prove_mailbox",
    "account_send_log_in_code",
    "account_send_new_log_in_code",
    "mfa_authenticate",
    # logging in at an issuer, and the country that it did not tell
    "issuer_start",
    "issuer_callback",
    "issuer_country",
    "account_reset_password",
    "account_confirm_password_reset_code",
    # pictures on public pages and in e-mails
    "logo",
    "logo_preview",
    # the page about the API, and its document
    "api",
    "openapi",
    # machines
    "livez",
    "readyz",
    "robots",
    "security_txt",
    # the demo's own pages; 404 outside the demo
    "demo",
    "demo_log_in",
    "demo_mailbox",
    "demo_mail_as_html",
    # the admin sends strangers to the log-in
    "admin:login",
}
# allauth's pages that write on GET or make users with an unproven address.
NEVER_MOUNTED = {
    "account_signup",
    "account_signup_by_passkey",
    "account_email",
    "account_confirm_email",
    "account_email_verification_sent",
    "account_reset_password_from_key",
    "account_inactive",
}


def public(found: list[Route]) -> set[str]:
    found = [route for route in found if not route.needs_key]
    return {route.name or route.pattern for route in found if route.is_public}


def test_public_routes_are_the_listed_ones():
    assert public(list(routes())) == PUBLIC


def test_no_page_of_allauth_that_makes_unproven_users_is_mounted():
    found = list(routes())

    assert {route.name for route in found} & NEVER_MOUNTED == set()
    mounted = {route.view.__module__ for route in found}
    assert [module for module in mounted if module.startswith("allauth.socialaccount")] == []


@login_not_required
def anyone(request):
    return HttpResponse("Hello")


urlpatterns = [path("hello/", anyone, name="hello")]


@pytest.mark.urls(__name__)
def test_a_public_route_is_noticed():
    assert public(list(routes())) == {"hello"}
