"""A list of prompts: one a line, how many pictures that makes, and the pictures in a table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QPlainTextEdit, QStackedWidget, QVBoxLayout, QWidget

from app.dialogs.frame import Dialog
from app.language import sentences
from app.language.amounts import rough_seconds
from app.lists.table import PictureTable
from app.look.controls import OutlinedButton, PlainButton, PrimaryButton, label
from app.look.layout import FlowLayout
from app.session.list_run import ListRun
from app.session.prompt_source import PromptSource, listed_of, open_source
from app.session.state import SessionState
from app.session.values import compose, for_next_picture
from app.shortcuts import keymap, sequences
from app.store.picture_files import with_suffix
from app.system import background
from app.system.failures import in_words
from engine import InputError, ListedRequest, Sentence, write_requests

_WRITE, _SEE = 0, 1


class ListDialog(Dialog):
    """See the module. Drawing goes on when it is closed.

    Args:
        source: the list as it was left.
        can_draw: whether pictures can be drawn now, and why not.

    Signals:
        sourceChanged(object): the list is another one, a ``PromptSource``.
        drawRequested(object): draw these ``ListedRequest``.
        opened(int): show this picture of the history.
        sheetRequested(object), folderRequested(object): save the pictures to this ``Path``, on one sheet or one by one.
        stopRequested: draw nothing more of it.
    """

    sourceChanged = Signal(object)
    drawRequested = Signal(object)
    opened = Signal(int)
    sheetRequested = Signal(object)
    folderRequested = Signal(object)
    stopRequested = Signal()

    def __init__(
        self,
        state: SessionState,
        run: ListRun,
        source: PromptSource,
        can_draw: Callable[[], tuple[bool, str]],
        folder: Path,
        window: QWidget,
    ) -> None:
        super().__init__("", window, 880, 640)
        self._state, self._run, self._source, self._can_draw, self._folder = state, run, source, can_draw, folder
        self._listed: tuple[ListedRequest, ...] = ()
        self.setWindowTitle(self.tr("A list of prompts"))
        self.setAccessibleName(self.tr("A list of prompts"))
        self.title.setText(self.tr("A list of prompts"))
        self.pages = QStackedWidget()
        self.pages.addWidget(self._writing_page())
        self.pages.addWidget(self._results_page())
        self.body.addWidget(self.pages, 1)
        self.outcome, self.fault = label("", "help", "muted", wrap=True), label("", "help", "danger", wrap=True)
        self.report("")
        for signal in (state.requestChanged, state.engineChanged, state.maskChanged, state.jobChanged):
            signal.connect(self._count)
        state.jobChanged.connect(self._told)  # also when the engine stopped: what is held is to be gone on with
        run.begun.connect(self._begun)
        run.changed.connect(self._drawn)
        run.ended.connect(self._told)
        self._show_source()
        self.edit.setFocus()
        if run.listed:
            self._begun()

    def report(self, text: str, failed: bool = False) -> None:
        """Tell what has become of the pictures or the list: a toast or a banner of the window would lie behind the dialog. The
        line takes its room from the page above the buttons, which stay where they are."""
        page = self.pages.currentWidget()
        column = page.layout() if page is not None else None
        assert isinstance(column, QVBoxLayout)
        for line, words in ((self.outcome, "" if failed else text), (self.fault, text if failed else "")):
            column.removeWidget(line)
            column.insertWidget(column.count() - 1, line)
            line.setText(words)
            line.setVisible(bool(words))

    def _writing_page(self) -> QWidget:
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        words = self.tr("One prompt a line. {red|blue} draws the line once with each; {subject} is the subject's name.")
        column.addWidget(label(words, "help", "muted", wrap=True))
        self.edit = QPlainTextEdit()
        self.edit.setObjectName("listEdit")
        self.edit.setTabChangesFocus(True)
        self.edit.setAccessibleName(self.tr("Prompts, one a line"))
        self.edit.setPlaceholderText(self.tr("a {subject} in the {snow|jungle}"))
        self.edit.textChanged.connect(self._typed)
        column.addWidget(self.edit, 1)
        self.file_row = QWidget()
        row = QHBoxLayout(self.file_row)
        row.setContentsMargins(0, 0, 0, 0)
        self.file = label("", "body", wrap=True)
        self.leave_file = PlainButton(self.tr("Write a list instead"))
        self.leave_file.clicked.connect(self._leave_file)
        row.addWidget(self.file, 1)
        row.addWidget(self.leave_file)
        column.addWidget(self.file_row)
        self.count = label("", "body", wrap=True)
        self.count.setObjectName("listCount")
        self.problem = label("", "help", "danger", wrap=True)
        self.problem.setObjectName("listProblem")
        self.notes = label("", "help", "muted", wrap=True)
        for line in (self.count, self.problem, self.notes):
            column.addWidget(line)
        self.scenes = PlainButton(self.tr("All scenes of this model"), "layers")
        self.open_button = PlainButton(self.tr("Open a list…"), "folder-open")
        self.keep_button = PlainButton(self.tr("Save for batch…"))
        self.keep_button.setToolTip(self.tr("As JSON lines of requests, which the command line's batch draws"))
        self.results = OutlinedButton(self.tr("Pictures"))
        self.draw = PrimaryButton(self.tr("Draw the list"))
        self.draw.setObjectName("drawList")
        self.draw.set_hint(keymap.shown("generate"))
        enter = QAction(page)
        enter.setShortcuts(sequences(keymap.keys("generate")))
        enter.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        enter.triggered.connect(self.draw.click)  # one that rests does nothing
        page.addAction(enter)
        self.scenes.clicked.connect(self._take_scenes)
        self.open_button.clicked.connect(self._choose_file)
        self.keep_button.clicked.connect(self._choose_target)
        self.results.clicked.connect(self._see)
        self.draw.clicked.connect(self._draw)
        column.addLayout(_footer((self.scenes, self.open_button, self.keep_button), (self.results, self.draw)))
        return page

    def _results_page(self) -> QWidget:
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        self.told = label("", "body", "muted", wrap=True)
        self.told.setObjectName("listTold")
        self.table = PictureTable()
        self.table.opened.connect(self._open)
        column.addWidget(self.told)
        column.addWidget(self.table, 1)
        self.sheet = OutlinedButton(self.tr("Save one sheet…"))
        self.files = OutlinedButton(self.tr("Save all pictures…"))
        self.rest = PlainButton(self.tr("Draw the rest"))
        self.stop = PlainButton(self.tr("Stop"), "square")
        self.back = PlainButton(self.tr("The list"), "chevron-left")
        self.sheet.clicked.connect(self._choose_sheet)
        self.files.clicked.connect(self._choose_folder)
        self.rest.clicked.connect(self._draw_rest)
        self.stop.clicked.connect(self.stopRequested)
        self.back.clicked.connect(self._write)
        column.addLayout(_footer((self.back, self.rest, self.stop), (self.sheet, self.files)))
        return page

    # The list

    def _set_source(self, source: PromptSource) -> None:
        self._source = source
        self.sourceChanged.emit(source)
        self._show_source()

    def _show_source(self) -> None:
        source = self._source
        self.edit.blockSignals(True)
        if self.edit.toPlainText() != source.shown:
            self.edit.setPlainText(source.shown)
        self.edit.blockSignals(False)
        self.edit.setReadOnly(bool(source.file))
        self.file_row.setVisible(bool(source.file))
        words = self.tr("{0}: its requests are drawn as they are.") if source.requests else self.tr("From {0}.")
        self.file.setText(words.format(source.file))
        self._count()

    @Slot()
    def _typed(self) -> None:
        self._source = PromptSource(text=self.edit.toPlainText())
        self.sourceChanged.emit(self._source)
        self._count()

    @Slot()
    def _leave_file(self) -> None:
        """Go on by hand with the prompts of the file; its settings go."""
        self._set_source(PromptSource(text=self._source.shown))
        self.edit.setFocus()

    @Slot()
    def _count(self) -> None:
        """Say how many pictures the list makes, or why it cannot be drawn."""
        state, source = self._state, self._source
        subject, values, manifest = state.subject, state.values, state.engine.manifest
        language = manifest.language if manifest is not None else None
        self.scenes.setEnabled(language is not None and bool(language.scenes))
        self.scenes.setToolTip("" if self.scenes.isEnabled() else self.tr("This model takes any words"))
        self.results.setVisible(bool(self._run.listed))
        name = subject.name if subject is not None else ""
        problem, count, words = "", "", ""
        self._listed = ()
        try:
            if source.file or source.text.strip():
                first, *further = state.cut_outs or (None,)
                views = [cut_out for cut_out in further if cut_out is not None]
                base = compose(replace(values, prompt="", kept=None, region=None), first, name, views)
                self._listed = listed_of(source, base, values.count, name, manifest)
        except InputError as error:
            problem = sentences.of_error(error)
        if self._listed:
            pictures = len(self._listed)
            count = self.tr("1 picture") if pictures == 1 else self.tr("{0} pictures").format(pictures)
            if values.count > 1 and not source.requests:
                count = self.tr("{0}, {1} of each prompt").format(count, values.count)
            if state.expected_seconds:
                count = self.tr("{0}, about {1}").format(count, rough_seconds(state.expected_seconds * pictures))
            unknown = language.unknown_words("\n".join(one.request.prompt for one in self._listed)) if language else ()
            if unknown:
                words = self.tr("This model does not know: {0}").format(sentences.listed(unknown[:8]))
                words += "…" if len(unknown) > 8 else ""
        possible, why = self._can_draw()
        if self._listed and not possible and not source.requests:
            problem = why
        self.count.setText(count)
        self.problem.setText(problem)
        self.notes.setText("\n".join(part for part in (sentences.joined(source.notes), words) if part))
        for line in (self.count, self.problem, self.notes):
            line.setVisible(bool(line.text()))
        self.keep_button.setEnabled(bool(self._listed))
        self.draw.setEnabled(bool(self._listed) and not problem and not self._run.busy)
        self.draw.setToolTip(self.tr("The list before is still being drawn") if self._run.busy else "")

    @Slot()
    def _take_scenes(self) -> None:
        """Every scene that the model offers, one a line, with the subject's name."""
        manifest, subject = self._state.engine.manifest, self._state.subject
        if manifest is None or manifest.language is None:
            return
        name = subject.name if subject is not None else ""
        lines = [scene.sentence(name) for scene in manifest.language.scenes]
        self._set_source(PromptSource(text="\n".join(lines)))

    @Slot()
    def _choose_file(self) -> None:
        kinds = self.tr("Lists") + " (*.txt *.csv *.tsv *.jsonl *.ndjson)"
        chosen, _ = QFileDialog.getOpenFileName(self, self.tr("Open a list"), str(self._folder), kinds)
        if chosen:
            subject = self._state.subject
            name = subject.name if subject is not None else ""
            background.run(open_source, Path(chosen), name, done=self._set_opened, failed=self._not_opened)

    @Slot(object)
    def _set_opened(self, source: PromptSource) -> None:
        self._set_source(source)

    @Slot(object)
    def _not_opened(self, error: Exception) -> None:
        known = in_words(error, Sentence("The list could not be read: {error}", error=error))
        self.problem.setText(sentences.of_error(known))
        self.problem.show()

    @Slot()
    def _choose_target(self) -> None:
        start = str(self._folder / "list.jsonl")
        chosen, _ = QFileDialog.getSaveFileName(self, self.tr("Save for batch"), start, "JSON lines (*.jsonl)")
        if chosen:
            requests = [one.request for one in self._listed]
            background.run(_write_list, Path(chosen), requests, done=self._list_written, failed=self._not_opened)

    @Slot(object)
    def _list_written(self, file: Path) -> None:
        self.report(sentences.saved_to(file))

    @Slot()
    def _draw(self) -> None:
        self._state.set_values(for_next_picture(self._state.values))  # as Generate: a new seed unless it is kept
        self._count()
        if self._listed:
            self.drawRequested.emit(self._listed)

    # The pictures

    @Slot()
    def _begun(self) -> None:
        self._see()
        self.table.set_labels([(one.row, one.column) for one in self._run.listed], self.body_width())
        for place in range(len(self._run.listed)):
            self._drawn(place)
        self._told()

    @Slot(int)
    def _drawn(self, place: int) -> None:
        found = self._run.pictures[place]
        self.table.show_image(place, found.image if found is not None else None)
        self._told()

    @Slot()
    def _told(self) -> None:
        run = self._run
        words = self.tr("{0} of {1} pictures") if run.done < len(run.listed) else self.tr("All {1} pictures are drawn")
        self.told.setText(words.format(run.done, len(run.listed)))
        saved = any(found is not None and found.picture is not None for found in run.pictures)
        self.sheet.setEnabled(saved)
        self.files.setEnabled(saved)
        self.stop.setVisible(run.busy and not run.paused)
        self.rest.setVisible((not run.busy or run.paused) and run.done < len(run.listed))

    @Slot()
    def _draw_rest(self) -> None:
        self.report("")
        self._run.draw_rest()
        self._told()

    @Slot()
    def _see(self) -> None:
        self.pages.setCurrentIndex(_SEE)
        self.report("")
        self.back.setFocus()

    @Slot()
    def _write(self) -> None:
        self.pages.setCurrentIndex(_WRITE)
        self.report("")
        self.edit.setFocus()
        self._count()

    @Slot(int)
    def _open(self, place: int) -> None:
        found = self._run.pictures[place]
        if found is not None and found.picture is not None:
            self.opened.emit(found.picture.id)
            self.accept()

    @Slot()
    def _choose_sheet(self) -> None:
        kinds = "PNG (*.png);;WebP (*.webp);;JPEG (*.jpg *.jpeg)"
        start = str(self._folder / "sheet.png")
        chosen, _ = QFileDialog.getSaveFileName(self, self.tr("Save one sheet"), start, kinds)
        if chosen:
            self.sheetRequested.emit(Path(chosen))

    @Slot()
    def _choose_folder(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, self.tr("Save to a folder"), str(self._folder))
        if chosen:
            self.folderRequested.emit(Path(chosen))


def _write_list(file: Path, requests: list) -> Path:
    file = with_suffix(file, ".jsonl")
    write_requests(file, requests)
    return file


def _footer(left: Sequence[QWidget], right: Sequence[QWidget]) -> QHBoxLayout:
    """The buttons of a page. Those on the left take further lines where the text is large and the window small."""
    row, flow = QHBoxLayout(), FlowLayout()
    for button in left:
        flow.addWidget(button)
    row.addLayout(flow, 1)
    for button in right:
        row.addWidget(button, 0, Qt.AlignmentFlag.AlignBottom)
    return row
