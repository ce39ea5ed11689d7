"""The learned parts of the pre-flight in a process of their own: what runs in the child.

Not the process that draws: a cut-out can be found and corrected while a picture forms, and a crash of one takes nothing of
the other along. The child loads a part when it is first asked for, and keeps the last photos, so that every further click
sends a few numbers and gets a small picture of logits back. Each part has a thread of its own there: a click does not wait
for a name.

``cutout_client.py`` is the other side. Free of Qt.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np

from engine.photo.load import Photo
from engine.preflight.networks.learned import LearnedParts, place
from engine.preflight.networks.roles import ROLE_WORDS
from engine.process.messages import Question, Reply, Setup, Show
from engine.sentence import Sentence

log = logging.getLogger(__name__)

_KEEP = 2
"""Photos the child keeps, 72 MB each at 24 megapixels; as many as SAM keeps embeddings of."""

METHODS = {"naming": ("name",), "grounding": ("find",), "segmentation": ("cut", "embed")}
"""The questions a part of each role answers, with the photo first."""


def renew(kept: OrderedDict[str, Any], digest: str, value: Any) -> None:
    kept[digest] = value
    kept.move_to_end(digest)
    while len(kept) > _KEEP:
        kept.popitem(last=False)


def cutout_main(connection: Connection, setup: Setup) -> None:
    """Run the cut-outs' child process."""
    serve(connection, _learned(setup))


def _learned(setup: Setup) -> LearnedParts:
    return LearnedParts(
        dict(setup.folders),
        partial(_placed, setup.device),
        setup.box_threshold,
        setup.text_threshold,
    )


def _placed(wanted: str, role: str, folder: Path) -> str:
    return place(role, folder, wanted)


def serve(connection: Connection, parts: LearnedParts) -> None:
    """Hand every question to the thread of its part, until the connection ends."""
    photos: OrderedDict[str, Photo] = OrderedDict()
    inboxes: dict[str, SimpleQueue[tuple[Question, Photo]]] = {}
    sending = threading.Lock()

    def send(reply: Reply) -> None:
        with sending:
            connection.send(reply)

    while True:
        match connection.recv():
            case Show() as shown:
                rgb = np.frombuffer(connection.recv_bytes(), np.uint8).reshape(shown.height, shown.width, 3)
                renew(photos, shown.digest, Photo(rgb, None, shown.digest))
            case Question() as question:
                photo = photos[question.digest]
                renew(photos, question.digest, photo)
                if question.role not in inboxes:
                    inbox: SimpleQueue[tuple[Question, Photo]] = SimpleQueue()
                    inboxes[question.role] = inbox
                    threading.Thread(target=_work, args=(parts, inbox, send), name=question.role, daemon=True).start()
                inboxes[question.role].put((question, photo))


def _work(parts: LearnedParts, inbox: SimpleQueue[tuple[Question, Photo]], send: Callable[[Reply], None]) -> None:
    """The thread of one part: a question at a time."""
    with contextlib.suppress(OSError):  # the window is gone; the process is about to end
        while True:
            send(_answer(parts, *inbox.get()))


def _answer(parts: LearnedParts, question: Question, photo: Photo) -> Reply:
    role = question.role
    notes: list[str] = []
    try:
        if question.method not in METHODS[role]:
            raise ValueError(f"a part for {role} does not {question.method}")
        value = parts.use(role, lambda part: getattr(part, question.method)(photo, *question.arguments), notes)
    except Exception:
        log.exception("the part for %s failed", role)
        notes.append(Sentence("The learned part for {role} was not used: it failed.", role=ROLE_WORDS[role]))
        value = None
    if role == "naming":
        # By far the largest part, and asked once per photo: its memory is worth more to the model that draws.
        parts.unload(role)
    return Reply(question.number, value, tuple(notes), role in parts.roles)
