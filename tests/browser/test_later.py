"""Enable later, and go on from another browser."""

import pytest

from association.models import Association, Attempt
from tests.browser.mails import links_mailed_to
from tests.factories import InvitationFactory

pytestmark = pytest.mark.browser
ADDRESS = "new.customer@example.org"


def test_who_enables_later_goes_on_in_another_browser(new_visitor):
    invitation = InvitationFactory.create()
    phone = new_visitor(viewport={"width": 390, "height": 844})
    phone.arrive(invitation)
    phone.agree(invitation)
    phone.register(ADDRESS)
    phone.press("Enable later", "later")
    assert phone.reads("That is seven days after it was registered.")
    assert not Association.objects.exists()

    (link,) = [link for link in links_mailed_to(ADDRESS) if "/join/" in link]
    desk = new_visitor(viewport={"width": 1280, "height": 900})
    desk.open(link, "login")
    owner = Attempt.objects.get().account.owner
    desk.log_in(owner, "enable", by="account_name", variant="put-off")
    desk.enable(variant="reseller")

    assert Association.objects.get().account.owner == owner
    phone.page.reload()
    phone.look("done", variant="reseller")


def test_logging_in_alone_leads_back_to_where_it_was_left(new_visitor):
    invitation = InvitationFactory.create(referral=True)
    first = new_visitor()
    first.arrive(invitation)
    first.agree(invitation)
    first.register(ADDRESS, variant="referral")
    first.press("Enable later", "later", variant="referral")

    second = new_visitor()
    second.open("/account/login/", "login")
    second.log_in(Attempt.objects.get().account.owner, "enable", variant="referral-put-off")
    second.enable(variant="referral")

    assert Association.objects.count() == 1


def test_a_strangers_browser_is_asked_to_log_in(new_visitor):
    invitation = InvitationFactory.create()
    owner = new_visitor()
    owner.arrive(invitation)
    owner.agree(invitation)

    new_visitor().open(owner.page.url, "login")
