"""Another program on the same NATS: it writes any bytes on any subject, past every check that Headwater's own programs make."""

from __future__ import annotations

import json
import socket
import uuid
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit


class Stranger:
    """A connection that speaks the protocol of NATS itself, since no client library sends everything that a server takes."""

    def __init__(self, url: str, *, key: str | None = None) -> None:
        address = urlsplit(url)
        assert address.hostname is not None
        self._socket = socket.create_connection((address.hostname, address.port or 4222), timeout=30)
        self._received = self._socket.makefile("rb")
        self._received.readline()
        connect = {"verbose": False, "pedantic": False, "headers": True, "name": "stranger", **({"auth_token": key} if key else {})}
        self._socket.sendall(f"CONNECT {json.dumps(connect)}\r\n".encode())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()

    def write(self, subject: str | bytes, data: bytes, *, headers: bytes = b"", reply: bytes = b"") -> None:
        """Publish a message. `headers` are as they travel, from `NATS/1.0` on."""
        words = subject.encode() if isinstance(subject, str) else subject
        words += b" " + reply if reply else b""
        if headers:
            self._socket.sendall(b"HPUB %s %d %d\r\n%s%s\r\n" % (words, len(headers), len(headers) + len(data), headers, data))
        else:
            self._socket.sendall(b"PUB %s %d\r\n%s\r\n" % (words, len(data), data))

    def store(self, subject: str, data: bytes) -> int:
        """Publish a message of a stream and return its position once it is stored; what was only written may be stored later."""
        inbox = f"_INBOX.stranger.{uuid.uuid4().hex}".encode()
        self._socket.sendall(b"SUB %s 1\r\nUNSUB 1 1\r\n" % inbox)
        self.write(subject, data, reply=inbox)
        while not (line := self._received.readline()).startswith(b"MSG "):
            assert line, "the server has closed the connection"
            assert not line.startswith(b"-ERR"), line
        stored = json.loads(self._received.read(int(line.split()[-1])))
        self._received.readline()
        assert "error" not in stored, stored
        return int(stored["seq"])

    def flush(self) -> None:
        """Return when the server has read all that was written; a stream may store it later."""
        self._socket.sendall(b"PING\r\n")
        while (line := self._received.readline()) and line != b"PONG\r\n":
            assert not line.startswith(b"-ERR"), line

    def close(self) -> None:
        self.flush()
        self._received.close()
        self._socket.close()
