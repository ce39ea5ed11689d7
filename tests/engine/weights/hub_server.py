"""A hub on this computer that misbehaves in every way servers do.

It answers the two kinds of addresses the program uses, ``/api/models/OWNER/NAME`` and ``/OWNER/NAME/resolve/COMMIT/FILE``.
Faults are queued per file and used up one by one; after them it behaves.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import socket
import threading
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Repository:
    files: dict[str, bytes]
    licence: str = "apache-2.0"
    gated: bool = False
    git_only: tuple[str, ...] = ()  # names given with git's hash instead of SHA-256, as the hub does for small files


@dataclass
class Request:
    """What a client asked for."""

    path: str
    headers: dict[str, str]
    sent: int = 0  # bytes of the body that went out

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


Fault = Callable[["_Handler", bytes, dict[str, str]], None]


@dataclass
class FakeHub:
    repositories: dict[str, Repository] = field(default_factory=dict)
    token: str = "secret-token"

    def __post_init__(self) -> None:
        self.faults: dict[str, deque[Fault]] = defaultdict(deque)
        self.gates: dict[str, threading.Event] = {}
        self.metadata_faults: deque[Fault] = deque()
        self.requests: list[Request] = []
        self.etag_suffix = ""
        self.ranges = True
        self.says_open = False  # it calls its gated repositories open
        self.released = threading.Event()  # stalled answers wait for it
        self.connections: list[socket.socket] = []
        self.slow = 0.0  # seconds between blocks of 4 KB

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False
            hub = self

            def process_request(self, request, address):
                self.hub.connections.append(request)
                super().process_request(request, address)

            def handle_error(self, request, address):
                pass  # clients that go away are what is tested

        self._server = Server(("127.0.0.1", 0), _Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self.released.set()
        for gate in self.gates.values():
            gate.set()
        self._server.shutdown()
        self._server.server_close()
        for connection in self.connections:  # clients keep them open; their threads would wait for ever
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)

    def fail(self, name: str, *faults: Fault) -> None:
        self.faults[name].extend(faults)

    def hold(self, path: str) -> threading.Event:
        """Answer nothing for OWNER/NAME/FILE until the gate that is returned is set; what was asked before is hung up on."""
        return self.gates.setdefault(path, threading.Event())

    def asked(self, name: str) -> list[Request]:
        return [request for request in self.requests if request.name == name]

    def sent(self, name: str) -> int:
        """Bytes of a file's content that went out in all."""
        return sum(request.sent for request in self.asked(name))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: ThreadingHTTPServer

    @property
    def hub(self) -> FakeHub:
        return self.server.hub  # type: ignore[attr-defined]

    def log_message(self, *_):
        pass

    def do_GET(self):
        path = unquote(urlsplit(self.path).path)
        self.record = Request(path, {name.lower(): value for name, value in self.headers.items()})
        self.hub.requests.append(self.record)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            if path.startswith("/api/models/"):
                self._metadata(path.removeprefix("/api/models/"))
            elif "/resolve/" in path:
                self._file(path)
            else:
                self.answer(404, b"")

    def _metadata(self, path: str) -> None:
        name = path.partition("/revision/")[0]
        repository = self.hub.repositories.get(name)
        if self.hub.metadata_faults:
            self.hub.metadata_faults.popleft()(self, b"{}", {})
            return
        if repository is None:
            self.answer(401, b"{}", {"x-error-code": "RepoNotFound"})
            return
        siblings = []
        for file, content in repository.files.items():
            blob = hashlib.sha1(f"blob {len(content)}\0".encode() + content).hexdigest()
            entry = {"rfilename": file, "size": len(content), "blobId": blob}
            if file not in repository.git_only:
                sha256 = hashlib.sha256(content).hexdigest()
                entry["lfs"] = {"sha256": sha256, "size": len(content), "pointerSize": 134}
            siblings.append(entry)
        data = {
            "id": name,
            "modelId": name,
            "sha": COMMIT,
            "private": False,
            "tags": [],
            "gated": "manual" if repository.gated and not self.hub.says_open else False,
            "cardData": {"license": repository.licence},
            "siblings": siblings,
        }
        self.answer(200, json.dumps(data).encode(), {"content-type": "application/json"})

    def _file(self, path: str) -> None:
        repository_name, _, rest = path.lstrip("/").partition("/resolve/")
        commit, _, file = rest.partition("/")
        repository = self.hub.repositories.get(repository_name)
        if repository is None or commit != COMMIT or file not in repository.files:
            self.answer(404, b"")
            return
        if repository.gated and self.headers.get("authorization") != f"Bearer {self.hub.token}":
            self.answer(403, b"", {"x-error-code": "GatedRepo"})
            return
        gate = self.hub.gates.get(f"{repository_name}/{file}")
        if gate is not None and not gate.is_set():
            gate.wait(60)
            self.close_connection = True
            return
        content = repository.files[file]
        etag = f'"{hashlib.md5(content).hexdigest()}{self.hub.etag_suffix}"'
        faults = self.hub.faults[file.rpartition("/")[2]]
        if faults:
            faults.popleft()(self, content, {"etag": etag})
        else:
            self.serve(content, {"etag": etag})

    # What faults are made of

    def wanted(self, content: bytes, headers: dict[str, str]) -> tuple[int, bytes, dict[str, str]]:
        """Status, body and headers of a right answer."""
        asked = self.headers.get("range", "")
        if_range = self.headers.get("if-range")
        if not self.hub.ranges or not asked.startswith("bytes=") or (if_range and if_range != headers.get("etag")):
            return 200, content, headers
        first, _, last = asked.removeprefix("bytes=").partition("-")
        start, end = int(first), min(int(last or len(content) - 1), len(content) - 1)
        if start > end:
            return 416, b"", {"content-range": f"bytes */{len(content)}"}
        return 206, content[start : end + 1], {**headers, "content-range": f"bytes {start}-{end}/{len(content)}"}

    def serve(self, content: bytes, headers: dict[str, str]) -> None:
        self.answer(*self.wanted(content, headers))

    def answer(
        self, status: int, body: bytes, headers: dict[str, str] | None = None, length: int | None = None
    ) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body) if length is None else length))
        self.end_headers()
        self.body(body)

    def body(self, body: bytes) -> None:
        size = 4096 if self.hub.slow else 65536
        for start in range(0, len(body), size):
            block = body[start : start + size]
            self.wfile.write(block)
            self.wfile.flush()
            self.record.sent += len(block)
            if self.hub.slow:
                threading.Event().wait(self.hub.slow)


