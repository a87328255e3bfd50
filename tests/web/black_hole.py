"""A TCP proxy that can swallow everything: it accepts and acknowledges, but passes nothing on."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class BlackHole:
    def __init__(self, host: str, port: int) -> None:
        self.target = host, port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.swallows = False
        self._sockets: list[socket.socket] = []

    def serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _address = self.listener.accept()
                server = socket.create_connection(self.target)
                self._sockets += [client, server]
                for source, sink in ((client, server), (server, client)):
                    threading.Thread(target=self._pass_on, args=(source, sink), daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while received := source.recv(65_536):
                if not self.swallows:
                    sink.sendall(received)
            sink.shutdown(socket.SHUT_WR)

    def close_connections(self) -> None:
        """End every connection, as a database that is restarted does."""
        for each in self._sockets:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        self._sockets.clear()


@contextmanager
def black_hole(host: str, port: int) -> Iterator[BlackHole]:
    hole = BlackHole(host, port)
    thread = threading.Thread(target=hole.serve)
    thread.start()
    try:
        yield hole
    finally:
        # Closing alone would not wake the thread that accepts.
        hole.listener.shutdown(socket.SHUT_RDWR)
        hole.listener.close()
        thread.join()
        hole.close_connections()
