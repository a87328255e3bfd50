"""A known address at Register: the e-mail leads through the log-in back into the attempt."""

import pytest

from association.models import Association, DocumentKind
from tests.browser.mails import link_mailed_to, newest_mail_to
from tests.factories import CustomerAccountFactory, InvitationFactory

pytestmark = pytest.mark.browser


def test_the_mail_leads_back_and_the_attempt_is_completed(new_visitor):
    account = CustomerAccountFactory.create(enabled=True)
    address = account.owner.email
    invitation = InvitationFactory.create(email=True, recipient=address, partner__name="Nimbus")
    phone = new_visitor(viewport={"width": 390, "height": 844})
    phone.arrive(invitation)
    phone.agree(invitation, letter=True)
    phone.ask_for_code(address)

    assert "to become a customer of Nimbus" in newest_mail_to(address).body
    phone.open(link_mailed_to(address, "/account/login/"), "login", variant="journey")
    assert phone.heading == "Log in to become a customer of Nimbus"
    phone.log_in(account.owner, "confirm", variant="known-address")
    assert phone.page.locator("input[type=checkbox]:checked").count() == 0
    assert phone.reads("With “Associate” you agree to the Instructions for Associating (version 1)")
    phone.press("Associate", "done", variant="reseller")

    association = Association.objects.get()
    assert (association.account, association.invitation) == (account, invitation)
    [consent] = association.attempt.consents.all()
    assert consent.document.kind == DocumentKind.INSTRUCTIONS
    assert not association.authorizations.exists()
