"""Every column of text after an erasure: replaced, deleted, or documented as kept."""

import re
from contextlib import suppress
from pathlib import Path

import pytest
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.conf import settings
from django.db import IntegrityError, models, transaction

from accounts.models import User
from accounts.services.second_factor import reset_second_factor
from association.services.erasure import erase_account
from audit.models import AppendOnlyModel, AuditEvent
from outbox.models import OutboxMessage
from partners.models import BatchRow, Invitation, InvitationRequest, MemberInvitation
from partners.services.invitation_requests import dismiss_invitation_request
from partners.services.invitations import revoke_invitation
from partners.services.member_invitations import withdraw_member_invitation
from partners.services.members import remove_member
from tests.factories import InvitationFactory, PartnerMemberFactory, ResourceFactory, UserFactory
from tests.retention.test_erasure import CANONICAL, NOW, person, places_of

__all__ = ["person"]
pytestmark = pytest.mark.django_db

MARK = "zaphod"
DOCUMENT = Path(settings.BASE_DIR, "docs", "retention.md")
# A row of the table: | `app.Model.column` … | replaced | why |
ROW = re.compile(r"^\| (`.+`) \| (replaced|emptied|deleted|kept) \|", re.MULTILINE)
TEXTS = (models.CharField, models.TextField, models.JSONField)


def documented():
    """Return what the document says becomes of each column; `app.Model.*` are all the others."""
    found = {}
    for names, becomes in ROW.findall(DOCUMENT.read_text()):
        for name in re.findall(r"`([\w.*]+)`", names):
            assert name not in found, name
            found[name] = becomes
    return found


def columns():
    return {
        f"{model._meta.label}.{column.name}": (model, column)
        for model in apps.get_models()
        for column in model._meta.concrete_fields
        if isinstance(column, TEXTS) and not column.choices
    }


def becomes(name, table):
    return table.get(name) or table.get(f"{name.rpartition('.')[0]}.*")


def test_every_column_of_text_is_documented_and_nothing_else():
    table, known = documented(), columns()
    assert sorted(name for name in known if not becomes(name, table)) == []
    of_models = {f"{name.rpartition('.')[0]}.*" for name in known}
    assert sorted(table.keys() - known.keys() - of_models) == []


def about(model, person):
    """Return the rows of this model that are about the person."""
    rows = model._base_manager.all()
    by = {
        User: {"pk": person.pk},
        Invitation: {"recipient": CANONICAL},
        InvitationRequest: {"address": CANONICAL},
        BatchRow: {"email": CANONICAL},
        OutboxMessage: {"recipient": CANONICAL},
    }
    return rows.filter(**by.get(model, {}))


def marked(column):
    """Return the mark as a value of the column, beside what finds the rows."""
    if isinstance(column, models.JSONField):
        return {"reason": MARK, "note": MARK}
    return MARK


def mark(person):
    """Write the mark into every column that is neither unique, nor protected, nor an address."""
    for model, column in columns().values():
        is_protected = issubclass(model, AppendOnlyModel) or model._meta.label in OTHERS
        if is_protected or column.unique or column.name in FINDS_ROWS:
            continue
        rows = about(model, person)
        # Some constraints want an empty text as long as nothing has happened.
        for some in (rows, rows.exclude(**{column.name: ""})):
            with suppress(IntegrityError), transaction.atomic():
                some.update(**{column.name: marked(column)})
                break


def mark_trail(person, table):
    """Add an event for each row that is about the person, with every text that is replaced."""
    replaced = [column for name, column in columns().items() if table.get(name) == "replaced"]
    for model, rows in ((m, about(m, person)) for m in {model for model, _column in replaced}):
        names = [c.name for m, c in replaced if m is model and c.name not in FINDS_ROWS]
        values = {name: MARK for name in names if not (model is User and name == "account_name")}
        for row in () if issubclass(model, AppendOnlyModel) or not values else rows:
            AuditEvent.objects.create(
                occurred_at=NOW,
                action="test.filled",
                object_label=model._meta.label_lower,
                object_id=str(row.pk),
                before=values,
                after=values,
            )


# Their rows are about other people and things, or are not readable as they are stored.
OTHERS = {
    "association.LegalDocument",
    "partners.Partner",
    "partners.InvitationBatch",
    "auth.Permission",
    "auth.Group",
    "contenttypes.ContentType",
    "audit.Erasure",
    "audit.ShorteningProgress",
    "sessions.Session",
    "mfa.Authenticator",
}
FINDS_ROWS = {
    "registration_email",
    "address",
    "recipient",
    "email",
    "email_original",
    "about_label",
    "about_id",
}


@pytest.fixture
def filled(person):
    """The person, with the mark in every column that may have what somebody typed."""
    ResourceFactory.create(account=person.customer_account)
    request = InvitationRequest.objects.get(address=CANONICAL)
    dismiss_invitation_request(invitation_request=request, reason=MARK, by=None, now=NOW)
    mark(person)
    mark_trail(person, documented())
    return person


def test_mark_stays_only_where_the_document_says_that_texts_are_kept(filled):
    table = documented()
    found = places_of(MARK)
    gone = {name for name in table if table[name] != "kept"} & columns().keys()
    assert sorted(gone - found) == UNMARKED

    erase_account(login=CANONICAL, by=None, now=NOW)

    assert sorted(name for name in places_of(MARK) if becomes(name, table) != "kept") == []


def test_reasons_that_only_the_trail_has_are_replaced():
    user = UserFactory.create()
    member = PartnerMemberFactory.create(user=user)
    terms = {"by": UserFactory.create(staff=True), "now": NOW, "reason": MARK}
    remove_member(member=member, **terms)
    Authenticator.objects.create(user=user, type="totp", data={})
    reset_second_factor(user=user, **terms)
    revoke_invitation(
        invitation=InvitationFactory.create(channel="email", recipient=user.email), **terms
    )
    open_one = MemberInvitation.objects.create(
        partner=member.partner, address=user.email, role="manager", invited_at=NOW, expires_at=NOW
    )
    withdraw_member_invitation(invitation=open_one, **terms)
    reasons = AuditEvent.objects.filter(after__reason=MARK)
    assert sorted(reasons.values_list("action", flat=True)) == [
        "invitation.revoked",
        "member_invitation.withdrawn",
        "partner_member.deleted",
        "user.second_factor_removed",
    ]

    erase_account(login=user.email, by=None, now=NOW)

    assert places_of(MARK) == set()


# They find the rows, or are unique. `test_the_address_and_the_names_are_in_no_table` has them.
UNMARKED = [
    "accounts.User.account_name",
    "accounts.User.email",
    "accounts.User.email_original",
    "association.Attempt.registration_email",
    "outbox.Event.data",
    "outbox.OutboxMessage.recipient",
    "partners.BatchRow.email",
    "partners.Invitation.recipient",
    "partners.InvitationRequest.address",
    "partners.MemberInvitation.address",
]
