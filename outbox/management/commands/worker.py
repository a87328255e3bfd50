"""The worker: sends e-mails and webhooks and does background work, beside the web server."""

import signal
import threading
from argparse import ArgumentParser
from types import FrameType
from typing import Any

from django.core.mail import get_connection
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, InterfaceError, close_old_connections, connection
from django.utils import timezone

from outbox.services.background import Background, is_all_done
from outbox.services.delivery import MailSender, MailServerAway, log
from outbox.services.lanes import Lanes

POLL_SECONDS = 1.0
# How long to wait before the next try while the database or the mail server is away.
PAUSE_SECONDS = 3.0


class Command(BaseCommand):
    """Sends due e-mails again and again until SIGTERM or SIGINT.

    Waits while the database or the mail server is away, also at the start. The first signal lets
    the current message finish; a second one ends at once. Any number of workers may run. The lanes
    of `WORKER_LANES` have threads of their own.
    """

    help = "Send the e-mails of the outbox until a signal."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        group = parser.add_mutually_exclusive_group()
        group.add_argument("--once", action="store_true", help="send all due e-mails, then end")
        group.add_argument(
            "--drain", action="store_true", help="end when no work is left, of other workers either"
        )

    def handle(self, *_args: Any, once: bool, drain: bool, **_options: Any) -> None:
        self.stop = threading.Event()
        self.background = Background()
        self.lanes = Lanes(self.stop)
        sender = MailSender(get_connection(), stopped=self.stop.is_set)
        if once:
            self.deliver_once(sender)
            return
        previous = self.listen_to_signals()
        if not drain:
            self.lanes.start()
        try:
            self.deliver_until_stopped(sender, drain=drain)
        finally:
            self.stop.set()
            self.lanes.join()
            for number, handler in previous.items():
                signal.signal(number, handler)

    def work(self, sender: MailSender) -> int:
        return self.background.work(now=timezone.now()) + sender.deliver_batch()

    def deliver_once(self, sender: MailSender) -> None:
        try:
            while self.work(sender) + self.lanes.work():
                pass
        except MailServerAway as away:
            raise CommandError(f"The mail server is away ({away}). Nothing is lost.") from away
        except (DatabaseError, InterfaceError) as away:
            raise CommandError(f"The database is away ({type(away).__name__}).") from away

    def deliver_until_stopped(self, sender: MailSender, *, drain: bool) -> None:
        log("worker.started")
        last_trouble = ""
        while not self.stop.is_set():
            trouble, pause = "", PAUSE_SECONDS
            try:
                if not connection.in_atomic_block:
                    close_old_connections()
                processed = self.work(sender)
                if drain:
                    processed += self.lanes.work()
                if drain and not processed and is_all_done(now=timezone.now()):
                    break
                pause = 0 if processed else POLL_SECONDS
            except MailServerAway as away:
                trouble = f"mail server: {away}"
            except (DatabaseError, InterfaceError) as away:
                # Also when the worker starts before the tables exist.
                trouble = f"database: {type(away).__name__}"
            if trouble != last_trouble:
                log("worker.waiting" if trouble else "worker.resumed", trouble=trouble)
            last_trouble = trouble
            self.stop.wait(pause)
        log("worker.stopped")

    def listen_to_signals(self) -> dict[signal.Signals, Any]:
        if threading.current_thread() is not threading.main_thread():
            return {}
        return {
            number: signal.signal(number, self.stop_after_message)
            for number in (signal.SIGTERM, signal.SIGINT)
        }

    def stop_after_message(self, number: int, frame: FrameType | None) -> None:
        self.stop.set()
        signal.signal(number, signal.SIG_DFL)
