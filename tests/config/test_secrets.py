"""Another SECRET_KEY: what the earlier one has signed is accepted while it is a fallback."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.enums import CodePurpose
from accounts.services.codes import check_code, derive_code, send_code
from tests.factories import UserFactory
from web.refused import Refused

KEY = "key-of-tomorrow-0123456789-0123456789-0123456789"


@pytest.fixture(params=[True, False], ids=["fallback", "forgotten"])
def change_key(request, settings):
    def change():
        settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY] if request.param else []
        settings.SECRET_KEY = KEY
        return request.param

    return change


@pytest.mark.django_db
def test_sessions(change_key):
    client = Client()
    client.force_login(UserFactory.create())
    is_accepted = change_key()

    answers = [client.get(reverse("account_settings")).status_code for _ in range(2)]
    assert answers == ([200, 200] if is_accepted else [302, 302])


@pytest.mark.django_db(transaction=True)
def test_verification_codes(change_key):
    flow = {"email": "ann@example.org", "purpose": CodePurpose.REGISTER, "flow": "f"}
    row = send_code(language="en", now=timezone.now(), **flow).row
    code = derive_code(row, None)
    is_accepted = change_key()

    try:
        check_code(code=code, now=timezone.now(), **flow)
    except Refused:
        assert not is_accepted
    else:
        assert is_accepted
