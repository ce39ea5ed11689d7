"""The prompt's text field: earlier prompts, words the model does not know, and how much of it fits."""

from __future__ import annotations

from bisect import bisect_left

from msgspec import Struct
from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtGui import QFontMetricsF, QSyntaxHighlighter, QTextCursor
from PySide6.QtWidgets import QFrame, QPlainTextEdit, QSizePolicy, QWidget

from app.look import focus
from app.look import type as type_
from app.look.layout import ElidedLabel
from app.look.theme import notifier, theme
from app.prompt.vocabulary import PromptHistory, PromptReader, Reading
from app.shortcuts import bind
from engine import MAX_PROMPT_CHARACTERS, shown


class _Underliner(QSyntaxHighlighter):
    """Underlines words the model does not know and strikes what the limit cuts off."""

    def __init__(self, edit: PromptEdit) -> None:
        super().__init__(edit.document())
        self._edit = edit

    def highlightBlock(self, text: str) -> None:
        from PySide6.QtGui import QTextCharFormat

        marks = self._edit.marks
        start = self.currentBlock().position()
        end = start + self.currentBlock().length()
        if marks.used < end and marks.cut:
            faded = QTextCharFormat()
            faded.setForeground(theme().color("text-placeholder"))
            faded.setFontStrikeOut(True)
            begin = max(0, marks.used - start)
            self.setFormat(begin, end - start - begin, faded)
        for first, last in marks.unknown[bisect_left(marks.unknown, (start, 0)) :]:
            if first >= min(end, marks.used):
                break
            style = QTextCharFormat(self.format(first - start))
            style.setUnderlineStyle(QTextCharFormat.UnderlineStyle.WaveUnderline)
            style.setUnderlineColor(theme().color("warning"))
            self.setFormat(first - start, last - first, style)


class _Marks(Struct, frozen=True):
    """The marked ranges, in places of the document. Qt counts UTF-16: a letter beyond U+FFFF takes two.

    Attributes:
        used: where the words begin that are not used, or the length of the text.
        cut: whether there are any.
        unknown: start and end of every word the model does not know, in order.
    """

    used: int = 0
    cut: bool = False
    unknown: tuple[tuple[int, int], ...] = ()

    @classmethod
    def of(cls, text: str, reading: Reading) -> _Marks:
        large = [index for index, letter in enumerate(text) if letter > "\uffff"] if not text.isascii() else []

        def place(index: int) -> int:
            return index + bisect_left(large, index)

        first = text.rfind(reading.dropped) if reading.dropped else -1
        return cls(
            place(first if first >= 0 else len(text)),
            first >= 0,
            tuple(sorted((place(start), place(end)) for start, end in reading.unknown)),
        )


class PromptEdit(QPlainTextEdit):
    """A few lines of plain text.

    Args:
        lines: height in lines of text.
        history: earlier prompts for Alt+↑ and Alt+↓; None for a field without.

    Attributes:
        count: says how much of the limit is used; whoever shows the field puts it beside it, where it covers no words.
        was_cut: what came last was longer than a prompt may be, and its end is not there.

    Signals:
        edited: the text is another one.
    """

    edited = Signal()

    def __init__(self, lines: int = 3, history: PromptHistory | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.reader = PromptReader()
        self.reading = Reading()
        self.marks = _Marks()
        self.was_cut = self._cutting = False
        self.history = history
        self._lines = lines
        self._recalling = False
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
        self.count = ElidedLabel("", "micro", "muted", self)
        self.count.hide()
        self._fix_height()

    def text(self) -> str:
        return shown(self.toPlainText())

    def set_text(self, text: str) -> None:
        """Another text that can be undone; the cursor goes to its end."""
        self._cutting = len(text) > MAX_PROMPT_CHARACTERS
        text = text[:MAX_PROMPT_CHARACTERS]
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
            self._recall(self.history.older(self.text()))

    @Slot()
    def newer(self) -> None:
        """The prompt behind this one, at last the unfinished one."""
        if self.history is not None:
            self._recall(self.history.newer(self.text()))

    def _recall(self, text: str) -> None:
        self._recalling = True
        self.set_text(text)
        self._recalling = False

    @Slot()
    def _changed(self) -> None:
        text = self.toPlainText()
        if len(text) > MAX_PROMPT_CHARACTERS:
            self.set_text(text)
            return
        if self.history is not None and not self._recalling:
            self.history.typed()
        if self._read() is not None:
            self.was_cut, self._cutting = self._cutting, False
            self.edited.emit()

    def _read(self) -> Reading | None:
        """Read the text anew; None when only its look changed (underlining tells "changed" as well)."""
        text = self.toPlainText()
        if self._known == (text, self.reader):
            return None
        self._known = (text, self.reader)
        self.reading = self.reader.read(text)
        self.marks = _Marks.of(text, self.reading)
        self._underliner.rehighlight()
        self._show_count()
        return self.reading

    def _show_count(self) -> None:
        text, reading = self.counter(), self.reading
        self.count.setText(text)
        self.count.set_tone("warning" if reading.tokens > reading.limit else "muted")
        self.count.setVisible(bool(text))

    def _fix_height(self) -> None:
        line = max(QFontMetricsF(self.font()).lineSpacing(), type_.line_height("prompt"))
        self.setFixedHeight(round(line * self._lines + 2 * (8 + 2) + 4))

    def changeEvent(self, event) -> None:
        if event.type() == event.Type.FontChange:
            self._fix_height()
        elif event.type() == event.Type.LanguageChange:
            self._show_count()
        super().changeEvent(event)

    def insertFromMimeData(self, source) -> None:
        # Plain words only, whatever was copied, and no more than there is room for: reading all of a log takes minutes.
        if source.hasText():
            free = MAX_PROMPT_CHARACTERS - len(self.toPlainText()) + len(self.textCursor().selectedText())
            text = shown(source.text())
            self._cutting = len(text) > free
            self.insertPlainText(text[: max(0, free)])

    def minimumSizeHint(self) -> QSize:
        return QSize(80, self.height())

    def counter(self) -> str:
        """ "21 of 24 tokens" once more than half of the limit is used, else ""."""
        reading = self.reading
        if not reading.limit or reading.tokens <= reading.limit / 2:
            return ""
        return self.tr("{0} of {1} tokens").format(reading.tokens, reading.limit)