# Faults


def cut(share: float) -> Fault:
    """Close the connection after this share of the file was sent."""

    def fault(handler: _Handler, content: bytes, headers: dict[str, str]) -> None:
        status, body, headers = handler.wanted(content, headers)
        start = len(content) - len(body) if status == 206 else 0
        handler.answer(status, body[: max(0, int(len(content) * share) - start)], headers, len(body))
        handler.close_connection = True

    return fault


def stall(share: float) -> Fault:
    """Fall silent after this share of the answer."""

    def fault(handler: _Handler, content: bytes, headers: dict[str, str]) -> None:
        status, body, headers = handler.wanted(content, headers)
        handler.answer(status, body[: int(len(body) * share)], headers, len(body))
        handler.hub.released.wait(30)
        handler.close_connection = True

    return fault


def status(code: int, **headers: str) -> Fault:
    """Answer with an error."""

    def fault(handler: _Handler, content: bytes, _: dict[str, str]) -> None:
        handler.answer(code, b"no", {name.replace("_", "-"): value for name, value in headers.items()})

    return fault


def other_length(extra: int) -> Fault:
    """Announce and send a longer (or shorter) file."""

    def fault(handler: _Handler, content: bytes, headers: dict[str, str]) -> None:
        handler.serve(content + b"x" * extra if extra > 0 else content[:extra], headers)

    return fault


def wrong_bytes(position: int) -> Fault:
    """Send a file with one byte changed."""

    def fault(handler: _Handler, content: bytes, headers: dict[str, str]) -> None:
        changed = bytearray(content)
        changed[position] ^= 1
        handler.serve(bytes(changed), headers)

    return fault


def redirect(url: str) -> Fault:
    """Send the client elsewhere."""

    def fault(handler: _Handler, content: bytes, _: dict[str, str]) -> None:
        handler.answer(302, b"", {"location": url})

    return fault


def whole(handler: _Handler, content: bytes, headers: dict[str, str]) -> None:
    """Ignore the range that was asked for."""
    handler.answer(200, content, headers)


def other_range(handler: _Handler, content: bytes, headers: dict[str, str]) -> None:
    """Answer with another range than asked for."""
    handler.answer(206, content[10:20], {**headers, "content-range": f"bytes 10-19/{len(content)}"})


def compressed(handler: _Handler, content: bytes, headers: dict[str, str]) -> None:
    """Say that the content is compressed, although that was refused."""
    handler.answer(200, content, {**headers, "content-encoding": "gzip"})


def hang_up(handler: _Handler, content: bytes, headers: dict[str, str]) -> None:
    """Close without a word."""
    handler.close_connection = True
