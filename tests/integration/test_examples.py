"""The example, run as a program against a server."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone

from association.models import Association, Budget
from outbox.services.events import number_events
from partners.models import Invitation
from tests.factories import CustomerAccountFactory, PartnerFactory, make_associated
from tests.integration.calls import make_key

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
SCRIPT = Path(__file__).parents[2] / "examples" / "invite_and_unfreeze.py"
LINES = 60


def join_when_invited():
    """Be the customer: join once there is an invitation, as the pages do."""
    until = time.monotonic() + 30
    while not Invitation.objects.exists():
        assert time.monotonic() < until, "The program has made no invitation."
        time.sleep(0.1)
    invitation = Invitation.objects.select_related("partner").get()
    owner = {"owner__email": invitation.recipient}
    account = CustomerAccountFactory(enabled=True, registered_at=timezone.now(), **owner)
    make_associated(invitation=invitation, account=account)
    number_events(now=timezone.now())
    connection.close()


def run_program(url, secret):
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, SCRIPT, "ada@example.com"],
        env={**os.environ, "API_URL": f"{url}/api/v1", "API_KEY": secret},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == ""
    return done.stdout


def test_program_invites_waits_and_unfreezes_once_however_often_it_runs(live_server):
    _key, secret = make_key(PartnerFactory(), ["invitations:write", "events:read", "budgets:write"])
    customer = threading.Thread(target=join_when_invited)
    customer.start()
    shown = run_program(live_server.url, secret)
    customer.join()

    invited, joined = shown.splitlines()
    assert invited == f"Invited: {Invitation.objects.get().link}"
    assert joined.endswith("has joined and is free")
    assert Association.objects.get().reference == "CRM-4711"

    assert run_program(live_server.url, secret) == shown
    assert (Invitation.objects.count(), Budget.objects.count()) == (1, 1)


def test_program_is_short():
    assert len(SCRIPT.read_text().splitlines()) <= LINES
