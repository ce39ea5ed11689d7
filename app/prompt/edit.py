"""The prompt's text field: earlier prompts, words the model does not know, and how much of it fits."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QSyntaxHighlighter, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QFrame, QPlainTextEdit, QSizePolicy, QWidget

from app.look import focus
from app.look import type as type_
from app.look.theme import notifier, theme
from app.prompt.vocabulary import PromptHistory, PromptReader, Reading
from app.shortcuts import bind
from engine import MAX_PROMPT_CHARACTERS


class _Underliner(QSyntaxHighlighter):
    """Underlines words the model does not know and strikes what the limit cuts off."""

    def __init__(self, edit: PromptEdit) -> None:
        super().__init__(edit.document())
        self._edit = edit

    def highlightBlock(self, text: str) -> None:
        reading = self._edit.reading
        start = self.currentBlock().position()
        whole = self._edit.toPlainText()
        used = len(whole)
        if reading.dropped:
            first = whole.rfind(reading.dropped)
            used = first if first >= 0 else used
            if first >= 0 and first < start + len(text):
                faded = QTextCharFormat()
                faded.setForeground(theme().color("text-placeholder"))
                faded.setFontStrikeOut(True)
                begin = max(0, first - start)
                self.setFormat(begin, len(text) - begin, faded)
        for first, last in reading.unknown:
            if start <= first < start + len(text) and first < used:
                style = QTextCharFormat(self.format(first - start))
                style.setUnderlineStyle(QTextCharFormat.UnderlineStyle.WaveUnderline)
                style.setUnderlineColor(theme().color("warning"))
                self.setFormat(first - start, last - first, style)


class PromptEdit(QPlainTextEdit):
    """A few lines of plain text.

    Args:
        lines: height in lines of text.
        history: earlier prompts for Alt+↑ and Alt+↓; None for a field without.

    Signals:
        edited: the text is another one.
    """

    edited = Signal()

    def __init__(self, lines: int = 3, history: PromptHistory | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.reader = PromptReader()
        self.reading = Reading()
        self.history = history
        self._lines = lines
        self._walking = False
        self._known: tuple[str, PromptReader] | None = None
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setTabChangesFocus(True)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.document().setDocumentMargin(2)
        type_.apply(self, "prompt")
        focus.attach(self, -1)  # the field's own border shows the focus
        self._underliner = _Underliner(self)
        self.textChanged.connect(self._changed)
        notifier.changed.connect(self._underliner.rehighlight)
        if history is not None:
            bind(self, "prompt_older", self.older)
            bind(self, "prompt_newer", self.newer)
        self._fix_height()

    def text(self) -> str:
        return self.toPlainText()

    def set_text(self, text: str) -> None:
        """Another text that can be undone; the cursor goes to its end."""
        if text != self.toPlainText():
            cursor = QTextCursor(self.document())
            cursor.select(QTextCursor.SelectionType.Document)
            cursor.insertText(text)
            cursor.movePosition(QTextCursor.MoveOperation.End)
            self.setTextCursor(cursor)

    def set_reader(self, reader: PromptReader) -> None:
        """Read as another bundle does."""
        self.reader = reader
        self._read()

    def set_lines(self, lines: int) -> None:
        self._lines = lines
        self._fix_height()

    @Slot()
    def older(self) -> None:
        """The prompt before this one."""
        if self.history is not None:
            self._walk(self.history.older(self.text()))

    @Slot()
    def newer(self) -> None:
        """The prompt behind this one, at last the unfinished one."""
        if self.history is not None:
            self._walk(self.history.newer(self.text()))

    def _walk(self, text: str) -> None:
        self._walking = True
        self.set_text(text)
        self._walking = False

    @Slot()
    def _changed(self) -> None:
        text = self.toPlainText()
        if len(text) > MAX_PROMPT_CHARACTERS:
            self.set_text(text[:MAX_PROMPT_CHARACTERS])
            return
        if self.history is not None and not self._walking:
            self.history.typed()
        if self._read() is not None:
            self.edited.emit()

    def _read(self) -> Reading | None:
        """Read the text anew; None when only its look changed (underlining tells "changed" as well)."""
        text = self.toPlainText()
        if self._known == (text, self.reader):
            return None
        self._known = (text, self.reader)
        self.reading = self.reader.read(text)
        self._underliner.rehighlight()
        self.viewport().update()
        return self.reading

    def _fix_height(self) -> None:
        line = max(QFontMetricsF(self.font()).lineSpacing(), type_.line_height("prompt"))
        self.setFixedHeight(round(line * self._lines + 2 * (8 + 2) + 4))

    def changeEvent(self, event) -> None:
        if event.type() == event.Type.FontChange:
            self._fix_height()
        super().changeEvent(event)

    def insertFromMimeData(self, source) -> None:
        # Plain words only, whatever was copied.
        if source.hasText():
            self.insertPlainText(source.text())

    def minimumSizeHint(self) -> QSize:
        return QSize(80, self.height())

    def counter(self) -> str:
        """ "21 / 24" once more than half of the limit is used, else ""."""
        reading = self.reading
        if not reading.limit or reading.tokens <= reading.limit / 2:
            return ""
        return f"{reading.tokens} / {reading.limit}"

    def paintEvent(self, event) -> None:
        super().paintEvent(event)
        text = self.counter()
        if not text:
            return
        painter = QPainter(self.viewport())
        font = type_.font("micro")
        metrics = QFontMetricsF(font)
        over = self.reading.tokens > self.reading.limit
        ink = theme().color("warning" if over else "text-muted")
        width = metrics.horizontalAdvance(text) + 10
        area = self.viewport().rect()
        rect = QRectF(area.right() - width, area.bottom() - metrics.height() - 3, width, metrics.height() + 4)
        ground = QColor(theme().color("surface-sunken"))
        ground.setAlphaF(0.85)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ground)
        painter.drawRoundedRect(rect, 4, 4)
        painter.setFont(font)
        painter.setPen(ink)
        painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, text)
