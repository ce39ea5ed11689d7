"""Rows of small pictures: the examples of the open bundle, and the shelf of subjects."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent, QImage, QPainter
from PySide6.QtWidgets import QGridLayout, QSizePolicy, QVBoxLayout, QWidget

from app.look.controls import clear, label
from app.look.pixels import to_image
from app.look.tab_order import tab_within
from app.look.theme import theme
from app.session.state import SessionState
from app.session.subject_shelf import Subject
from app.subject.photo_pieces import Thumb
from app.system.deferred import PAINTED_MS
from engine import EchoGenError

if TYPE_CHECKING:
    from app.subject.shelf_thumb import ShelfThumb

log = logging.getLogger(__name__)

COLUMNS = 4
_SIDE = 60
_PIXELS = 180


@dataclass(frozen=True)
class ExamplePhoto:
    """Something to begin with: a photo, what it shows, a prompt and a seed that suit it."""

    path: Path
    name: str = ""
    prompt: str = ""
    seed: int = 0


class _Row(QWidget):
    """A title and a grid of thumbs; hidden while it is empty."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = label("", "help", "muted")
        self.grid = QGridLayout()
        self.grid.setSpacing(8)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.title)
        column.addLayout(self.grid)
        self.thumbs: list = []

    def _thumb(self) -> Thumb:
        return Thumb(_SIDE, self)

    def _fill(self, count: int) -> None:
        clear(self.grid)
        self.thumbs = [self._thumb() for _ in range(count)]
        for index, thumb in enumerate(self.thumbs):
            self.grid.addWidget(thumb, index // COLUMNS, index % COLUMNS)
            thumb.show()
        tab_within(self, self.thumbs)
        self.grid.setColumnStretch(COLUMNS, 1)


class ExampleGallery(_Row):
    """The examples of the open bundle.

    Signals:
        chosen(object): an ``ExamplePhoto``.
    """

    chosen = Signal(object)

    def __init__(self, state: SessionState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self.examples: tuple[ExamplePhoto, ...] = ()
        self._pictures: dict[Path, QImage] = {}
        state.engineChanged.connect(self.follow)
        state.photoChanged.connect(self._mark)
        self.follow()

    @Slot()
    def follow(self) -> None:
        """Show what the open bundle brings along."""
        examples = examples_of(self._state)
        if examples == self.examples:
            return
        from app.system import background

        self.examples = examples
        self._fill(len(examples))
        for thumb, example in zip(self.thumbs, examples, strict=True):
            thumb.setAccessibleName(self.tr("Example: {0}").format(example.name or example.path.stem))
            thumb.setToolTip(example.name)
            thumb.clicked.connect(self._clicked)
            if example.path in self._pictures:
                thumb.set_picture(self._pictures[example.path])
            else:
                # First the window is painted: beside a thread that runs Python it would take twice as long.
                QTimer.singleShot(PAINTED_MS, self, partial(background.run, _thumb, example.path, done=self._read))
        self._mark()

    @Slot(object)
    def _read(self, read: tuple[Path, QImage]) -> None:
        self._pictures[read[0]] = read[1]
        for thumb, example in zip(self.thumbs, self.examples, strict=True):
            if example.path == read[0]:
                thumb.set_picture(read[1])

    @Slot()
    def _clicked(self) -> None:
        index = self.thumbs.index(self.sender())
        self._mark()
        self.chosen.emit(self.examples[index])

    @Slot()
    def _mark(self) -> None:
        subject = self._state.subject
        for thumb, example in zip(self.thumbs, self.examples, strict=True):
            thumb.setChecked(subject is not None and subject.example and subject.title == example.path.name)


class Shelf(_Row):
    """The subjects at hand, in the order the user gives them; one click brings another one back with its mask.

    Signals:
        removed: a subject was taken off; ``bring_back`` undoes it, and a change of the order.
        renameRequested: the current subject is to get another name.
        focusLeft: the thumb that had the focus is gone, and there is no other.
    """

    removed = Signal()
    focusLeft = Signal()
    renameRequested = Signal()

    def __init__(self, state: SessionState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._shown: tuple[int, ...] = ()
        self._pictured: dict[int, object] = {}
        self._pictures: dict[int, QImage] = {}
        self._drop = -1
        self.setAcceptDrops(True)
        state.photoChanged.connect(self.follow)
        state.maskChanged.connect(self.follow)
        self.follow()

    def _thumb(self) -> ShelfThumb:
        from app.subject.shelf_thumb import ShelfThumb

        return ShelfThumb(_SIDE, self)

    @Slot()
    def follow(self) -> None:
        """Show the subjects of the state."""
        # One subject needs no shelf: nothing is made of what is not shown.
        subjects = self._state.subjects if len(self._state.subjects) > 1 else ()
        keys = tuple(subject.key for subject in subjects)
        if keys != self._shown:
            focused = next((key for key, thumb in zip(self._shown, self.thumbs, strict=True) if thumb.hasFocus()), None)
            place = self._shown.index(focused) if focused is not None else 0
            self._shown = keys
            self._fill(len(keys))
            for thumb in self.thumbs:
                thumb.clicked.connect(self._clicked)
                thumb.removeRequested.connect(self._removed)
                thumb.moveRequested.connect(self._moved)
                thumb.renameRequested.connect(self._renamed)
            if focused is not None and keys:
                place = keys.index(focused) if focused in keys else min(place, len(keys) - 1)
                self.thumbs[place].setFocus(Qt.FocusReason.ShortcutFocusReason)
            elif focused is not None:
                self.focusLeft.emit()
        self.setVisible(bool(subjects))
        for index, (thumb, subject) in enumerate(zip(self.thumbs, subjects, strict=True)):
            thumb.setChecked(index == self._state.current)
            name = subject.name or subject.title or self.tr("Subject {0}").format(index + 1)
            thumb.setAccessibleName(name)
            thumb.set_subject(subject.key, subject.name or Path(subject.title).stem or str(index + 1))
            thumb.setToolTip(self.tr("{0} (Delete takes it off the shelf)").format(name))
            source = next((one for one in (subject.cut_out, subject.photo, subject.preview) if one is not None), None)
            if source is not None and self._pictured.get(subject.key) is not source:
                self._pictured[subject.key] = source
                self._pictures[subject.key] = _picture(subject)
            thumb.set_picture(self._pictures.get(subject.key, QImage()))
        for kept in (self._pictured, self._pictures):
            for key in set(kept) - set(keys):
                del kept[key]

    @Slot()
    def _clicked(self) -> None:
        index = self.thumbs.index(self.sender())
        self._state.select_subject(index)
        self.follow()

    @Slot()
    def _removed(self) -> None:
        index = self.thumbs.index(self.sender())
        self._state.remove_subject(self._shown[index])
        self.removed.emit()

    @Slot(int)
    def _moved(self, step: int) -> None:
        index = self.thumbs.index(self.sender())
        self._state.move_subject(self._shown[index], index + step)

    @Slot()
    def _renamed(self) -> None:
        self._state.select_subject(self.thumbs.index(self.sender()))
        self.renameRequested.emit()

    def bring_back(self) -> bool:
        """Undo what was done to the shelf last: the subject that was taken off stands there again with its mask, or the one
        that was moved where it stood. False when there is nothing to undo."""
        return self._state.bring_back_subject()

    # Dragging a subject to another place

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        from app.subject.shelf_thumb import SUBJECT_MIME

        if event.mimeData().hasFormat(SUBJECT_MIME):
            event.acceptProposedAction()

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        self._show_drop(self._place_at(event.position()))
        event.acceptProposedAction()

    def dragLeaveEvent(self, event) -> None:
        self._show_drop(-1)

    def dropEvent(self, event: QDropEvent) -> None:
        from app.subject.shelf_thumb import SUBJECT_MIME

        key, place = int(bytes(event.mimeData().data(SUBJECT_MIME).data())), self._place_at(event.position())
        self._show_drop(-1)
        event.acceptProposedAction()
        if key in self._shown:
            # Taken out of its place first, the ones behind it move up.
            self._state.move_subject(key, place - (1 if self._shown.index(key) < place else 0))

    def _place_at(self, position: QPointF) -> int:
        """In front of which thumb a drop would go; their number for the end."""
        for index, thumb in enumerate(self.thumbs):
            rect = QRectF(thumb.geometry())
            if position.y() <= rect.bottom() and position.x() < rect.center().x():
                return index
            last_of_row = index % COLUMNS == COLUMNS - 1
            if last_of_row and position.y() <= rect.bottom():
                return index + 1
        return len(self.thumbs)

    def _show_drop(self, place: int) -> None:
        if place != self._drop:
            self._drop = place
            self.update()

    def paintEvent(self, event) -> None:
        super().paintEvent(event)
        if self._drop >= 0 and self.thumbs:
            beside = self.thumbs[min(self._drop, len(self.thumbs) - 1)].geometry()
            x = max(0, beside.left() - 5) if self._drop < len(self.thumbs) else beside.right() + 3
            QPainter(self).fillRect(x, beside.top(), 2, beside.height(), theme().color("accent"))


def examples_of(state: SessionState) -> tuple[ExamplePhoto, ...]:
    """The examples that the open bundle brings."""
    manifest, folder = state.engine.manifest, state.engine.folder
    if manifest is None or folder is None:
        return ()
    return tuple(
        ExamplePhoto(folder / example.image, example.subject_name, example.prompt, example.seed)
        for example in manifest.examples
    )


def _picture(subject: Subject) -> QImage:
    import numpy as np

    from engine import MaskError
    from engine.photo import cut_out, photo_from_pixels

    if subject.cut_out is not None:
        return to_image(subject.cut_out.rgb)
    if subject.photo is None:
        assert subject.preview is not None
        return to_image(subject.preview)
    step = max(1, min(subject.photo.rgb.shape[:2]) // (2 * _PIXELS))  # twice what is shown: smoothed when it is painted
    small = np.ascontiguousarray(subject.photo.rgb[::step, ::step])
    if subject.mask is not None:  # of a session that came back: its cut-out is made when it is chosen
        try:
            return to_image(cut_out(photo_from_pixels(small), subject.mask[::step, ::step], _PIXELS).rgb)
        except MaskError:
            log.debug("a subject of the shelf has no cut-out", exc_info=True)
    return to_image(small)


def _thumb(path: Path) -> tuple[Path, QImage]:
    """A small square copy; an empty picture when the file cannot be read (said when it is chosen)."""
    import numpy as np
    from PIL import Image

    from engine.photo import load_photo, on_white

    try:
        photo = load_photo(path)
    except EchoGenError:
        log.info("no thumbnail of %s", path.name, exc_info=True)
        return path, QImage()
    rgb = photo.rgb if photo.alpha is None else on_white(photo.rgb, photo.alpha)
    small = Image.fromarray(rgb)
    small.thumbnail((2 * _PIXELS, 2 * _PIXELS), Image.Resampling.LANCZOS)
    return path, to_image(np.asarray(small))
