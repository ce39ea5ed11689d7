"""The bar under the cut-out that is being placed: how it is placed now, and the way back to automatic."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Signal, Slot
from PySide6.QtWidgets import QWidget

from app.canvas.action_bar import FloatingBar
from app.look.controls import Button, ElidedLabel
from app.shortcuts import keymap, tooltip


class PlacementBar(FloatingBar):
    """See the module.

    Signals:
        automaticWanted: the place is chosen by the seed again.
        mirrorWanted: left and right swapped.
        closed: enough of it; the picture alone again.
    """

    automaticWanted = Signal()
    mirrorWanted = Signal()
    closed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("placementBar")
        self._width = 0
        self._automatic, self._over, self._moved, self._in_photo = True, False, False, False
        self.words = ElidedLabel("", "help", "muted")
        self.mirror_button = Button("", "flip-vertical-2", "plain", self)
        self.automatic_button = Button("", "dices", "plain", self)
        self.automatic_button.setCheckable(True)
        self.close_button = Button("", "check", "plain", self)
        self.row.addSpacing(8)
        self.row.addWidget(self.words)
        self.row.addSpacing(8)
        for button in (self.automatic_button, self.mirror_button, self.close_button):
            self.row.addWidget(button)
        self.automatic_button.clicked.connect(self._automatic_clicked)
        self.mirror_button.clicked.connect(self.mirrorWanted)
        self.close_button.clicked.connect(self.closed)
        keymap.changed.connect(self._name)
        self._show_mode()

    def set_mode(self, *, automatic: bool, over: bool, moved: bool, in_photo: bool = False) -> bool:
        """Set how the subject is placed. Returns True if it was placed otherwise before.

        Args:
            automatic: the seed chooses.
            over: it lies over a picture. moved: it stands elsewhere than in that picture.
            in_photo: that picture was put into a photo, which the next one is not.
        """
        before = self._automatic, self._over, self._moved, self._in_photo
        if (automatic, over, moved, in_photo) == before:
            return False
        self._automatic, self._over, self._moved, self._in_photo = automatic, over, moved, in_photo
        self._show_mode()
        return True

    def _show_mode(self) -> None:
        self.automatic_button.setChecked(self._automatic)
        self.close_button.setVisible(self._over)
        self._name()

    def set_width(self, width: int) -> None:
        """So many pixels are there: where not all words fit, buttons become icons with tooltips, Mirror first. What the frame is
        for is still said."""
        if width != self._width:
            self._width = width
            self._name()

    @Slot()
    def _automatic_clicked(self) -> None:
        # Pressed while it is on, it stays on: moving the cut-out is what ends it.
        self.automatic_button.setChecked(True)
        if not self._automatic:
            self.automaticWanted.emit()

    @Slot()
    def _name(self) -> None:
        if self._over and self._moved and self._in_photo:
            words = self.tr("Generate draws it here, without the photo")
        elif self._over:
            words = self.tr("Generate draws it here, same seed") if self._moved else self.tr("Drag it to its new place")
        else:
            words = self.tr("Drag it where you like") if self._automatic else self.tr("Every picture has it here")
        self.words.setText(words)
        for button, text, action in (
            (self.automatic_button, self.tr("Automatic place"), "place_automatic"),
            (self.mirror_button, self.tr("Mirror"), "place_mirror"),
            (self.close_button, self.tr("Done"), "place"),
        ):
            button.setText(text)
            button.setAccessibleName(text)
            button.setToolTip(tooltip(action))
            button.updateGeometry()
        for button in (self.mirror_button, self.automatic_button, self.close_button):
            if self._width and self.sizeHint().width() > self._width:
                button.setText("")
                button.updateGeometry()
        self.adjustSize()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self._name()
        super().changeEvent(event)
