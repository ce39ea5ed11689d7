"""Suggested names of a subject, as chips in the language of the window. What a chip writes stays English: the model reads that."""

from __future__ import annotations

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication, QEvent, Signal, Slot
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.look.controls import Chip
from app.look.layout import FlowLayout

_NOUNS = (
    QT_TRANSLATE_NOOP("Nouns", "dog"),
    QT_TRANSLATE_NOOP("Nouns", "cat"),
    QT_TRANSLATE_NOOP("Nouns", "toy"),
    QT_TRANSLATE_NOOP("Nouns", "mug"),
    QT_TRANSLATE_NOOP("Nouns", "shoe"),
    QT_TRANSLATE_NOOP("Nouns", "bag"),
    QT_TRANSLATE_NOOP("Nouns", "car"),
    QT_TRANSLATE_NOOP("Nouns", "plant"),
)
NOUNS = tuple(map(str, _NOUNS))


class NounChips(QWidget):
    """See the module.

    Signals:
        picked(str): the English noun.
    """

    picked = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        flow = FlowLayout()
        self.setLayout(flow)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self._chips = {noun: Chip(noun, self) for noun in NOUNS}
        for chip in self._chips.values():
            chip.clicked.connect(self._clicked)
            flow.addWidget(chip)
        self._retranslate()

    def chip(self, noun: str) -> Chip:
        return self._chips[noun]

    @Slot()
    def _clicked(self) -> None:
        self.picked.emit(next(noun for noun, chip in self._chips.items() if chip is self.sender()))

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self._retranslate()
        super().changeEvent(event)

    def _retranslate(self) -> None:
        for noun, chip in self._chips.items():
            words = QCoreApplication.translate("Nouns", noun)
            chip.setText(words)
            chip.setAccessibleName(words)
            chip.setToolTip(noun if words != noun else "")
