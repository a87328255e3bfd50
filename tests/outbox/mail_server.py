"""A real SMTP server for tests, whose faults can be switched on and off."""

import asyncio
import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


class MailServer:
    """Accepts and stores e-mails. `fault` is for all recipients, `faults` for single ones."""

    def __init__(self) -> None:
        logging.getLogger("mail.log").setLevel(logging.WARNING)
        self.host = "127.0.0.1"
        self.port = free_port()
        self.envelopes: list[Envelope] = []
        self.fault = ""
        self.faults: dict[str, str] = {}
        self.connections = 0

    @property
    def mails(self) -> list[EmailMessage]:
        return [
            message_from_bytes(envelope.content or b"", EmailMessage, policy=default)
            for envelope in self.envelopes
        ]

    @property
    def recipients(self) -> list[str]:
        return [address for envelope in self.envelopes for address in envelope.rcpt_tos]

    async def handle_EHLO(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, answers: list[str]
    ) -> list[str]:
        self.connections += 1
        session.host_name = hostname
        return answers

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        fault = self.faults.get(address, self.fault)
        if fault.isdigit():
            return f"{fault} not now, {address}"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        fault = self.faults.get(envelope.rcpt_tos[0], self.fault)
        if fault == "hang":
            await asyncio.sleep(1)
            return "451 too slow"
        self.envelopes.append(envelope)
        if fault == "drop after DATA":
            server.transport.abort()  # type: ignore[attr-defined]  # a socket has it
        return "250 OK"

    @contextmanager
    def running(self) -> Iterator[None]:
        """Listen for connections, which are refused before and afterwards."""
        controller = Controller(self, hostname=self.host, port=self.port)
        controller.start()
        try:
            yield
        finally:
            controller.stop()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
