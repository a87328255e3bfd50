"""A label that is an address is masked for members who may not reveal addresses, everywhere."""

import pytest
from django.test import Client
from django.utils import timezone

from association.models import Association
from partners.enums import BulkKind
from partners.models import BatchRow
from partners.services.bulk_actions import choose_rows
from partners.services.mailings import draft_mailing, mail_batches, start_mailing
from tests.factories import AttemptFactory, PartnerMemberFactory, make_associated
from tests.reading_mails import write
from web.email_addresses import mask_address

pytestmark = pytest.mark.django_db

ADDRESS = "ada.lovelace@example.org"
MASKED = mask_address(ADDRESS)


@pytest.fixture
def manager():
    return PartnerMemberFactory.create()


def read(member, url, *, sent=None):
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(member.user)
    answer = client.get(url) if sent is None else client.post(url, sent)
    assert answer.status_code == 200, url
    return answer.getvalue().decode().replace("<wbr>", "")


def mailed(member):
    """Return the invitation of a mailing to somebody without a name."""
    now, person = timezone.now(), BatchRow(number=1, email=ADDRESS)
    terms = {"association_type": "reseller", "label": "Fair", "language": "en"}
    batch = draft_mailing(partner=member.partner, people=[person], by=member.user, now=now, **terms)
    start_mailing(batch=batch, subject="", note="", by=member.user, now=now)
    mail_batches(now=now)
    return batch.invitations.get()


def pages_about(invitation, member):
    """Return the address of each page and file with the invitation's label."""
    association = make_associated(invitation=invitation)
    Association.objects.filter(pk=association.pk).update(manager=member)
    attempt = AttemptFactory.create(invitation=invitation, entered=True, refused=True)
    action = choose_rows(
        member=member, kind=BulkKind.REVOKE, keys=[invitation.pk], now=timezone.now()
    )
    own = f"/partner/invitations/{invitation.pk}"
    return [
        f"/partner/invitations/?batch={invitation.batch_id}",
        *(f"{own}/", f"{own}/edit", f"{own}/revoke"),
        f"/partner/invitations/batches/{invitation.batch_id}/outcomes.csv",
        f"/partner/invitations/bulk/{action.pk}/",
        f"/partner/invitations/bulk/{action.pk}.csv",
        f"/partner/history/?invitation={invitation.pk}",
        *("/partner/history.csv", f"/partner/history/{attempt.pk}/"),
        f"/partner/customers/{association.pk}/",
    ]


def test_label_is_masked_without_the_right(manager):
    invitation = mailed(manager)
    assert invitation.label == ADDRESS
    for url in pages_about(invitation, manager):
        page = read(manager, url)
        assert ADDRESS not in page, url
        assert MASKED in page, url
    chosen = {"action": "download", "row": [invitation.pk]}
    file = read(manager, "/partner/invitations/bulk/", sent=chosen)
    assert ADDRESS not in file
    assert f'"{MASKED}","",' in file


def test_label_is_whole_with_the_right(manager):
    manager.may_see_addresses = True
    manager.save()
    invitation = mailed(manager)
    for url in pages_about(invitation, manager):
        assert ADDRESS in read(manager, url), url


def test_label_that_was_shown_masked_is_kept(manager):
    invitation = mailed(manager)
    url = f"/partner/invitations/{invitation.pk}/edit"
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(manager.user)
    for typed, stored in ((MASKED, ADDRESS), ("Ada", "Ada")):
        form = client.get(url).context["form"]
        sent = {"label": typed, "reference": "C-1", "expiry": "keep"}
        answer = client.post(url, sent | {"shown_version": form["shown_version"].value()})
        assert answer.status_code == 303
        invitation.refresh_from_db()
        assert (invitation.label, invitation.reference) == (stored, "C-1")


def test_partner_emails_mask_the_label(manager):
    attempt = AttemptFactory.create(
        invitation=mailed(manager), entered=True, refused=True, refusal_codes=["unpaid_bills"]
    )
    email = write("association.customer_refused", attempt, {"codes": ["unpaid_bills"]})
    assert ADDRESS not in email.text
    assert MASKED in email.text
