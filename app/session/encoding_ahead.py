"""Encodes subject and prompt once the user pauses, so that Generate need not: a courtesy that nothing waits for."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, Slot

from app.session.engine_link import EngineLink
from app.session.state import SessionState
from engine.process import Prepare, Prepared

_PREPARE_AFTER_MS = 250


class EncodingAhead(QObject):
    """Keeps ``state.prepared`` true: the notes of what is encoded, or None while that is not what would be drawn.

    Args:
        is_free: whether nothing is drawn and nothing waits.
    """

    def __init__(
        self, state: SessionState, link: EngineLink, is_free: Callable[[], bool], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._state, self._link, self._is_free = state, link, is_free
        self._asked: Prepare | None = None
        self._prepared_key: object = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_PREPARE_AFTER_MS)
        self._timer.timeout.connect(self._prepare)
        link.prepared.connect(self._prepared)
        for signal in (state.promptChanged, state.maskChanged, state.photoChanged, state.engineChanged):
            signal.connect(self.consider)

    def forget(self) -> None:
        """Another engine begins, which has encoded nothing yet."""
        self._asked, self._prepared_key = None, None
        self._state.set_prepared(None)

    def put_off(self) -> None:
        """A picture begins, which encodes what it needs."""
        self._timer.stop()

    def has_failed(self) -> bool:
        """Return True if an error that belongs to no picture is that of encoding ahead. It is not told: whoever presses
        Generate hears what is wrong with the prompt."""
        asked, self._asked = self._asked, None
        return asked is not None

    @Slot()
    def consider(self) -> None:
        """Something that the encoders see may be another one: encode it once the user pauses."""
        key = self._key()
        if key is None or key != self._prepared_key:
            self._prepared_key = None
            self._state.set_prepared(None)
            if key is not None:
                self._timer.start()

    def _key(self) -> object:
        cut_outs, values = self._state.cut_outs, self._state.values
        if self._state.engine.phase != "ready" or not values.prompt.strip() or not cut_outs:
            return None
        return values.prompt.strip(), values.negative_prompt.strip(), tuple(map(id, cut_outs))

    @Slot()
    def _prepare(self) -> None:
        if self._key() is None or not self._is_free():
            return
        values, (first, *further) = self._state.values, self._state.cut_outs
        prompt, negative = values.prompt.strip(), values.negative_prompt.strip()
        self._asked = self._link.prepare(prompt, negative, first, tuple(further))

    @Slot(object)
    def _prepared(self, message: Prepared) -> None:
        asked, self._asked = self._asked, None
        cut_outs, values = self._state.cut_outs, self._state.values
        fresh = (
            asked is not None
            and message.command.prompt == asked.prompt == values.prompt.strip()
            and message.command.negative_prompt == values.negative_prompt.strip()
            and len(cut_outs) == 1 + len(asked.views)
            and all(now is then for now, then in zip(cut_outs, (asked.subject, *asked.views), strict=True))
        )
        if fresh:
            self._prepared_key = self._key()
            self._state.set_prepared(message.notes)
