"""A server that speaks Redis's protocol and can refuse, answer slowly, or answer nonsense."""

import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

OK = b"+OK\r\n"
HELLO = b"%1\r\n$5\r\nproto\r\n:3\r\n"


class FakeRedis(socketserver.ThreadingTCPServer):
    """Answers every command well, until `answer` or `pause` is set."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Conversation)
        # The answer to each command; with `also_handshake` those that begin a connection as well.
        self.answer: bytes | None = None
        self.also_handshake = False
        # Seconds before each answer, and between its bytes.
        self.pause = self.pause_between_bytes = 0.0
        self.values: dict[bytes, bytes] = {}

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.server_address[1]}"

    def answer_to(self, name: bytes, arguments: list[bytes]) -> bytes:
        is_handshake = name in {b"HELLO", b"CLIENT", b"SELECT"}
        if self.answer is not None and (self.also_handshake or not is_handshake):
            return self.answer
        if name == b"HELLO":
            return HELLO
        if name == b"EVALSHA":
            # A counter with one use, in a window that has long to go.
            return b"*2\r\n:9000000000\r\n:1\r\n"
        if name == b"GET":
            value = self.values.get(arguments[0])
            return b"_\r\n" if value is None else b"$%d\r\n%b\r\n" % (len(value), value)
        if name == b"SET":
            self.values[arguments[0]] = arguments[1]
        return OK


class Conversation(socketserver.StreamRequestHandler):
    server: FakeRedis

    def handle(self) -> None:
        while header := self.rfile.readline():
            parts = [self._read_part() for _ in range(int(header[1:]))]
            time.sleep(self.server.pause)
            answer = self.server.answer_to(parts[0].upper(), parts[1:])
            try:
                self._write(answer)
            except OSError:
                return

    def _read_part(self) -> bytes:
        length = int(self.rfile.readline()[1:])
        return self.rfile.read(length + 2)[:-2]

    def _write(self, answer: bytes) -> None:
        if not self.server.pause_between_bytes:
            self.wfile.write(answer)
            return
        for byte in answer:
            self.wfile.write(bytes([byte]))
            time.sleep(self.server.pause_between_bytes)


@contextmanager
def serving() -> Iterator[FakeRedis]:
    with FakeRedis() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
