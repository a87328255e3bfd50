"""How many invitation e-mails one worker sends in a second, to a mail server of another process."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from django.core.mail import get_connection
from django.utils import timezone

from outbox.models import OutboxMessage
from outbox.services.delivery import MailSender
from partners.models import Invitation, Partner
from partners.services.invitation_drafts import enqueue_invitation_emails
from partners.tokens import new_token

ROUNDS = 7
EMAILS = 300
PORT = 8466
_SINK = f"""
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Sink
import time
Controller(Sink(), hostname="127.0.0.1", port={PORT}).start()
time.sleep(86_400)
"""


@contextmanager
def sink() -> Iterator[None]:
    """Run a mail server that forgets every e-mail."""
    with subprocess.Popen([sys.executable, "-c", _SINK]) as process:  # noqa: S603 - our own program
        try:
            for _ in range(100):
                with suppress(OSError), socket.create_connection(("127.0.0.1", PORT)):
                    break
                time.sleep(0.1)
            yield
        finally:
            process.terminate()


def send_some() -> tuple[float, float]:
    """Return how many e-mails were sent in a second, and the worker's CPU milliseconds of one."""
    now = timezone.now()
    partner = Partner.objects.create(
        name="Bench & Sons",
        slug=f"bench-{new_token()[:12]}",
        legal_name="Bench & Sons Ltd.",
        country="IE",
        support_email="support@bench.example",
    )
    invitations = Invitation.objects.bulk_create(
        Invitation(
            partner=partner,
            channel="email",
            association_type="reseller",
            label="Bench",
            token=new_token(),
            recipient=f"{number}@bench.example",
            max_uses=1,
            created_at=now,
            mailed_at=now,
        )
        for number in range(EMAILS)
    )
    enqueue_invitation_emails(invitations, now=now, is_bulk=True)
    backend = "django.core.mail.backends.smtp.EmailBackend"
    sender = MailSender(get_connection(backend, host="127.0.0.1", port=PORT, timeout=10))
    began, cpu = time.perf_counter(), time.process_time()
    while sender.deliver_batch():
        pass
    seconds, used = time.perf_counter() - began, time.process_time() - cpu
    if OutboxMessage.objects.waiting().exists():
        raise RuntimeError("Not all e-mails were sent.")
    return EMAILS / seconds, used * 1000 / EMAILS


def measure() -> Iterator[str]:
    with sink():
        send_some()
        rounds = sorted(send_some() for _ in range(ROUNDS))
    rate, cpu = rounds[ROUNDS // 2]
    yield f"| invitation e-mails a second, one worker (median of {ROUNDS}) | CPU ms of one |"
    yield "|---|---|"
    yield f"| {rate:.0f} ({rounds[0][0]:.0f}–{rounds[-1][0]:.0f}) | {cpu:.1f} |"
    yield f"\nLoad of the machine: {os.getloadavg()[0]:.1f}."
