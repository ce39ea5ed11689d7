"""One window per user: a second start hands its photos to the first one and ends.

A lock file in the data folder decides who is first; a local socket carries the file names. Only the same user may connect,
and what arrives is a short list of paths, nothing else.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QLockFile, QObject, Signal, Slot
from PySide6.QtNetwork import QLocalServer, QLocalSocket

from engine import is_text

log = logging.getLogger(__name__)

PROTOCOL = 1
_LONGEST = 64 * 1024
_MOST_FILES = 64


class SingleInstance(QObject):
    """Claims the place of the first instance, or talks to it.

    Args:
        data: the data folder; instances with different ones do not know of each other.

    Signals:
        received(object): list of paths another start was given; empty means "come to the front".
    """

    received = Signal(object)

    def __init__(self, data: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.name = f"echogen-{PROTOCOL}-{hashlib.sha256(os.fsencode(data)).hexdigest()[:16]}"
        self._lock = QLockFile(str(self._lock_file(data)))
        self._lock.setStaleLockTime(0)  # only a dead owner makes it stale, however long the window is open
        self._server: QLocalServer | None = None
        self._pieces: dict[QLocalSocket, bytes] = {}

    def _lock_file(self, data: Path) -> Path:
        """In the data folder; among the temporary files where that cannot be made, or has a name Qt cannot write."""
        try:
            data.mkdir(parents=True, exist_ok=True)
            usable = os.access(data, os.W_OK)
        except OSError as error:
            log.warning("the data folder cannot be made: %s", error)
            usable = False
        return (
            data / "instance.lock"
            if usable and is_text(str(data))
            else Path(tempfile.gettempdir(), f"{self.name}.lock")
        )

    def claim(self) -> bool:
        """Become the first instance; False when there is one already. Where no lock can be written, the socket decides."""
        if not self._lock.tryLock(0) and (
            self._lock.error() == QLockFile.LockError.LockFailedError or self._is_answered()
        ):
            return False
        QLocalServer.removeServer(self.name)  # of an instance that crashed
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._connected)
        if not self._server.listen(self.name):
            log.warning("other starts cannot reach this window: %s", self._server.errorString())
        return True

    def _is_answered(self) -> bool:
        socket = QLocalSocket()
        socket.connectToServer(self.name)
        answered = socket.waitForConnected(500)
        socket.abort()
        return answered

    def hand_over(self, files: Sequence[Path], timeout_ms: int = 2000, answer_ms: int = 20_000) -> bool:
        """Give files to the first instance. False when it does not answer.

        Args:
            timeout_ms: how long a connection may take.
            answer_ms: how long the answer may: the first instance listens before its window is built, and answers after.
        """
        socket = QLocalSocket()
        socket.connectToServer(self.name)
        if not socket.waitForConnected(timeout_ms):
            return False
        paths = [str(file.absolute()) for file in files][:_MOST_FILES]
        socket.write(json.dumps(paths).encode() + b"\n")
        socket.flush()
        done = socket.waitForReadyRead(answer_ms) and bytes(socket.readAll().data()).startswith(b"ok")
        socket.disconnectFromServer()
        return done

    @Slot()
    def _connected(self) -> None:
        while self._server is not None and self._server.hasPendingConnections():
            socket = self._server.nextPendingConnection()
            self._pieces[socket] = b""
            socket.readyRead.connect(self._read)
            socket.disconnected.connect(self._gone)
            self._take(socket)

    @Slot()
    def _read(self) -> None:
        socket = self.sender()
        if isinstance(socket, QLocalSocket):
            self._take(socket)

    def _take(self, socket: QLocalSocket) -> None:
        piece = self._pieces.get(socket, b"") + socket.readAll().data()
        self._pieces[socket] = piece
        if len(piece) > _LONGEST:
            log.warning("a message of another start is too long")
            socket.abort()
            return
        line, end, _ = piece.partition(b"\n")
        if not end:
            return
        self._pieces[socket] = b""
        try:
            paths = [Path(path) for path in json.loads(line) if isinstance(path, str)]
        except (ValueError, TypeError, RecursionError):
            log.warning("a message of another start is damaged")
            socket.abort()
            return
        socket.write(b"ok\n")
        socket.flush()
        self.received.emit(paths[:_MOST_FILES])

    @Slot()
    def _gone(self) -> None:
        socket = self.sender()
        if isinstance(socket, QLocalSocket):
            self._pieces.pop(socket, None)
            socket.deleteLater()

    def release(self) -> None:
        """Let another window become the first."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self._lock.unlock()
