"""The worker: sends the messages of the outbox and does long work, beside the web server."""

import signal
import threading
from argparse import ArgumentParser
from types import FrameType
from typing import Any

from django.core.mail import get_connection
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, InterfaceError, close_old_connections, connection
from django.utils import timezone

from outbox.models import OutboxMessage
from outbox.services.background import Background
from outbox.services.delivery import Courier, MailServerAway, log

POLL_SECONDS = 1.0
# How long to wait for a database or a mail server that is away, before asking again.
PAUSE_SECONDS = 3.0


class Command(BaseCommand):
    """Sends what is due, again and again, until SIGTERM or SIGINT.

    Waits for a database or a mail server that is away, at the start as well as later, and goes on
    within seconds of its return. A signal lets the message being sent finish; a second one does
    not. Any number of workers may run side by side.
    """

    help = "Send the messages of the outbox until told to stop."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Say when to end by itself."""
        ending = parser.add_mutually_exclusive_group()
        ending.add_argument("--once", action="store_true", help="send what is due now, and end")
        ending.add_argument("--drain", action="store_true", help="end when nothing waits any more")

    def handle(self, *_args: Any, once: bool, drain: bool, **_options: Any) -> None:
        """Run until a signal, or until the chosen end. With --once an absent part is an error."""
        self.stop = threading.Event()
        self.trouble = ""
        self.background = Background()
        courier = Courier(get_connection(), stopped=self.stop.is_set)
        if once:
            self.deliver_once(courier)
            return
        previous = self.listen_to_signals()
        try:
            self.deliver_until_stopped(courier, drain=drain)
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)

    def deliver_once(self, courier: Courier) -> None:
        """Send everything that is due. Raises CommandError when a part needed for it is away."""
        try:
            while self.background.work(now=timezone.now()) + courier.deliver_batch():
                pass
        except MailServerAway as away:
            raise CommandError(f"The mail server is away ({away}). Nothing is lost.") from away
        except (DatabaseError, InterfaceError) as away:
            raise CommandError(f"The database is away ({type(away).__name__}).") from away

    def deliver_until_stopped(self, courier: Courier, *, drain: bool) -> None:
        """Poll the outbox; outlive every absence of the database and the mail server."""
        log("worker.started")
        while not self.stop.is_set():
            try:
                if not connection.in_atomic_block:
                    close_old_connections()
                settled = self.background.work(now=timezone.now()) + courier.deliver_batch()
                if drain and not settled and not OutboxMessage.objects.waiting().exists():
                    break
            except MailServerAway as away:
                self.wait_out(f"mail server: {away}")
                continue
            except (DatabaseError, InterfaceError) as away:
                # Also before the tables exist, when the worker starts first.
                self.wait_out(f"database: {type(away).__name__}")
                continue
            self.note_trouble("")
            if not settled:
                self.stop.wait(POLL_SECONDS)
        log("worker.stopped")

    def wait_out(self, trouble: str) -> None:
        """Wait a little for what is away."""
        self.note_trouble(trouble)
        self.stop.wait(PAUSE_SECONDS)

    def note_trouble(self, trouble: str) -> None:
        """Log when something goes away or comes back, not at every look."""
        if trouble != self.trouble:
            log("worker.waiting" if trouble else "worker.resumed", trouble=trouble)
        self.trouble = trouble

    def listen_to_signals(self) -> dict[signal.Signals, Any]:
        """End after the current message at the first signal; return the handlers replaced."""
        if threading.current_thread() is not threading.main_thread():
            return {}
        return {
            number: signal.signal(number, self.end) for number in (signal.SIGTERM, signal.SIGINT)
        }

    def end(self, number: int, frame: FrameType | None) -> None:
        """Stop after the current message; a second signal ends at once."""
        self.stop.set()
        signal.signal(number, signal.SIG_DFL)
