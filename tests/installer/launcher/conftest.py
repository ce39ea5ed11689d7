"""A program folder with a list of two tiny packages, and a package index on this computer that serves them and others."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import ssl
import threading
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

import pytest
from packaging.utils import canonicalize_name
from uv import find_uv_bin

from installer.launcher.places import INSTALLED, Places

NAMES = ("shiboken6", "thing")  # the first one belongs to the set-up window


def make_wheel(
    folder: Path,
    name: str,
    size: int = 40_000,
    *,
    version: str = "1.0",
    tag: str = "py3-none-any",
    requires: Sequence[str] = (),
) -> Path:
    """A package with one module and some data, as its own tools would write it."""
    name = name.replace("-", "_")
    files = {f"{name}.py": b"value = 1\n", f"{name}_data.bin": hashlib.sha256(name.encode()).digest() * (size // 32)}
    info = f"{name}-{version}.dist-info"
    about = [f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}", *(f"Requires-Dist: {one}" for one in requires)]
    files[f"{info}/METADATA"] = ("\n".join(about) + "\n").encode()
    files[f"{info}/WHEEL"] = f"Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: {tag}\n".encode()
    rows = []
    for path, data in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        rows.append(f"{path},sha256={digest},{len(data)}")
    files[f"{info}/RECORD"] = "\n".join([*rows, f"{info}/RECORD,,", ""]).encode()
    wheel = folder / f"{name}-{version}-{tag}.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, data in files.items():
            archive.writestr(path, data)
    return wheel


@dataclass
class Index:
    """A simple package index over HTTP.

    Attributes:
        files: name → bytes.
        builds: the same for a page of links at ``/builds/``, as PyTorch's builds have; no part of the index itself.
        cut: bytes after which each of the next connections to a file ends.
        asked: (path, Range header or "") of every request.
        ranges: False sends everything again whatever was asked.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    builds: dict[str, bytes] = field(default_factory=dict)
    cut: list[int] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)
    ranges: bool = True
    url: str = ""


class _Handler(BaseHTTPRequestHandler):
    index: Index

    def do_GET(self) -> None:
        index, path = self.index, urlsplit(self.path).path  # a proxy is asked for whole addresses
        index.asked.append((path, self.headers.get("Range", "")))
        if path.startswith("/simple/"):
            name = path.removeprefix("/simple/").strip("/")
            files = [
                {
                    "filename": file,
                    "url": f"{index.url}/files/{file}",
                    "hashes": {"sha256": hashlib.sha256(data).hexdigest()},
                    "size": len(data),
                }
                for file, data in index.files.items()
                if canonicalize_name(file.partition("-")[0]) == name
            ]
            versions = sorted({file["filename"].split("-")[1] for file in files})
            page = {"meta": {"api-version": "1.1"}, "name": name, "versions": versions, "files": files}
            self._answer(200 if files else 404, json.dumps(page).encode(), "application/vnd.pypi.simple.v1+json")
            return
        if path == "/builds/":
            links = (f'<a href="{index.url}/files/{quote(file)}">{file}</a>' for file in index.builds)
            self._answer(200, "".join(links).encode(), "text/html")
            return
        data = (index.files | index.builds).get(unquote(path.removeprefix("/files/")))
        if data is None:
            self._answer(404, b"")
            return
        first = 0
        if index.ranges and (wanted := self.headers.get("Range")):
            first = int(wanted.removeprefix("bytes=").partition("-")[0])
        self._answer(206 if first else 200, data[first:], cut=index.cut.pop(0) if index.cut else None)

    def do_HEAD(self) -> None:
        self._answer(405, b"")  # whoever wants to know what a file needs reads all of it

    def _answer(self, code: int, data: bytes, kind: str = "application/octet-stream", cut: int | None = None) -> None:
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Accept-Ranges", "bytes")
        self.end_headers()
        self.wfile.write(data[:cut])

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(autouse=True)
def nothing_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The launcher writes there; no test hands that on to the next."""
    monkeypatch.setenv(INSTALLED, "")


@pytest.fixture
def index() -> Iterator[Index]:
    index = Index()
    with serve(index) as index.url:
        yield index


@contextlib.contextmanager
def serve(index: Index, certificate: Path | None = None) -> Iterator[str]:
    """Serve an index on this computer; over TLS where there is a certificate (with its key in the same file). Gives its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"index": index}))
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        # The handshake belongs to the connection's own thread: a client that ends it must not end the server.
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        server.handle_error = lambda *_: None  # type: ignore[method-assign]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"{'https' if certificate else 'http'}://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def program(tmp_path: Path, index: Index, monkeypatch: pytest.MonkeyPatch) -> Places:
    """A program folder whose name needs quoting, with a list for this kind of machine."""
    uv = find_uv_bin()  # of the package in the test extra
    root = tmp_path / "the program's 100% $folder 日本"
    locks = root / "installer" / "locks"
    locks.mkdir(parents=True)
    (tmp_path / "wheels").mkdir()
    lines = []
    for name in NAMES:
        wheel = make_wheel(tmp_path / "wheels", name)
        index.files[wheel.name] = wheel.read_bytes()
        lines.append(f"{name}==1.0 \\\n    --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n")
    (locks / "test.txt").write_text("".join(lines), encoding="utf-8")
    monkeypatch.setattr("installer.launcher.setup.choose_lock", lambda folder, backend: folder / "test.txt")
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ECHOGEN_TORCH", "UV_FIND_LINKS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("ECHOGEN_PACKAGES", f"{index.url}/simple")
    monkeypatch.setenv("ECHOGEN_BACKEND", "cpu")
    monkeypatch.setenv("ECHOGEN_UV", uv)
    return Places.standard(root)
