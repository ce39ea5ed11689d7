"""The photos of the current subject, small and side by side: one is looked at, another is added, one is taken out."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QEvent, QRectF, Qt, Signal, Slot
from PySide6.QtGui import QImage, QPainter, QPen
from PySide6.QtWidgets import QHBoxLayout, QMenu, QVBoxLayout, QWidget

from app.look import icons
from app.look.controls import IconButton, PlainButton, clear, label
from app.look.layout import show_all
from app.look.tab_order import tab_within
from app.look.theme import radius, theme, tokens
from app.session.state import SessionState
from app.session.subject_shelf import Subject
from app.shortcuts import shortcut
from app.subject.photo_drops import PhotoDrops
from app.subject.photo_pieces import Thumb
from app.subject.thumb_pictures import ThumbPictures
from engine import MAX_VIEWS

_SIDE = 44


class PhotoRow(QWidget):
    """See the module. Hidden for a subject with one photo, which has the button ``add`` instead: the panel puts it elsewhere.

    Signals:
        addRequested: choose another photo of this subject.
        photosGiven(object): paths, or a ``QImage``, that were dropped here.
        removed: a photo was taken out; the shelf brings it back.
        editRequested: edit the cut-out of the current photo.
        focusLeft: the thumb that had the focus is gone, and there is no other.
    """

    addRequested = Signal()
    photosGiven = Signal(object)
    removed = Signal()
    editRequested = Signal()
    focusLeft = Signal()

    def __init__(self, state: SessionState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._shown: tuple[int, ...] = ()
        self._pictures = ThumbPictures()
        self._dropping = False
        self.thumbs: list[_PhotoThumb] = []
        self.title, self.note = label("", "help", "muted"), label("", "help", "muted", wrap=True)
        self.add, self.plus = PlainButton("", "image-plus"), IconButton("plus", "")
        self._row = QHBoxLayout()
        self._row.setSpacing(8)
        self._row.addWidget(self.plus)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(self.title)
        column.addLayout(self._row)
        column.addWidget(self.note)
        self.add.clicked.connect(self.addRequested)
        self.plus.clicked.connect(self.addRequested)
        for widget, show in ((self, self._show_drop), (self.add, self.add.setDown)):
            PhotoDrops(widget, lambda: state.may_add_photo, self.photosGiven.emit, show)
        for signal in (state.photoChanged, state.maskChanged, state.engineChanged):
            signal.connect(self.follow)
        self.retranslate()

    @Slot()
    def follow(self) -> None:
        """Show the photos of the current subject."""
        photos = self._state.photos
        several = photos if len(photos) > 1 else ()
        self.setVisible(bool(several))
        self.add.setVisible(self._state.may_add_photo and not several)
        keys = tuple(photo.key for photo in several)
        if keys != self._shown:
            self._fill(keys)
        for number, (thumb, photo) in enumerate(zip(self.thumbs, several, strict=True), 1):
            thumb.setChecked(photo is self._state.subject)
            thumb.show_photo(photo, number, self._pictures.of(photo))
        self._pictures.keep(keys)
        self.note.setText(self._gain() if several else "")
        self.plus.setVisible(self._state.may_add_photo)

    def _gain(self) -> str:
        """The gain of several photos with the open model, as far as it was measured (decision 14)."""
        manifest = self._state.engine.manifest
        if manifest is None:
            return ""
        if manifest.tokenizer.reference_channels:
            return self.tr("This model draws the first photo. More of them make its pictures no more alike.")
        return self.tr("This model was taught with one photo. Whether more of them help was not measured.")

    def _fill(self, keys: tuple[int, ...]) -> None:
        focused = any(thumb.hasFocus() for thumb in self.thumbs)
        self._shown = keys
        self._row.removeWidget(self.plus)
        clear(self._row)
        self.thumbs = [_PhotoThumb(self) for _ in keys]
        for thumb in self.thumbs:
            self._row.addWidget(thumb)
            thumb.clicked.connect(self._clicked)
            thumb.removeRequested.connect(self._removed)
            thumb.editRequested.connect(self._edit)
            thumb.firstRequested.connect(self._make_first)
        self._row.addWidget(self.plus)
        self._row.addStretch(1)
        show_all(self.thumbs)
        tab_within(self, [*self.thumbs, self.plus])
        if focused and self._state.subject is not None and self._state.subject.key in keys:
            self.thumbs[keys.index(self._state.subject.key)].setFocus(Qt.FocusReason.ShortcutFocusReason)
        elif focused:
            self.focusLeft.emit()

    def _select(self, thumb: _PhotoThumb) -> None:
        key = self._shown[self.thumbs.index(thumb)]
        keys = [subject.key for subject in self._state.subjects]
        self._state.select_subject(keys.index(key))
        self.follow()  # a press on the one that is chosen leaves it chosen

    @Slot()
    def _clicked(self) -> None:
        thumb = self.sender()
        assert isinstance(thumb, _PhotoThumb)
        self._select(thumb)

    @Slot()
    def _edit(self) -> None:
        self._clicked()
        self.editRequested.emit()

    @Slot()
    def _make_first(self) -> None:
        """The first photo is the one that is placed, and that pictures are compared with."""
        thumb = self.sender()
        assert isinstance(thumb, _PhotoThumb)
        self._state.make_first_photo(self._shown[self.thumbs.index(thumb)])

    @Slot()
    def _removed(self) -> None:
        thumb = self.sender()
        assert isinstance(thumb, _PhotoThumb)
        self._state.remove_subject(self._shown[self.thumbs.index(thumb)], alone=True)
        self.removed.emit()

    def _show_drop(self, over: bool) -> None:
        self._dropping = over
        self.update()

    def paintEvent(self, event) -> None:
        super().paintEvent(event)
        if self._dropping:
            width, corner = tokens()["stroke"]["selected"], radius("tile")
            painter = QPainter(self)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(theme().color("accent"), width))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), corner, corner)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()
        super().changeEvent(event)

    def retranslate(self) -> None:
        words = shortcut("add_photo").label
        self.title.setText(self.tr("Photos of this subject"))
        self.add.setText(words)
        self.add.setToolTip(self.tr("Up to {0} photos of one subject, each with its own cut-out").format(MAX_VIEWS + 1))
        self.plus.describe(words.rstrip("…"))
        self.follow()


class _PhotoThumb(Thumb):
    """One photo of the subject.

    Signals:
        editRequested: edit its cut-out.
        firstRequested: make it the first one.
    """

    editRequested = Signal()
    firstRequested = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(_SIDE, parent)
        self._lacking = False
        self._is_first = False

    def show_photo(self, photo: Subject, number: int, picture: QImage) -> None:
        """Show a photo, the ``number``-th of its subject; one without a cut-out is marked."""
        self._lacking = bool(photo.problem)
        self._is_first = number == 1
        self.set_picture(picture)
        words = self.tr("Photo {0}").format(number)
        if photo.title:
            words = f"{words}: {Path(photo.title).name}"
        self.setAccessibleName(words)
        if self._lacking:
            words = self.tr("{0} – its cut-out cannot be used").format(words)
        self.setToolTip(self.tr("{0} (Delete takes it out)").format(words))

    def menu(self) -> QMenu:
        """The actions on this photo."""
        menu = QMenu(self)
        menu.addAction(self.tr("Show this photo"), self.click).setEnabled(not self.isChecked())
        menu.addAction(self.tr("Edit its cut-out"), self.editRequested.emit)
        menu.addAction(self.tr("Make this the first"), self.firstRequested.emit).setEnabled(not self._is_first)
        menu.addSeparator()
        menu.addAction(self.tr("Take this photo out"), self.removeRequested.emit)
        return menu

    def paintEvent(self, event) -> None:
        super().paintEvent(event)
        if self._lacking:
            icons.paint_doubt(self)
