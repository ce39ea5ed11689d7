"""A hub on this computer: the two kinds of addresses a download uses, with ranges and accounts, and nothing else."""

from __future__ import annotations

import hashlib
import json
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

from engine.bench.published_set import PublishedRepository

COMMIT = "0123456789abcdef0123456789abcdef01234567"
TOKEN = "rehearsal-token"


@dataclass
class LocalHub:
    """The files that are served, and how many bytes of them went out.

    Attributes:
        url: where it is.
        sent: bytes sent so far of every file, by "OWNER/NAME/FILE".
        with_token: repositories that were sent the access token.
    """

    repositories: Mapping[str, PublishedRepository]
    url: str = ""
    sent: Counter[str] = field(default_factory=Counter)
    with_token: set[str] = field(default_factory=set)

    def answer(self, path: str, wanted: str, authorization: str) -> tuple[int, bytes, dict[str, str]]:
        """Status, body and headers for a GET.

        Args:
            wanted: the Range header, "" without one.
        """
        if path.startswith("/api/models/"):
            name = path.removeprefix("/api/models/").partition("/revision/")[0]
            if name not in self.repositories:
                return 404, b"{}", {}
            return 200, json.dumps(self._metadata(name)).encode(), {"content-type": "application/json"}
        name, _, rest = path.lstrip("/").partition("/resolve/")
        repository, file = self.repositories.get(name), rest.partition("/")[2]
        if repository is None or file not in repository.files:
            return 404, b"", {}
        if authorization:
            self.with_token.add(name)
        if repository.gated and authorization != f"Bearer {TOKEN}":
            return 403, b"", {"x-error-code": "GatedRepo"}
        content = repository.files[file]
        headers = {"etag": f'"{hashlib.sha256(content).hexdigest()[:32]}"'}
        if not wanted.startswith("bytes="):
            return 200, content, headers
        first, _, last = wanted.removeprefix("bytes=").partition("-")
        start, end = int(first), min(int(last or len(content) - 1), len(content) - 1)
        return 206, content[start : end + 1], {**headers, "content-range": f"bytes {start}-{end}/{len(content)}"}

    def _metadata(self, name: str) -> dict[str, Any]:
        repository = self.repositories[name]
        siblings = []
        for file, content in repository.files.items():
            blob = hashlib.sha1(f"blob {len(content)}\0".encode() + content, usedforsecurity=False).hexdigest()
            entry: dict[str, Any] = {"rfilename": file, "size": len(content), "blobId": blob}
            if file not in repository.git_only:
                entry["lfs"] = {
                    "sha256": hashlib.sha256(content).hexdigest(),
                    "size": len(content),
                    "pointerSize": 134,
                }
            siblings.append(entry)
        return {
            "id": name,
            "modelId": name,
            "sha": COMMIT,
            "private": False,
            "tags": [],
            "gated": "auto" if repository.gated else False,
            "cardData": {"license": repository.licence},
            "siblings": siblings,
        }


@contextmanager
def serving(repositories: Mapping[str, PublishedRepository]) -> Iterator[LocalHub]:
    """Serve repositories on loopback while the block runs."""
    hub = LocalHub(repositories)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: Any) -> None:
            pass

        def do_GET(self) -> None:
            path = unquote(urlsplit(self.path).path)
            status, body, headers = hub.answer(
                path, self.headers.get("range", ""), self.headers.get("authorization", "")
            )
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            if status in (200, 206) and "/resolve/" in path:
                hub.sent[path.lstrip("/").replace(f"/resolve/{COMMIT}/", "/")] += len(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
