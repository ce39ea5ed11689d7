"""The right panel: prompt, strengths, shape, seed, and the button that draws."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtWidgets import QMenu, QVBoxLayout, QWidget

from app.prompt.agreement import Agreement
from app.prompt.parts import short
from app.prompt.sheet import BUILT_LATER, PromptSheet
from app.prompt.vocabulary import (
    PromptHistory,
    PromptReader,
    braces_sentence,
    cut_sentence,
    dropped_sentence,
    unknown_sentence,
)
from app.session.state import SessionState
from app.session.values import (
    PanelValues,
    Recall,
    can_keep,
    can_redraw,
    compose,
    for_next_picture,
    help_line,
    is_same_picture,
    kept_sentence,
    recall,
    shape_name,
    with_new_seed,
)
from app.session.wording import Wording
from app.system.deferred import PAINTED_MS, TURN_MS

if TYPE_CHECKING:
    from engine import Dial, GenerationRequest
    from engine.bundle import BundleManifest

_MENU_LENGTH = 12


class PromptPanel(QWidget):
    """Reads and writes ``state.values``; everything else it shows it takes from the state's signals.

    Signals:
        generateRequested, cancelRequested: the buttons at the bottom.
        ideasRequested: draw only the coarse scales of four seeds.
        resumeRequested, dropRequested: draw what is not drawn yet, or forget it.
        queueRequested: show the queue.
        nameWanted: the subject has no name, and a sentence needs one.

    Attributes:
        sheet: the widgets; for whoever needs one of them as a place (of a menu, of the focus) or has a button's slot.
        wording: keeps the prompt and the subject's name in agreement.
    """

    generateRequested = Signal()
    cancelRequested = Signal()
    ideasRequested = Signal()
    resumeRequested = Signal()
    dropRequested = Signal()
    queueRequested = Signal()
    nameWanted = Signal()

    def __init__(self, state: SessionState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("promptPanel")
        self.history = PromptHistory()
        self.sheet = PromptSheet(self.history)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self.sheet)
        self.state = state
        self.wording = Wording(state, self)
        self._agreement = Agreement(self.sheet, state, self.wording, self)
        self._agreement.nameWanted.connect(self.nameWanted)
        self._manifest: BundleManifest | None = None
        self._connect()
        self._show_values()
        self._show_engine()
        self._show_jobs()
        self._agreement.show()

    def complete(self) -> None:
        """Build what is folded when the window opens, if it is not there yet."""
        sheet = self.sheet
        if sheet.whole:
            return
        sheet.complete()
        sheet.prompt_strength.dialChanged.connect(self._prompt_strength_moved)
        sheet.subject_strength.dialChanged.connect(self._subject_strength_moved)
        sheet.look.dialChanged.connect(self._look_moved)
        sheet.temperature.dialChanged.connect(self._temperature_moved)
        sheet.top_p.dialChanged.connect(self._top_p_moved)
        sheet.apart.toggled.connect(self._set_apart)
        sheet.best.toggled.connect(self._set_best)
        sheet.shape.sizeChosen.connect(self._size_chosen)
        sheet.count.valueChanged.connect(self._count_chosen)
        sheet.seed.seedChanged.connect(self._seed_typed)
        sheet.seed.lockChanged.connect(self._seed_locked)
        sheet.seed.rollRequested.connect(self.roll_seed)
        sheet.retranslated.connect(self._show_shapes)
        self._show_fields()

    def _connect(self) -> None:
        sheet = self.sheet
        sheet.prompt.edited.connect(self._prompt_edited)
        sheet.negative.edited.connect(self._negative_edited)
        sheet.history_button.clicked.connect(self._show_history)
        sheet.ideas_button.clicked.connect(self.ideasRequested)
        sheet.generate.clicked.connect(self.generateRequested)
        sheet.cancel.clicked.connect(self.cancelRequested)
        sheet.let_go.clicked.connect(self.let_scales_go)
        sheet.resume_button.clicked.connect(self.resumeRequested)
        sheet.drop_button.clicked.connect(self.dropRequested)
        sheet.queue_button.clicked.connect(self.queueRequested)
        sheet.again_button.clicked.connect(self.generateRequested)
        sheet.retranslated.connect(self._show_values)
        sheet.retranslated.connect(self._show_jobs)
        state = self.state
        state.requestChanged.connect(self._show_values)
        state.engineChanged.connect(self._show_engine)
        for signal in (state.photoChanged, state.promptChanged):
            signal.connect(self._read_anew)
        for signal in (state.engineChanged, state.jobChanged, state.preparedChanged, state.photoChanged):
            signal.connect(self._show_jobs)
        state.maskChanged.connect(self._show_jobs)
        state.requestChanged.connect(self._show_jobs)
        state.resultChanged.connect(self._show_jobs)

    # What the window asks for

    def set_open_sections(self, sections: dict[str, Any]) -> None:
        """Open and fold the sections as they were, with the fields of those that are open."""
        if any(sections.get(name) for name in BUILT_LATER):
            self.complete()
        self.sheet.set_open_sections(sections)

    def remember(self, prompt: str) -> None:
        """A prompt was drawn: Alt+↑ brings it back."""
        self.history.add(prompt)

    def prompt_history(self) -> tuple[str, ...]:
        """For the session, newest last."""
        return tuple(self.history.entries)

    def set_prompt_history(self, entries: Sequence[str]) -> None:
        self.history.entries = list(entries)[-self.history.limit :]

    def for_next_picture(self) -> PanelValues:
        """The values to draw with; they are in the state and on the screen when this returns. Unless the seed is locked, it
        is a new one."""
        self.state.set_values(for_next_picture(self.state.values))
        return self.state.values

    def recall(self, request: GenerationRequest, what: Recall = "all") -> str:
        """Fill the panel from an earlier request; returns a sentence for the user, or ""."""
        values, note = recall(request, self.state.values, what, self._manifest)
        self.state.set_values(values)
        return note

    @Slot()
    def roll_seed(self) -> None:
        """A new seed, once."""
        self.state.set_values(with_new_seed(self.state.values))

    @Slot()
    def toggle_seed_lock(self) -> None:
        self.state.update_values(seed_locked=not self.state.values.seed_locked)

    @Slot()
    def let_scales_go(self) -> None:
        """Draw every scale anew again."""
        if self.sheet.let_go.hasFocus():
            self.sheet.generate.setFocus(Qt.FocusReason.OtherFocusReason)
        self.state.update_values(kept=None, region=None)

    @Slot()
    def focus_prompt(self) -> None:
        self.sheet.prompt.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.sheet.area.verticalScrollBar().setValue(0)  # it is the first, and its heading is seen whole

    # From the widgets to the state

    @Slot()
    def _prompt_edited(self) -> None:
        self.state.update_values(prompt=self.sheet.prompt.text())
        self._show_words()

    @Slot()
    def _negative_edited(self) -> None:
        self.state.update_values(negative_prompt=self.sheet.negative.text())
        self._show_words()

    @Slot(object)
    def _prompt_strength_moved(self, dial: Dial) -> None:
        self.state.update_values(prompt_strength=dial)

    @Slot(object)
    def _subject_strength_moved(self, dial: Dial) -> None:
        self.state.update_values(subject_strength=dial)

    @Slot(object)
    def _look_moved(self, dial: Dial) -> None:
        self.state.update_values(look_strength=dial)

    @Slot(object)
    def _temperature_moved(self, dial: Dial) -> None:
        self.state.update_values(temperature=dial)

    @Slot(object)
    def _top_p_moved(self, value: float) -> None:
        self.state.update_values(top_p=value)

    @Slot(bool)
    def _set_apart(self, apart: bool) -> None:
        values = self.state.values
        self.state.update_values(look_strength=values.subject_strength if apart else None)

    @Slot(bool)
    def _set_best(self, best: bool) -> None:
        self.state.update_values(best_first=best)

    @Slot(object)
    def _size_chosen(self, size: tuple[int, int]) -> None:
        # Scales belong to a shape.
        self.state.update_values(size=size, kept=None, region=None)

    @Slot(int)
    def _count_chosen(self, count: int) -> None:
        self.state.update_values(count=count)

    @Slot(object)
    def _seed_typed(self, seed: int) -> None:
        # Who types a seed means to use it.
        self.state.update_values(seed=seed, seed_locked=True)

    @Slot(bool)
    def _seed_locked(self, locked: bool) -> None:
        self.state.update_values(seed_locked=locked)

    # From the state to the widgets

    @Slot()
    def _show_values(self) -> None:
        sheet = self.sheet
        values = self.state.values
        if values.prompt != sheet.prompt.text():
            self._keep_words(sheet.prompt.text())
            sheet.prompt.set_text(values.prompt)
        if values.negative_prompt != sheet.negative.text():
            sheet.negative.set_text(values.negative_prompt)
        if sheet.whole:
            self._show_fields()
        sheet.set_kept(kept_sentence(values.kept, values.region))
        self._summarise()
        self._show_words()

    def _show_fields(self) -> None:
        sheet, values = self.sheet, self.state.values
        sheet.prompt_strength.set_dial(values.prompt_strength)
        sheet.subject_strength.set_dial(values.subject_strength)
        sheet.temperature.set_dial(values.temperature)
        sheet.top_p.set_dial(values.top_p)
        apart = values.look_strength is not None
        sheet.apart.blockSignals(True)
        sheet.apart.setChecked(apart)
        sheet.apart.blockSignals(False)
        sheet.look.setVisible(apart)
        sheet.best.blockSignals(True)
        sheet.best.setChecked(values.best_first)
        sheet.best.blockSignals(False)
        scale = self._manifest.likeness if self._manifest is not None else None
        sheet.best.setVisible(values.count > 1 and scale is not None and scale.tells)
        if values.look_strength is not None:
            sheet.look.set_dial(values.look_strength)
        sheet.subject_strength.setLabel(self.tr("Keep the identity") if apart else self.tr("Keep the subject"))
        sheet.shape.set_size(values.size)
        sheet.count.blockSignals(True)
        sheet.count.setValue(values.count)
        sheet.count.blockSignals(False)
        sheet.seed.set_seed(values.seed)
        sheet.seed.set_locked(values.seed_locked)

    def _keep_words(self, prompt: str) -> None:
        """Put a prompt that somebody wrote into the history before another takes its place."""
        examples = self._manifest.examples if self._manifest is not None else ()
        if prompt.strip() not in {example.prompt.strip() for example in examples}:
            self.history.add(prompt)

    @Slot()
    def _show_engine(self) -> None:
        sheet = self.sheet
        manifest = self.state.engine.manifest
        if manifest is self._manifest or manifest is None:
            return
        self.complete()  # some of it is in the fields
        kept, size = self.state.values.kept, self.state.values.size
        fits = can_keep if self.state.values.region is None else can_redraw
        other = self._manifest is not None and self._manifest.identity != manifest.identity
        if kept is not None and (other or not fits(kept, manifest, size)):
            self.state.update_values(kept=None, region=None)
        self._manifest = manifest
        defaults = manifest.request_defaults()
        for slider, name in (
            (sheet.prompt_strength, "prompt_strength"),
            (sheet.subject_strength, "subject_strength"),
            (sheet.look, "subject_strength"),
            (sheet.temperature, "temperature"),
            (sheet.top_p, "top_p"),
        ):
            value = defaults[name]
            slider.setDefault(sum(value) / len(value) if isinstance(value, tuple) else value)
        sheet.shape.set_sizes(manifest.sizes)
        self._show_shapes()
        sheet.shape.set_size(self.state.values.size)
        quick = PromptReader(manifest.text_limit, manifest.language)
        sheet.prompt.set_reader(quick.with_name(self._name()))
        sheet.negative.set_reader(quick)
        # After all others have heard of the model, and the window has painted what they show of it.
        QTimer.singleShot(TURN_MS, self, self._show_scenes)
        self._show_values()

    @Slot()
    def _show_scenes(self) -> None:
        """The scenes of the model; and then, in turns of their own, show them and find out how it splits a prompt into tokens."""
        folder = self.state.engine.folder
        language = self._manifest.language if self._manifest is not None else None
        scenes = language.scenes if language is not None else ()
        self.sheet.chips.set_scenes(scenes, folder)
        QTimer.singleShot(TURN_MS, self, self._show_chips)
        # First they are painted: beside a thread that runs Python it would take twice as long.
        QTimer.singleShot(PAINTED_MS, self, self._read_tokens)

    @Slot()
    def _show_chips(self) -> None:
        self.sheet.scenes.setVisible(bool(self.sheet.chips.scenes))

    @Slot()
    def _read_tokens(self) -> None:
        """Take the way in which the model splits a prompt into tokens."""
        from app.system import background

        folder = self.state.engine.folder
        if self._manifest is not None and folder is not None:
            background.run(_read_bundle, self._manifest, folder, done=self._reader_ready)

    @Slot()
    def _show_shapes(self) -> None:
        """One shape alone is said; there is nothing to choose."""
        sheet = self.sheet
        several = len(sheet.shape.sizes()) > 1
        for widget in (sheet.shape, sheet.shape_label):
            widget.setVisible(several)
        sheet.only_shape.setVisible(not several)
        sizes = sheet.shape.sizes()
        if sizes:
            name, (width, height) = shape_name(sizes[0]), sizes[0]
            pixels = f"{width}\u00a0×\u00a0{height}"
            sheet.only_shape.setText(self.tr("This model draws one shape: {0}, {1} pixels").format(name, pixels))

    @Slot(object)
    def _reader_ready(self, result: tuple[BundleManifest, PromptReader]) -> None:
        manifest, reader = result
        if manifest is self._manifest:
            self.sheet.prompt.set_reader(reader.with_name(self._name()))
            self.sheet.negative.set_reader(reader)
            self._show_words()

    def _name(self) -> str:
        return self.state.subject.name if self.state.subject is not None else ""

    @Slot()
    def _read_anew(self) -> None:
        """Another subject, or another name of it: which words are unknown depends on it."""
        prompt = self.sheet.prompt
        reader = prompt.reader.with_name(self._name())
        if reader is not prompt.reader:
            prompt.set_reader(reader)
            self._show_words()

    @Slot()
    def _show_jobs(self) -> None:
        sheet = self.sheet
        jobs, values = self.state.jobs, self.state.values
        ready = self.state.readiness()
        possible, text = help_line(ready, values.count)
        pressed = jobs.busy or jobs.waiting > 0  # a press before the model is there is seen, too
        sheet.show_stop(pressed)
        sheet.generate.setEnabled(possible or ready.is_coming)
        sheet.generate.setToolTip("" if possible else text)
        sheet.ideas_button.setEnabled(possible and not pressed)
        sheet.cancel.set_busy(jobs.stopping)
        held = self.tr("1 picture is not drawn yet") if jobs.held == 1 else self.tr("{0} pictures are not drawn yet")
        sheet.set_held(held.format(jobs.held) if jobs.held else "")
        drawn = 1 if jobs.busy and not jobs.ideas else 0
        waiting = 0 if jobs.ideas else jobs.waiting  # ideas are not in the queue that can be seen
        count = waiting + jobs.held + drawn
        more = values.count if pressed and possible and not jobs.ideas else 0
        sheet.set_queue(count if count > drawn else 0, more=more)
        if jobs.busy and jobs.ideas:
            text = self.tr("Four ideas are drawn; choose one to finish it")
        elif jobs.busy:
            text = self.tr("After Stop you can finish or save it")
            if jobs.count > 1:
                place = self.tr("Picture {0} of {1}").format(jobs.index, jobs.count)
                then = self.tr("the last one") if jobs.last else text[:1].lower() + text[1:]
                text = f"{place} · {then}"
        elif pressed:
            text = self.tr("Waiting for the model")
        elif possible and values.seed_locked:
            same = self._draws_it_again()
            text = self.tr("The seed is kept: the same picture again") if same else self.tr("The seed is kept")
        sheet.help.setText(text)

    def _draws_it_again(self) -> bool:
        """Return True if Generate would draw the picture that is shown: with this subject and every setting, too."""
        subject, result, cut_outs = self.state.subject, self.state.result, self.state.cut_outs
        if subject is None or result is None or not cut_outs:
            return False
        if self._manifest is not None and result.request.bundle not in ("", self._manifest.identity):
            return False
        return is_same_picture(compose(self.state.values, cut_outs[0], subject.name, cut_outs[1:]), result.request)

    def _show_words(self) -> None:
        """Unknown and dropped words are said, never silently ignored."""
        sheet = self.sheet
        prompt = sheet.prompt.text()
        for edit, line, more in (
            (sheet.prompt, sheet.words, braces_sentence(prompt)),
            (sheet.negative, sheet.avoid_words, ""),
        ):
            cut = cut_sentence() if edit.was_cut else ""
            unknown = unknown_sentence(edit.text(), edit.reading)
            text = "\n".join(part for part in (cut, more, dropped_sentence(edit.reading), unknown) if part)
            line.setText(text)
            line.setVisible(bool(text))
        sheet.chips.mark(prompt)

    def _summarise(self) -> None:
        """Write the summaries of the folded lines."""
        values = self.state.values
        strengths = (short(values.prompt_strength), short(values.subject_strength))
        known = (
            self.tr("{0} and {1}").format(*strengths) if self._manifest is not None else ""
        )  # each model has its own
        self.sheet.sections["strengths"].set_summary(known)
        size = values.size or (self._manifest.sizes[0] if self._manifest is not None else None)
        shape = shape_name(size) if size is not None else self.tr("square")
        shape = self.tr("square") if size is None or size[0] == size[1] else shape.lower()
        pictures = self.tr("1 picture") if values.count == 1 else self.tr("{0} pictures").format(values.count)
        self.sheet.sections["shape"].set_summary(self.tr("{0}, {1}").format(shape, pictures))
        self.sheet.sections["seed"].set_summary(str(values.seed) if values.seed_locked else self.tr("new each time"))

    # Inside

    @Slot()
    def _show_history(self) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        metrics = self.fontMetrics()
        for prompt in reversed(self.history.entries[-_MENU_LENGTH:]):
            text = metrics.elidedText(" ".join(prompt.split()), Qt.TextElideMode.ElideRight, 380)
            menu.addAction(text.replace("&", "&&")).setData(prompt)
        if menu.isEmpty():
            menu.addAction(self.tr("Prompts you draw appear here")).setEnabled(False)
        menu.triggered.connect(self._history_picked)
        button = self.sheet.history_button
        menu.popup(button.mapToGlobal(button.rect().bottomLeft()))

    @Slot(object)
    def _history_picked(self, action) -> None:
        self._keep_words(self.sheet.prompt.text())
        self.sheet.prompt.set_text(action.data())
        self.focus_prompt()


def _read_bundle(manifest: BundleManifest, folder: Path) -> tuple[BundleManifest, PromptReader]:
    return manifest, PromptReader.of_bundle(manifest, folder)
