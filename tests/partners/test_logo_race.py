"""Two administrators upload a partner's logo at once, on PostgreSQL; with positive control."""

import threading

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, models
from django.test import Client

from audit.models import AuditEvent
from partners.models import Partner
from partners.services.logos import draw_logo
from tests.association.test_races import PATIENCE, at_once
from tests.factories import InvitationFactory, UserFactory
from tests.partners.test_logos import drawing, page_of, saved, typed_on
from web.admin.versions import VersionedModelForm

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]

ROUNDS = 4
FILES = [saved(drawing((900, 260))), saved(drawing((300, 280)))]


def uploads_at_once():
    """Let two administrators upload a logo each, both on pages that show none.

    Return the partner as it is stored, and the answers' statuses. A client that raised errors
    would raise those of the other thread, too.
    """
    invitation = InvitationFactory.create()
    page = page_of(invitation.partner)
    clients = [Client(raise_request_exception=False) for _file in FILES]
    for client in clients:
        client.force_login(UserFactory.create(staff=True, is_superuser=True))
    forms = [
        typed_on(client, page, logo=SimpleUploadedFile("logo.png", file, "image/png"))
        for client, file in zip(clients, FILES, strict=True)
    ]

    def send(number):
        response = clients[number].post(page, forms[number])
        if response.status_code == 500 and response.exc_info[0] is IntegrityError:
            return "half a logo"
        return response.status_code

    statuses = at_once(send, range(2))
    return Partner.objects.select_related("logo").get(pk=invitation.partner_id), statuses


def is_whole(partner):
    """Return whether the partner has exactly one of the uploaded logos, with its preview."""
    drawn = {logo.sha256: logo for logo in (draw_logo(file=file) for file in FILES)}
    logo = drawn[partner.logo_id]
    size = (partner.logo_width, partner.logo_height)
    stored = (bytes(partner.logo.picture), bytes(partner.logo.preview))
    return (size, stored) == ((logo.width, logo.height), (logo.picture, logo.preview))


def test_of_two_uploads_one_is_stored_whole_and_the_other_is_told():
    for _ in range(ROUNDS):
        partner, statuses = uploads_at_once()
        assert sorted(statuses) == [302, 409]
        winner = draw_logo(file=FILES[statuses.index(302)])
        assert partner.logo_id == winner.sha256
        assert is_whole(partner)
        [event] = AuditEvent.objects.filter(
            action="partner.logo_changed", object_id=str(partner.pk)
        )
        assert event.after["logo"] == winner.sha256
        link = partner.invitations.get().link
        page = Client().get(link.removeprefix(settings.PUBLIC_BASE_URL)).content.decode()
        preview = f"{settings.PUBLIC_BASE_URL}{partner.preview_path}"
        assert f'<meta property="og:image" content="{preview}">' in page


def test_without_the_lock_only_the_constraint_refuses_half_a_logo(monkeypatch):
    """The positive control: both compare before either has written."""
    together, clean = threading.Barrier(2), VersionedModelForm.clean

    def clean_together(form):
        cleaned = clean(form)
        together.wait(PATIENCE)
        return cleaned

    monkeypatch.setattr(VersionedModelForm, "clean", clean_together)
    monkeypatch.setattr(
        models.QuerySet, "select_for_update", lambda rows, *args, **options: rows.all()
    )
    partner, statuses = uploads_at_once()
    assert set(statuses) == {302, "half a logo"}
    assert is_whole(partner)
