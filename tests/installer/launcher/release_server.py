"""A place of releases on this computer, as a web server would serve them."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class _Handler(SimpleHTTPRequestHandler):
    def __init__(self, *arguments: object, asked: list[str], **keywords: object) -> None:
        self._asked = asked
        super().__init__(*arguments, **keywords)

    def do_GET(self) -> None:
        self._asked.append(self.path)
        super().do_GET()

    def log_message(self, *_: object) -> None:
        pass


class ReleaseServer:
    """A place of releases.

    Attributes:
        folder: what it serves.
        url: of its ``latest.json``.
        asked: paths of all requests.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.asked: list[str] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, asked=self.asked, directory=str(folder)))
        self.url = f"http://127.0.0.1:{self.server.server_port}/latest.json"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()

    def announce(self, version: str, **changes: object) -> None:
        """Serve an archive with one file of the program, and say that it is the newest."""
        name = f"echogen-{version}.tar.gz"
        with tarfile.open(self.folder / name, "w:gz") as tar:
            for file, text in (("main.py", ""), ("engine/version.py", f'__version__ = "{version}"\n')):
                entry = tarfile.TarInfo(f"echogen-{version}/{file}")
                entry.size = len(text)
                tar.addfile(entry, io.BytesIO(text.encode()))
        data = (self.folder / name).read_bytes()
        announced = {
            "version": version,
            "news": {"en": "It flies.", "zh_CN": "它会飞。"},
            "archive": name,
            "size": len(data),
            "sha256": hashlib.sha256(data).hexdigest(),
            **changes,
        }
        (self.folder / "latest.json").write_text(json.dumps(announced), encoding="utf-8")

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
