"""Work on a whole mask, one thing after the other: at once where the mask is small, in the background where it is large.

The window's thread only exchanges what was made. What was made from a mask that has changed meanwhile (a stroke was painted)
is made again from the new one, so that nothing is ever lost and every step undoes exactly what it did.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QObject, Signal, Slot

from app.mask.document import MaskDocument
from app.mask.layers import Exchange, Layers, layers_of
from app.mask.strokes import Edge, MaskMarks
from app.system import background

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class MaskOperation:
    """One thing to do with the whole mask.

    Attributes:
        label: of its step, for undo.
        make: base and marks → another base; runs in another thread and changes neither.
        commit: takes what was made as a step, in the window's thread.
        edge: the edge that the new mask has; None for the present one.
    """

    label: str
    make: Callable[[np.ndarray, MaskMarks], np.ndarray]
    commit: Callable[[Layers], object]
    edge: Edge | None = None


@dataclass(frozen=True, eq=False)
class _Made:
    operation: MaskOperation
    before: np.ndarray
    layers: Layers


class MaskOperations(QObject):
    """The queue of one document; it also brings the edge of a mask that is late.

    Args:
        exchange: how new layers come into the document.

    Signals:
        idle: nothing waits and nothing is under way any more.
        failed: an exception; what was asked is not done.
    """

    idle = Signal()
    failed = Signal(object)

    def __init__(
        self,
        document: MaskDocument,
        exchange: Exchange,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._document, self._exchange = document, exchange
        self._waiting: deque[MaskOperation] = deque()
        self._running: MaskOperation | None = None
        self._late = MaskOperation("", _unchanged, document.take_edge)
        self._closed = False
        document.be_patient()

    @property
    def busy(self) -> bool:
        """True while the mask is still going to change by itself."""
        return bool(self._waiting) or self._document.late

    @property
    def newest(self) -> str:
        """The label of what was asked last and is not done yet, or ""."""
        return self._waiting[-1].label if self._waiting else ""

    def ask(self, operation: MaskOperation) -> None:
        """Do something with the whole mask, after what was asked before."""
        self._waiting.append(operation)
        if self._document.large:
            self.go_on()
        else:
            self.settle()

    def drop_newest(self) -> None:
        """Give up the operation that was asked for last."""
        self._waiting.pop()

    def settle(self, edge: bool = True) -> None:
        """Do now what waits, however long it takes; without ``edge`` the mask may stay late."""
        while not self._closed and (self._waiting or (edge and self._document.late)):
            operation = self._waiting.popleft() if self._waiting else self._late
            self._exchange(_make(operation, self._document.lend(), self._document.marks).layers, operation.commit)

    def close(self) -> None:
        """Nothing is done any more."""
        self._closed = True
        self._waiting.clear()

    def go_on(self) -> None:
        """Begin with what is next; to be called after every change of the document."""
        if self._closed or self._running is not None or self._document.painting or not self.busy:
            return
        self._running = self._waiting[0] if self._waiting else self._late
        arguments = (self._running, self._document.lend(), self._document.marks)
        background.run(_make, *arguments, done=self._made, failed=self._not_made)

    @Slot(object)
    def _made(self, made: _Made) -> None:
        self._running = None
        if self._closed:
            return
        operation, layers, document = made.operation, made.layers, self._document
        wanted = document.late if operation is self._late else bool(self._waiting) and self._waiting[0] is operation
        edge = document.marks.edge if operation.edge is None else operation.edge
        if wanted and document.is_base(made.before) and layers.edge == edge and not document.painting:
            if operation is not self._late:
                self._waiting.popleft()
            self._exchange(layers, operation.commit)
        self._next()

    @Slot(object)
    def _not_made(self, error: Exception) -> None:
        if self._waiting and self._waiting[0] is self._running:
            self._waiting.popleft()
        self._running = None
        log.error("the mask could not be worked on", exc_info=error)
        if not self._closed:
            self.failed.emit(error)
            self._next()

    def _next(self) -> None:
        self.go_on()
        if self._running is None and not self.busy:
            self.idle.emit()


def _make(operation: MaskOperation, base: np.ndarray, marks: MaskMarks) -> _Made:
    edge = marks.edge if operation.edge is None else operation.edge
    return _Made(operation, base, layers_of(base, operation.make(base, marks), edge))


def _unchanged(base: np.ndarray, marks: MaskMarks) -> np.ndarray:
    return base
