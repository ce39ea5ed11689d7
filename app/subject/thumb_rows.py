"""Rows of small pictures: the examples of the open bundle, and the shelf of subjects."""

from __future__ import annotations

import logging
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from PySide6.QtCore import QEvent, QObject, QPointF, QRectF, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent, QImage, QPainter
from PySide6.QtWidgets import QApplication, QGridLayout, QSizePolicy, QVBoxLayout, QWidget

from app.look.controls import clear, label
from app.look.layout import show_all
from app.look.pixels import to_image
from app.look.tab_order import tab_within
from app.look.theme import theme
from app.session.state import SessionState
from app.subject.photo_pieces import Thumb
from app.subject.thumb_pictures import PIXELS, ThumbPictures
from app.system.deferred import PAINTED_MS
from engine import MAX_VIEWS, EchoGenError

if TYPE_CHECKING:
    from app.subject.shelf_thumb import ShelfThumb

log = logging.getLogger(__name__)

COLUMNS = 4
_SIDE = 60


class ExamplePhoto(Struct, frozen=True):
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
        self.grid.setColumnStretch(COLUMNS, 1)
        show_all(self.thumbs)
        tab_within(self, self.thumbs)


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
            thumb.setToolTip(example.name)
            thumb.clicked.connect(self._clicked)
            if example.path in self._pictures:
                thumb.set_picture(self._pictures[example.path])
            else:
                # First the window is painted: beside a thread that runs Python it would take twice as long.
                QTimer.singleShot(PAINTED_MS, self, partial(background.run, _thumb, example.path, done=self._read))
        self._name()
        self._mark()

    def _name(self) -> None:
        for thumb, example in zip(self.thumbs, self.examples, strict=True):
            thumb.setAccessibleName(self.tr("Example: {0}").format(example.name or example.path.stem))

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self._name()
        super().changeEvent(event)

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
        choosing: another subject may become the current one.
        removed: a subject was taken off; ``bring_back`` undoes it, and a change of the order.
        renameRequested: the current subject is to get another name.
        focusLeft: the thumb that had the focus is gone, and there is no other.
        addRequested(int): choose another photo of the subject on this card.
        photosGiven(int, object): paths, or a ``QImage``, that were dropped onto this card.
    """

    choosing = Signal()
    removed = Signal()
    addRequested = Signal(int)
    photosGiven = Signal(int, object)
    focusLeft = Signal()
    renameRequested = Signal()

    def __init__(self, state: SessionState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._shown: tuple[int, ...] = ()
        self._pictures = ThumbPictures()
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
        cards = self._state.cards if len(self._state.cards) > 1 else ()
        keys = tuple(card[0].key for card in cards)
        if keys != self._shown:
            focused = next((key for key, thumb in zip(self._shown, self.thumbs, strict=True) if thumb.hasFocus()), None)
            place = self._shown.index(focused) if focused is not None else 0
            self._shown = keys
            if focused is not None:
                self.setFocus(Qt.FocusReason.OtherFocusReason)  # else Qt passes it on to a field for a moment
            self._fill(len(keys))
            for thumb in self.thumbs:
                thumb.clicked.connect(self._clicked)
                thumb.removeRequested.connect(self._removed)
                thumb.moveRequested.connect(self._moved)
                thumb.renameRequested.connect(self._renamed)
                thumb.addRequested.connect(self._add)
                thumb.photosGiven.connect(self._given)
            if focused is not None and keys:
                place = keys.index(focused) if focused in keys else min(place, len(keys) - 1)
                self.thumbs[place].setFocus(Qt.FocusReason.ShortcutFocusReason)
            elif focused is not None:
                self.focusLeft.emit()
        self.setVisible(bool(cards))
        for index, (thumb, card) in enumerate(zip(self.thumbs, cards, strict=True)):
            subject, count = card[0], len(card)
            thumb.setChecked(self._state.subject in card)
            name = subject.name or subject.title or self.tr("Subject {0}").format(index + 1)
            words = name if count == 1 else self.tr("{0}, {1} photos").format(name, count)
            thumb.setAccessibleName(words)
            thumb.set_subject(subject.key, subject.name or Path(subject.title).stem or str(index + 1), count)
            thumb.set_expandable(not subject.example and count <= MAX_VIEWS)
            thumb.setToolTip(self.tr("{0} (Delete takes it off the shelf)").format(words))
            thumb.set_picture(self._pictures.of(subject))
        self._pictures.keep(keys)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self.follow()
        super().changeEvent(event)

    def has_focus(self) -> bool:
        """Return True while one of its thumbs has the focus."""
        holder = QApplication.focusWidget()
        return holder is not None and (holder is self or self.isAncestorOf(holder))

    @Slot()
    def _clicked(self) -> None:
        self._select(self.thumbs.index(self.sender()))
        self.follow()

    def _select(self, place: int) -> None:
        """Make the card at a place the current one. Of the card that is, the photo that is looked at stays."""
        card = self._state.cards[place]
        if self._state.subject not in card:
            self.choosing.emit()
            self._state.select_subject(self._state.subjects.index(card[0]))

    @Slot()
    def _add(self) -> None:
        self.addRequested.emit(self._card_of(self.sender()))

    @Slot(object)
    def _given(self, photos: list[Path | QImage]) -> None:
        self.photosGiven.emit(self._card_of(self.sender()), photos)

    def _card_of(self, thumb: QObject) -> int:
        return self._state.cards[self.thumbs.index(thumb)][0].card

    @Slot()
    def _removed(self) -> None:
        index = self.thumbs.index(self.sender())
        self.choosing.emit()
        self._state.remove_subject(self._shown[index])
        self.removed.emit()

    @Slot(int)
    def _moved(self, step: int) -> None:
        index = self.thumbs.index(self.sender())
        self._state.move_subject(self._shown[index], index + step)

    @Slot()
    def _renamed(self) -> None:
        self._select(self.thumbs.index(self.sender()))
        self.renameRequested.emit()

    def can_bring_back(self) -> bool:
        """Return True if ``bring_back`` has something to undo."""
        return self._state.can_bring_back

    def bring_back(self) -> bool:
        """Undo what was done to the shelf last: the subject that was taken off stands there again with its mask, or the one
        that was moved where it stood. False when there is nothing to undo."""
        before, had_focus = self._state.subject, self.has_focus()
        if had_focus:
            self.choosing.emit()
        undone = self._state.bring_back_subject()
        if had_focus and self.thumbs and self._state.subject is not before:
            # The keys are meant for the one that came back, not for what stood in for it.
            place = next(n for n, card in enumerate(self._state.cards) if self._state.subject in card)
            self.thumbs[place].setFocus(Qt.FocusReason.ShortcutFocusReason)
        return undone

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
    small.thumbnail((2 * PIXELS, 2 * PIXELS), Image.Resampling.LANCZOS)
    return path, to_image(np.asarray(small))
