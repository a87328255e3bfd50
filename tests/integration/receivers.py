"""Programs that receive webhooks: they listen on this machine, and count what reaches them."""

import socket
import socketserver
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PATIENCE = 20.0


class Receiver(ThreadingHTTPServer):
    """Answers each POST with the next of `answers`, the last one again and again."""

    daemon_threads = True

    def __init__(self, *answers):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers = list(answers) or [204]
        self.received = []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}/hook"

    @property
    def ids(self):
        return [headers["webhook-id"] for headers, _body in self.received]

    def next_answer(self):
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def handle_error(self, request, client_address):
        """A sender that gives up is what some tests want."""


class _Handler(BaseHTTPRequestHandler):
    server: Any

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append((dict(self.headers.items()), body.decode()))
        answer = self.server.next_answer()
        if callable(answer):
            answer(self)
            return
        status, headers = answer if isinstance(answer, tuple) else (answer, {})
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        """Say nothing."""


@contextmanager
def running(server):
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def receiver(*answers):
    with running(Receiver(*answers)) as server:
        yield server


class _Counted(socketserver.BaseRequestHandler):
    server: Any

    def handle(self):
        self.server.connections += 1


class Canary(socketserver.ThreadingTCPServer):
    """Counts connections on all addresses of this machine, and answers none."""

    daemon_threads = True
    address_family = socket.AF_INET6

    def __init__(self):
        super().__init__(("::", 0), _Counted)
        self.connections = 0

    def server_bind(self):
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        super().server_bind()

    @property
    def port(self):
        return self.server_address[1]


def hang(handler):
    """Answer nothing until the sender gives up."""
    handler.connection.settimeout(PATIENCE)
    handler.rfile.read(1)


def drip(handler):
    """Answer one letter of a header after the other, without end."""
    with_pause = threading.Event()
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while not with_pause.wait(0.05):
        handler.wfile.write(b"a")


def pour(handler):
    """Answer a body without end; the test reads from `sent` how much was taken."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
    handler.server.sent = 0
    while True:
        handler.server.sent += handler.connection.send(b"x" * 65_536)


def babble(handler):
    """Answer what is not HTTP."""
    handler.wfile.write(b"220 mail.example ESMTP\r\n")
