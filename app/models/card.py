"""One model as a card: what it is, what it needs, how far it is, and the one button that takes it further."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QMenu, QProgressBar, QVBoxLayout, QWidget

from app.language import amounts, sentences
from app.look.controls import Card, IconButton, OutlinedButton, label
from app.look.glyphs import Glyph
from app.models import words
from app.models.licences import LicenceSheet
from app.models.pieces import GlyphLabel, InlineQuestion, PartList, Problem, Tag
from app.session.downloads import Downloads
from app.session.to_get import bytes_to_get
from app.system.sharing import reveal
from engine import AccessRefused, CannotWrite, EchoGenError, SizeNotAgreed
from engine.weights import ModelState

GET, PAUSE, RESUME, USE, CHOOSE = "get", "pause", "resume", "use", "choose"
_ICONS = {GET: "download", PAUSE: "pause", RESUME: "play", USE: "", CHOOSE: "folder-open"}


class ModelCard(Card):
    """See the module.

    Signals:
        filesWanted: a folder with this model's files is to be chosen.
        folderWanted: another folder for the models is to be chosen.
        licencesShown(bool): the licences are open, or closed again.
    """

    filesWanted = Signal()
    folderWanted = Signal()
    licencesShown = Signal(bool)

    def __init__(self, downloads: Downloads, state: ModelState) -> None:
        super().__init__()
        self._downloads = downloads
        self.state = state
        self._action = ""
        self._sheet: LicenceSheet | None = None
        self._asking = ""
        self.setAccessibleName(words.title(state))
        self.name = label("", "heading")
        self.size_tag, self.licence_tag = Tag(), Tag()
        self.description = label("", "body", "muted", wrap=True)
        self.needs = label("", "help", "muted", wrap=True)
        self.sign = GlyphLabel()
        self.button = OutlinedButton("")
        self.stop = IconButton("x", self.tr("Stop and remove what has arrived"))
        self.more = IconButton("ellipsis", self.tr("More for this model"))
        self.bar = QProgressBar()
        self.bar.setRange(0, 1000)
        self.bar.setTextVisible(False)
        self.amount, self.speed = label("", "section"), label("", "help", "muted")
        self.hint = label(self.tr("Paused downloads continue where they stopped."), "help", "muted")
        self.parts = PartList()
        self.problem = Problem()
        self.verdict = label("", "help", wrap=True)
        self.free = OutlinedButton(self.tr("Remove them…"), "trash-2")
        self.free.setAccessibleName(self.tr("Remove the downloaded files…"))
        self.question = InlineQuestion()
        self._lay_out()
        self.button.clicked.connect(self._press)
        self.stop.clicked.connect(self._ask_remove)
        self.more.clicked.connect(self._open_menu)
        self.free.clicked.connect(self._ask_free)
        self.problem.stepTaken.connect(self._take_step)
        self.problem.dismissed.connect(self._dismiss)
        self.question.agreed.connect(self._agreed)
        self.question.refused.connect(self.refresh)
        self.refresh()

    def _lay_out(self) -> None:
        titles = QHBoxLayout()
        titles.setSpacing(6)
        widget: QWidget
        for widget in (self.name, self.size_tag, self.licence_tag):
            titles.addWidget(widget)
        titles.addStretch(1)
        texts = QVBoxLayout()
        texts.setSpacing(2)
        texts.addLayout(titles)
        texts.addWidget(self.description)
        texts.addWidget(self.needs)
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addLayout(texts, 1)
        for widget in (self.sign, self.button, self.stop, self.more):
            top.addWidget(widget, 0, Qt.AlignmentFlag.AlignVCenter)
        numbers = QHBoxLayout()
        numbers.setSpacing(8)
        numbers.addWidget(self.amount)
        numbers.addWidget(self.speed)
        numbers.addStretch(1)
        numbers.addWidget(self.hint)
        self._column = QVBoxLayout()
        self._column.setSpacing(6)
        self._column.addLayout(top)
        self._column.addWidget(self.bar)
        self._column.addLayout(numbers)
        verdict_row = QHBoxLayout()
        verdict_row.setSpacing(8)
        verdict_row.addWidget(self.verdict, 1)
        verdict_row.addWidget(self.free, 0, Qt.AlignmentFlag.AlignVCenter)
        self._column.addWidget(self.parts)
        self._column.addLayout(verdict_row)
        for widget in (self.problem, self.question):
            self._column.addWidget(widget)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 12, 16, 12)
        row.setSpacing(14)
        row.addWidget(Glyph("package", "text", 20, tile=40), 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(self._column, 1)

    # Showing

    @Slot()
    def refresh(self) -> None:
        """Look at the model again."""
        state = self._downloads.state(self.state.name)
        if state is None:
            return
        # A button that goes would hand the focus to another model's.
        focused = self.window().focusWidget()
        keeps_focus = state.phase != self.state.phase and focused is not None and self.isAncestorOf(focused)
        if keeps_focus:
            self.setFocus(Qt.FocusReason.OtherFocusReason)
        self.state = state
        in_use = self._downloads.is_open(state)
        self.name.setText(words.title(state))
        # What it costs to have it: what is fetched before, what it takes on the disk after.
        fetched = state.fetchable and not state.installed
        size = bytes_to_get(state) if fetched else state.size
        self.size_tag.setText(self.tr("{0} to download").format(amounts.size(size)) if fetched else amounts.size(size))
        self.size_tag.setVisible(size > 0)
        self.licence_tag.setText(words.licence_names(state.licence))
        self.licence_tag.setVisible(bool(state.licence))
        self.description.setText(words.description(state))
        self.show_needs()
        self._show_button(state, in_use)
        self._show_progress(state)
        self._show_verdict()
        if keeps_focus and focused is not None:
            places = (focused, self.button, self.problem.step, self.free, self.more)
            place = next((place for place in places if place.isVisibleTo(self)), self)
            place.setFocus(Qt.FocusReason.OtherFocusReason)

    def show_needs(self) -> None:
        """Show how much memory drawing with the model takes on this computer."""
        plan = words.best_plan(self._downloads.plans(self.state)) if self.state.bundle else None
        self.needs.setVisible(plan is not None and not self.state.shipped)
        if plan is not None:
            text = [words.plan_needs(plan), *words.plan_notes(plan)[:1]]
            self.needs.setText(sentences.in_a_row(text))
            tone = "warning" if not plan.fits else "muted"
            if self.needs.property("tone") != tone:
                self.needs.setProperty("tone", tone)
                self.needs.style().polish(self.needs)

    def _show_button(self, state: ModelState, in_use: bool) -> None:
        if state.working:
            action, text = PAUSE, self.tr("Stop") if state.phase in ("checking", "importing") else self.tr("Pause")
        elif state.installed:
            action, text = (USE, self.tr("Use")) if state.bundle and not in_use else ("", "")
        elif not state.fetchable:
            action, text = CHOOSE, self.tr("Choose files…")
        elif state.done:
            action, text = RESUME, self.tr("Resume")
        else:
            action, text = GET, self.tr("Get")
        self._action = action
        error = None if state.working else self._downloads.problem(state.name)
        step = self._step(error) if error is not None else ""
        self.problem.show_error(error, step, dismissable=state.installed)
        # One button for one model: the problem's own while there is one.
        self.button.setVisible(bool(action) and self._sheet is None and not step)
        if action:
            self.button.setText(text)
            self.button.setAccessibleName(f"{text}, {words.title(state)}")
            self.button.set_icon_name(_ICONS[action])
        self.sign.setVisible(state.installed and not state.working)
        self.sign.set_text(self.tr("In use") if in_use else self.tr("Ready"))
        unfinished = not state.installed and state.done > 0
        self.stop.setVisible(unfinished and state.phase != "importing")
        self.more.setVisible(state.installed and not state.working)

    def _show_progress(self, state: ModelState) -> None:
        shown = state.working or (not state.installed and state.done > 0)
        for widget in (self.bar, self.amount, self.speed):
            widget.setVisible(shown)
        self.hint.setVisible(shown and state.fetchable and state.phase in ("asking", "fetching", "paused", "failed"))
        self.parts.setVisible(shown and state.phase in ("asking", "fetching", "paused", "failed"))
        if not shown:
            return
        by_bytes = state.phase in ("asking", "fetching", "paused", "failed")
        share = (state.done / state.total if state.total else 0.0) if by_bytes else state.fraction
        self.bar.setValue(round(1000 * share))
        self.bar.setAccessibleName(f"{words.title(state)}, {round(100 * share)} %")
        self.amount.setText(amounts.amount(state.done, state.total) if by_bytes else words.phase(state))
        self.speed.setText((words.speed(state) or words.phase(state)) if by_bytes else "")
        self.parts.show_parts(state.parts, state.phase == "fetching")

    def _show_verdict(self) -> None:
        state, wrong = self.state, self._downloads.wrong_files(self.state.name)
        tone = "muted"
        if wrong:
            tone = "danger"
            names = sentences.listed(wrong[:3]) + ("…" if len(wrong) > 3 else "")
            told = [self.tr("Damaged or missing: {0}.").format(names)]
            # What was converted is made anew as a whole; what was fetched is fetched again by itself.
            told.append(
                self.tr("Remove it and get it again.")
                if state.installed
                else self.tr("Press Get to download these files again.")
            )
        else:
            told = [self.tr("Every file is as it should be.")] if wrong is not None else []
            if state.originals and state.installed:
                size = amounts.size(state.originals)
                told.append(self.tr("The downloaded files, {0}, are not needed any more.").format(size))
        text = sentences.in_a_row(told)
        asked = self.question.isVisible() and self._asking == "free"
        self.free.setVisible(
            bool(state.originals and state.installed and not wrong and not state.working and not asked)
        )
        self.verdict.setText(text)
        self.verdict.setVisible(bool(text) and not state.working)
        if self.verdict.property("tone") != tone:
            self.verdict.setProperty("tone", tone)
            self.verdict.style().polish(self.verdict)

    def _step(self, error: EchoGenError) -> str:
        """The word on the problem's button."""
        if isinstance(error, CannotWrite) and not self.state.installed:
            return self.tr("Choose another folder…")
        if self.state.installed or not self.state.fetchable:
            return ""
        if isinstance(error, AccessRefused):
            return self.tr("Enter access token…")
        if isinstance(error, SizeNotAgreed):
            return self.tr("Fetch it all the same")
        return self.tr("Resume") if self.state.done else self.tr("Try again")

    # Doing

    @property
    def action(self) -> str:
        """The action of the button: "get", "pause", "resume", "use", "choose" or ""."""
        return self._action

    @property
    def sheet(self) -> LicenceSheet | None:
        """The licences, while they are shown."""
        return self._sheet

    @Slot()
    def _press(self) -> None:
        name = self.state.name
        if self._action == PAUSE:
            self._downloads.pause(name)
        elif self._action == USE:
            self._downloads.use(name)
        elif self._action == CHOOSE:
            self.filesWanted.emit()
        elif self._action in (GET, RESUME):
            self.begin()

    def begin(self) -> None:
        """Fetch it; the licences are shown first where one was not accepted yet."""
        if self._action == RESUME and all(part.accepted for part in self._downloads.store.licences(self.state.name)):
            self._downloads.get(self.state.name)
        else:
            self._show_licences()

    def _show_licences(self) -> None:
        if self._sheet is None:
            self._sheet = LicenceSheet(self._downloads, self.state.name)
            self._sheet.accepted.connect(self._accepted)
            self._sheet.refused.connect(self._close_sheet)
            self._column.addWidget(self._sheet)
            self._sheet.show()
            self.refresh()
            self._sheet.accept.setFocus(Qt.FocusReason.OtherFocusReason)
            self.licencesShown.emit(True)

    @Slot()
    def _accepted(self) -> None:
        also = self._sheet.also() if self._sheet is not None else ()
        self._close_sheet()
        for name in (*also, self.state.name):
            self._downloads.get(name)

    @Slot()
    def _close_sheet(self) -> None:
        if self._sheet is not None:
            self._sheet.hide()
            self._sheet.deleteLater()
            self._sheet = None
            self.refresh()
            self.button.setFocus(Qt.FocusReason.OtherFocusReason)
            self.licencesShown.emit(False)

    @Slot()
    def _take_step(self) -> None:
        error = self._downloads.problem(self.state.name)
        if isinstance(error, CannotWrite):
            self.folderWanted.emit()
        elif isinstance(error, AccessRefused):
            self._show_licences()
        elif isinstance(error, SizeNotAgreed):
            self._downloads.get(self.state.name, all_of_it=True)
        else:
            self._press()

    @Slot()
    def _dismiss(self) -> None:
        self._downloads.dismiss(self.state.name)

    @Slot()
    def _open_menu(self) -> None:
        menu = self.make_menu()
        corner = self.more.mapToGlobal(self.more.rect().bottomRight())
        menu.popup(QPoint(corner.x() - menu.sizeHint().width(), corner.y() + 4))

    def make_menu(self) -> QMenu:
        """The other actions on a model that is here."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(self.tr("Verify")).triggered.connect(self.verify)
        if self.state.folder is not None:
            menu.addAction(self.tr("Show in the folder")).triggered.connect(self._reveal)
        if self.state.originals:
            menu.addAction(self.tr("Remove the downloaded files…")).triggered.connect(self._ask_free)
        if not self.state.shipped:
            menu.addAction(self.tr("Remove…")).triggered.connect(self._ask_remove)
        return menu

    @Slot()
    def verify(self) -> None:
        """Hash every file again."""
        self._downloads.verify(self.state.name)

    @Slot()
    def _reveal(self) -> None:
        if self.state.folder is not None:
            reveal(self.state.folder)

    @Slot()
    def _ask_remove(self) -> None:
        state = self.state
        self._asking = "remove"
        size = (state.size + state.originals) if state.installed else state.done
        again = (
            self.tr("It can be fetched again.")
            if state.fetchable
            else self.tr("It can be imported again from its files.")
        )
        self.question.ask(
            self.tr("Remove {0} from this computer? {1} become free.").format(words.title(state), amounts.size(size))
            + f" {again}",
            self.tr("Remove"),
        )

    @Slot()
    def _ask_free(self) -> None:
        self._asking = "free"
        self.free.hide()
        self.question.ask(
            self.tr("Remove the files that {0} was made from? {1} become free; drawing does not need them.").format(
                words.title(self.state), amounts.size(self.state.originals)
            ),
            self.tr("Remove"),
        )

    @Slot()
    def _agreed(self) -> None:
        self.question.hide()
        if self._asking == "free":
            self._downloads.free_originals(self.state.name)
        else:
            self._downloads.remove(self.state.name)
