"""An invited person joins with the log-in of an issuer that others wrote, and meets no password."""

import re

import pytest
from django.utils import timezone

from accounts.models import ConnectedLogin
from association.models import Association
from tests.factories import InvitationFactory
from tests.integration.other_issuers import configured, mock, toolkit

pytestmark = [pytest.mark.browser, pytest.mark.slow]
ADDRESS = "new.customer@example.org"
PERSON = {"email": ADDRESS, "email_verified": True, "name": "Ada Lovelace", "country": "DE"}


def confirm_at_mock(visitor):
    """Say who logs in, on the issuer's own page."""
    visitor.page.wait_for_url(f"{visitor.issuer}/**")
    with visitor.page.expect_navigation():
        visitor.page.get_by_role("button", name="ada", exact=True).click()


def pass_toolkit(_visitor):
    """Do nothing: its one user is logged in there, and it needs no consent."""


@pytest.mark.parametrize(
    ("kind", "log_in_there"), [(mock, confirm_at_mock), (toolkit, pass_toolkit)]
)
def test_invited_person_joins_without_a_password(visitor, settings, kind, log_in_there):
    settings.PASSWORD_LOGIN = False
    invitation = InvitationFactory.create(email=True, recipient=ADDRESS)
    visitor.arrive(invitation)
    visitor.agree(invitation, letter=True)
    # Registered there after the attempt began: this person has ticked the letter as well.
    with kind({**PERSON, "registered_at": timezone.now().isoformat()}) as row:
        settings.OIDC_PROVIDERS = configured(row)
        join(visitor, settings.OIDC_PROVIDERS[0], log_in_there)

    association = Association.objects.get()
    assert association.account.owner.email == ADDRESS
    assert association.account.freezes.open().count() == 1
    assert association.authorizations.count() == 1
    assert ConnectedLogin.objects.get().user == association.account.owner
    assert visitor.reads("Your account is frozen")


def join(visitor, issuer, log_in_there):
    """Go from the choice of account to Done, over the issuer."""
    [visitor.issuer] = issuer.origins
    # The style sheet of the mock's page is on another host, which tests do not ask.
    visitor.context.route(
        re.compile("^https:"), lambda route: route.fulfill(content_type="text/css")
    )
    visitor.open(visitor.page.url, "account", variant=issuer.id)
    asks_for_no_password(visitor)
    visitor.press("Register for Association", "register", variant=issuer.id)
    asks_for_no_password(visitor)
    visitor.button("Register with Other Cloud").click()
    log_in_there(visitor)
    visitor.page.wait_for_url("**/enable")
    visitor.look("enable", variant=issuer.id)
    asks_for_no_password(visitor)
    visitor.enable(variant=issuer.id)
    asks_for_no_password(visitor)
    assert visitor.step == "done"


def asks_for_no_password(visitor):
    assert visitor.page.locator("input[type=password]").count() == 0
    assert "password" not in visitor.page.locator("body").inner_text().lower()
