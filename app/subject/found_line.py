"""Below the photo, in one line that is always there: how sure the cut-out is."""

from __future__ import annotations

from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.look.controls import label
from app.look.glyphs import Glyph
from app.subject.found_note import Verdict


class FoundLine(QWidget):
    """See the module. Empty while the subject is searched for, so that nothing below it moves when the answer comes.

    Attributes:
        sign, text: a tick, a warning or a brush, and its words.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.sign, self.text = Glyph("circle-check", "accent"), label("", "help", wrap=True)
        self._found: tuple[Verdict, float] = ("", 0.0)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.sign)
        row.addWidget(self.text, 1)
        for widget in (self.sign, self.text):
            policy = widget.sizePolicy()
            policy.setRetainSizeWhenHidden(True)
            widget.setSizePolicy(policy)
        self._retranslate()

    def show_found(self, verdict: Verdict, score: float) -> None:
        """Say how sure the search was. That nothing was found is said above the photo.

        Args:
            verdict: "" when the cut-out was corrected.
            score: 0 … 1; only of doubt something is said at 0.
        """
        self._found = (verdict, score)
        # The tick is for what the program is sure of; what the user made of it, nobody has measured.
        match verdict:
            case "unsure":
                words, sign = self.tr("Not sure. Draw a box around it."), ("triangle-alert", "warning")
            case "":
                words, sign = self.tr("Corrected"), ("brush", "text-muted")
            case _:
                words, sign = self.tr("Found, {0}\u00a0%").format(round(100 * score)), ("circle-check", "accent")
        self.text.setText(words)
        self.sign.set_icon(*sign)
        for widget in (self.sign, self.text):
            widget.setVisible(verdict == "unsure" or (score > 0 and verdict != "nothing"))

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self._retranslate()
        super().changeEvent(event)

    def _retranslate(self) -> None:
        self.show_found(*self._found)
