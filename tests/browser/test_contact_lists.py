"""Inviting the people of an address book: template, upload, report, sending."""

import pytest
from django.utils import timezone

from outbox.models import OutboxMessage
from partners.services.mailings import mail_batches
from tests.factories import InvitationFactory, PartnerMemberFactory
from tests.partners.test_contact_files import FOLDER

pytestmark = pytest.mark.browser

FORM = "/partner/invitations/email/many"


@pytest.fixture
def manager(visitor):
    member = PartnerMemberFactory.create()
    visitor.open("/account/login/", "login")
    visitor.log_in(member.user, "Overview", variant="console-of-manager")
    return member


def upload(visitor, name, page, *, status=200, variant=""):
    visitor.open(FORM, "Invite many by e-mail")
    visitor.page.locator("[name=people_file]").set_input_files(FOLDER / name)
    visitor.press("Check the list", page, status=status, variant=variant)


def test_contacts_of_an_address_book_are_invited(visitor, manager):
    InvitationFactory.create(partner=manager.partner, email=True, recipient="lukas@example.com")
    upload(visitor, "workbook.xlsx", "Invite many by e-mail", status=400, variant="workbook")
    upload(visitor, "google-contacts.csv", "List of .*", variant="google")
    assert visitor.reads("2 people can be invited. 1 row cannot be used")
    assert visitor.reads("Neither mailed nor stored: “\u2068Notes\u2069”")
    visitor.page.get_by_text("See all columns").click()
    visitor.look("List of .*", variant="google-columns")
    visitor.tick("invites_again")
    visitor.press("Send the invitations", "List of .*", variant="google-started")
    mail_batches(now=timezone.now())

    mailed = OutboxMessage.objects.filter(kind="partners.invitation")
    assert sorted(mailed.values_list("recipient", flat=True)) == [
        "ana@example.com",
        "brandt@example.org",
        "lukas@example.com",
    ]


def test_template_is_downloaded_filled_in_and_uploaded(visitor, manager):
    visitor.open(FORM, "Invite many by e-mail")
    with visitor.page.expect_download() as download:
        visitor.page.get_by_role("link", name="Download a template").click()
    content = download.value.path().read_bytes()
    filled = content + b"Bo Berg,bo@example.org,Sweden,Hello Bo,C-1002\r\n"
    file = {"name": "people.csv", "mimeType": "text/csv", "buffer": filled}
    visitor.page.locator("[name=people_file]").set_input_files(file)
    visitor.press("Check the list", "List of .*", variant="template")
    assert visitor.reads("1 person can be invited. 1 row cannot be used")
    assert visitor.reads("This is the example of the template.")
    assert visitor.reads("> Hello Bo")
