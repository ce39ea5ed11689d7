"""The widgets of the prompt panel: where they stand, what they are called, which are folded."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QEvent, QSize, Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QStackedLayout, QVBoxLayout, QWidget

from app.look.controls import (
    CheckBox,
    DangerButton,
    Disclosure,
    Divider,
    IconButton,
    PlainButton,
    PrimaryButton,
    label,
)
from app.look.glyphs import Glyph
from app.look.layout import at_line_start, retranslates
from app.look.panel_scroll import PanelScroll
from app.look.theme import space
from app.prompt.coming_scenes import ComingScenes
from app.prompt.edit import PromptEdit
from app.prompt.fields import CountField, DialSlider, SeedField, ShapeCombo
from app.prompt.parts import Fold, Pinned, column_of, dial, fill, labelled
from app.prompt.scene_chips import SceneChips
from app.prompt.vocabulary import PromptHistory
from app.session.values import TEMPERATURES, PanelValues
from app.shortcuts import keymap, tooltip

_FOLDING = ("strengths", "shape", "seed")
BUILT_LATER = (*_FOLDING, "more")
"""The sections whose fields ``complete`` builds: as long as these are folded, only their lines are seen."""
_WORDY = 80
"""Least width of what has words: long translations are cut instead of widening the panel."""


class PromptSheet(QWidget):
    """Everything that is seen of the panel, which gives it its values.

    Signals:
        sectionsChanged: a section was folded or opened (``open_sections`` is to be remembered).
        retranslated: the words are those of another language; what is made of values has to be made again.

    Attributes:
        whole: ``complete`` was called, and the fields of the folded sections are there.
    """

    sectionsChanged = Signal()
    retranslated = Signal()

    def __init__(self, history: PromptHistory, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("promptSheet")
        self.setProperty("surface", "panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._low = self.whole = False
        self._build(history)
        for section in self.sections.values():
            section.toggled.connect(self._section_toggled)
        keymap.changed.connect(self.retranslate)
        self.retranslate()

    def _build(self, history: PromptHistory) -> None:
        self._build_fields(history)
        self.area = PanelScroll(self._lay_out_fields())
        self._pinned = Pinned(self.area)
        self._build_pinned()
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addWidget(self.area, 1)
        outer.addWidget(self._pinned)

    def _build_fields(self, history: PromptHistory) -> None:
        """Make what scrolls: the prompt, what is said of it, the folded sections, other ways to begin."""
        self.title = label("", "section")
        self.history_button = IconButton("history", "", parent=self)
        self.presets_button = IconButton("bookmark", "", parent=self)
        self.presets_button.setObjectName("presetsButton")
        self.prompt = PromptEdit(3, history)
        self.prompt.setObjectName("promptEdit")
        self.words = label("", "help", "warning", wrap=True)
        self.words.hide()
        self.disagreement = label("", "help", "muted", wrap=True)
        self.disagreement.setObjectName("disagreementLabel")
        self.mend_button = PlainButton("")
        self.mend_button.setObjectName("mendButton")
        self._disagreement_row = QWidget()
        line = QHBoxLayout(self._disagreement_row)
        line.setContentsMargins(0, 0, 0, 0)
        line.addWidget(self.disagreement, 1)
        line.addWidget(self.mend_button)
        self._disagreement_row.hide()
        self._banner = QVBoxLayout()
        self.chips = SceneChips()
        self.scenes = Disclosure("", self.chips, opened=True)
        self.negative = PromptEdit(2)
        self.negative.setObjectName("negativePromptEdit")
        self.avoid_words = label("", "help", "warning", wrap=True)
        self.avoid_words.hide()
        self.avoid = Disclosure("", column_of(self.negative, self.negative.count, self.avoid_words))
        self.ideas_button = PlainButton("", "image")
        self.ideas_button.setObjectName("ideasButton")
        self.list_button = PlainButton("", "layers")
        self.list_button.setObjectName("listButton")
        self.photo_button = PlainButton("", "image-plus")
        self.photo_button.setObjectName("photoButton")
        self.photo_button.setEnabled(False)  # there is no subject yet
        for wordy in (self.ideas_button, self.list_button, self.photo_button):
            wordy.setMinimumWidth(_WORDY)

        self._strengths, self._shape, self._seed_box, self._more = (column_of() for _ in range(4))
        self._seed_fold = Fold(self._seed_box)
        self.sections: dict[str, Disclosure] = {
            "scenes": self.scenes,
            "avoid": self.avoid,
            "strengths": Fold(self._strengths),
            "shape": Fold(self._shape),
            "seed": self._seed_fold,
            "more": Disclosure("", self._more),
        }

    def _lay_out_fields(self) -> QWidget:
        content = QWidget()
        column = QVBoxLayout(content)
        column.setSpacing(space("row-gap"))
        header = QHBoxLayout()
        header.addWidget(self.title, 1)
        header.addWidget(self.prompt.count)
        header.addWidget(self.presets_button)
        header.addWidget(self.history_button)
        column.addLayout(header)
        column.addWidget(self.prompt)
        column.addLayout(self._banner)
        column.addWidget(self.scenes)
        # They come and go while one types or clicks a chip: under the chips they do not move them.
        column.addWidget(self._disagreement_row)
        column.addWidget(self.words)
        column.addWidget(self.avoid)
        column.addWidget(Divider())
        for name in BUILT_LATER:
            column.addWidget(self.sections[name])
        ways = QVBoxLayout()
        ways.setSpacing(0)
        ways.addLayout(at_line_start(self.ideas_button, self.list_button))
        ways.addLayout(at_line_start(self.photo_button))
        column.addLayout(ways)
        column.addStretch(1)
        self._content = content
        return content

    def _build_pinned(self) -> None:
        """Make what stays in sight below it: Generate, and what it will do or does."""
        self.generate = PrimaryButton("")
        self.generate.setObjectName("generateButton")
        self.cancel = DangerButton("")
        self.cancel.set_icon_name("square", filled=True)
        self.cancel.setObjectName("cancelButton")

        self.kept = label("", "help", wrap=True)
        self.kept.setObjectName("keptLabel")
        self.let_go = IconButton("x", "", side=24)
        self.let_go.setObjectName("letGoButton")
        self._kept_row = QWidget()
        kept = QHBoxLayout(self._kept_row)
        kept.setContentsMargins(0, 0, 0, 0)
        kept.setSpacing(8)
        kept.addWidget(Glyph("lock", side=14))
        kept.addWidget(self.kept, 1)
        kept.addWidget(self.let_go)
        self._kept_row.hide()
        self.held = label("", "help", wrap=True)
        self.held.setObjectName("heldLabel")
        self.resume_button = PlainButton("")
        self.resume_button.setObjectName("resumeButton")
        self.drop_button = IconButton("x", "", side=24)
        self._held_row = QWidget()
        held = QHBoxLayout(self._held_row)
        held.setContentsMargins(0, 0, 0, 0)
        held.setSpacing(8)
        held.addWidget(self.held, 1)
        held.addWidget(self.resume_button)
        held.addWidget(self.drop_button)
        self._held_row.hide()
        self.queue_button = PlainButton("", "list-clock")
        self.queue_button.setObjectName("queueButton")
        self.again_button = PlainButton("", "plus")
        self.again_button.setObjectName("againButton")
        self._queue_row = QWidget()
        queue = QHBoxLayout(self._queue_row)
        queue.setContentsMargins(0, 0, 0, 0)
        queue.setSpacing(0)
        queue.addStretch(1)
        queue.addWidget(self.queue_button)
        queue.addWidget(self.again_button)
        queue.addStretch(1)
        self._queue_row.hide()
        self.help = label("", "help", "muted", wrap=True)
        self.help.setObjectName("helpLabel")
        self.help.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._buttons = QStackedLayout()
        self._buttons.addWidget(self.generate)
        self._buttons.addWidget(self.cancel)
        bottom = QVBoxLayout(self._pinned)
        bottom.setContentsMargins(16, 12, 16, 16)
        bottom.setSpacing(space("row-gap"))
        bottom.addWidget(self._held_row)
        bottom.addWidget(self._kept_row)
        bottom.addLayout(self._buttons)
        bottom.addWidget(self.help)
        bottom.addWidget(self._queue_row)

    def complete(self) -> None:
        """Build the fields of the sections in ``BUILT_LATER``."""
        manifest_free = PanelValues()
        self.prompt_strength = dial("promptStrength", manifest_free.prompt_strength)
        self.subject_strength = dial("subjectStrength", manifest_free.subject_strength)
        self.apart = CheckBox()
        self.apart.setObjectName("lookApart")
        self.look = dial("lookStrength", manifest_free.subject_strength)
        self.look.hide()
        self.shape_label, self.count_label, self.seed_label = (label("", "label") for _ in range(3))
        self.shape = ShapeCombo()
        self.only_shape = label("", "body", "muted", wrap=True)
        self.count = CountField()
        self.best = CheckBox()
        self.best.setObjectName("bestFirst")
        self.best.hide()
        self.seed = SeedField()
        self.temperature = DialSlider("", *TEMPERATURES, 0.05, 1.0, 2)
        self.temperature.setObjectName("temperature")
        self.top_p = DialSlider("", 0.0, 1.0, 0.01, 0.97, 2)
        self.top_p.setObjectName("topP")
        self.fold_button = PlainButton("")
        for wordy in (self.apart, self.best, self.fold_button):
            wordy.setMinimumWidth(_WORDY)
        shape, count = labelled(self.shape_label, self.shape), labelled(self.count_label, self.count)
        fill(self._strengths, self.prompt_strength, self.subject_strength, self.apart, self.look)
        fill(self._shape, shape, self.only_shape, count, self.best)
        fill(self._seed_box, labelled(self.seed_label, self.seed))
        fill(self._more, self.temperature, self.top_p, self.fold_button)
        self.fold_button.clicked.connect(self.fold)
        self.whole = True
        self._name_fields()

    def expect_scenes(self, coming: ComingScenes) -> None:
        """Keep the room of the scenes that the model will offer; none for one that offers none."""
        self.chips.expect(coming)
        self.scenes.setVisible(bool(coming.first))

    def show_stop(self, shown: bool) -> None:
        """Stop takes the place of Generate, with the focus if Generate has it, or gives it back."""
        button = self.cancel if shown else self.generate
        focused = self.generate.hasFocus() or self.cancel.hasFocus()
        self._buttons.setCurrentWidget(button)
        if focused:
            button.setFocus(Qt.FocusReason.OtherFocusReason)

    def set_kept(self, sentence: str) -> None:
        """Say above Generate what it keeps; "" for nothing."""
        self.kept.setText(sentence)
        self._kept_row.setVisible(bool(sentence))

    def set_held(self, sentence: str) -> None:
        """Say above Generate what waits until the user says so; "" for nothing."""
        self.held.setText(sentence)
        self._held_row.setVisible(bool(sentence))

    def set_queue(self, count: int, *, more: int) -> None:
        """Show the buttons under the help line while there is a queue.

        Args:
            count: pictures that are drawn, wait or are held; 0 puts the button away.
            more: so many pictures a press adds to it; 0 when it can take none.
        """
        self.queue_button.setText(self.tr("Queue ({0})").format(count))
        self.queue_button.setVisible(count > 0)
        self.again_button.setText(self.tr("Add one more") if more == 1 else self.tr("Add {0} more").format(more))
        self.again_button.setVisible(more > 0)
        self._queue_row.setVisible(count > 0 or more > 0)

    def set_disagreement(self, sentence: str, button: str) -> None:
        """One quiet line under the prompt with the way out of it; "" for nothing."""
        self.disagreement.setText(sentence)
        self.mend_button.setText(button)
        self.mend_button.setVisible(bool(button))
        self._disagreement_row.setVisible(bool(sentence))

    def set_banner(self, banner: QWidget) -> None:
        """Put the error banner under the prompt."""
        self._banner.addWidget(banner)

    def open_sections(self) -> dict[str, bool]:
        """Open or closed, section by section, for the session."""
        return {name: section.is_open() for name, section in self.sections.items()}

    def set_open_sections(self, sections: dict[str, Any]) -> None:
        for name, opened in sections.items():
            if name in self.sections:
                self.sections[name].set_open(bool(opened))

    def set_low(self, low: bool) -> None:
        """Windows lower than 760: two lines of prompt, and Seed folds into More."""
        if low != self._low:
            self._low = low
            self.prompt.set_lines(2 if low else 3)
            more = self._more.layout()
            assert isinstance(more, QVBoxLayout)
            if low:
                more.insertWidget(0, self._seed_box)
                self._seed_box.show()
            else:
                self._seed_fold.take(self._seed_box)
            self.sections["seed"].setVisible(not low)
            self.retranslate()

    @Slot()
    def fold(self) -> None:
        """Fold strengths, shape and seed to one line each, as at the first launch."""
        for name in _FOLDING:
            self.sections[name].set_open(False)

    @Slot(bool)
    def _section_toggled(self, opened: bool) -> None:
        if self.whole:
            self._show_fold_button()
        self.sectionsChanged.emit()

    def _show_fold_button(self) -> None:
        self.fold_button.setVisible(any(self.sections[name].is_open() for name in _FOLDING))

    @Slot()
    def retranslate(self) -> None:
        self.title.setText(self.tr("Prompt"))
        self.history_button.describe(self.tr("Earlier prompts"), keymap.shown("prompt_older"))
        self.presets_button.describe(self.tr("Presets"))
        self.prompt.setAccessibleName(self.tr("Prompt"))
        self.prompt.setPlaceholderText(self.tr("Where should it be? One sentence is enough."))
        self.negative.setAccessibleName(self.tr("What to avoid"))
        self.negative.setPlaceholderText(self.tr("snow, jungle"))
        titles = {
            "scenes": self.tr("Try a scene"),
            "avoid": self.tr("What to avoid"),
            "strengths": self.tr("Strengths"),
            "shape": self.tr("Shape and count"),
            "seed": self.tr("Seed"),
            "more": self.tr("More"),
        }
        for name, text in titles.items():
            self.sections[name].set_title(text)
        more = self.tr("seed, variety") if self._low else self.tr("variety, details")
        self.sections["more"].set_summary(more)
        self.ideas_button.setText(self.tr("Four ideas"))
        self.ideas_button.setToolTip(tooltip("ideas", self.tr("Draw only the coarse scales of four seeds, choose one")))
        self.list_button.setText(self.tr("A list…"))
        self.list_button.setToolTip(tooltip("list", self.tr("Draw many prompts in one press, and see them in a table")))
        self.photo_button.setText(self.tr("Into a photo of yours…"))
        self.photo_button.setToolTip(tooltip("into_photo", self.tr("Everything else of the photo stays as it is")))
        self.generate.setText(self.tr("Generate"))
        self.generate.set_hint(keymap.shown("generate"))
        self.kept.setToolTip(self.tr("The picture that was recalled took these scales from an earlier one"))
        self.let_go.describe(self.tr("Begin with the first scale again"))
        self.resume_button.setText(self.tr("Go on"))
        self.drop_button.describe(self.tr("Forget these pictures"))
        self.queue_button.setToolTip(tooltip("queue"))
        self.again_button.setToolTip(tooltip("generate", self.tr("Draw this prompt after the others")))
        self.cancel.setText(self.tr("Stop"))
        self.cancel.set_busy_text(self.tr("Stopping…"))
        self.cancel.set_hint(keymap.shown("cancel"))
        if self.whole:
            self._name_fields()
        self.retranslated.emit()

    def _name_fields(self) -> None:
        self.prompt_strength.setLabel(self.tr("Follow the prompt"))
        self.look.setLabel(self.tr("Keep the look"))
        self.temperature.setLabel(self.tr("Variety"))
        self.top_p.setLabel(self.tr("Rare choices"))
        self.best.setText(self.tr("Show the most alike"))
        self.best.setToolTip(self.tr("Of several pictures; what is clearly less alike is given up early"))
        self.apart.setText(self.tr("Separate identity and look"))
        self.apart.setToolTip(self.tr("Identity is what the subject is, look is its fine detail"))
        self.shape_label.setText(self.tr("Shape"))
        self.shape.setAccessibleName(self.tr("Shape"))
        self.count_label.setText(self.tr("Pictures"))
        self.seed_label.setText(self.tr("Seed"))
        self.fold_button.setText(self.tr("Collapse"))
        self._show_fold_button()

    def changeEvent(self, event: QEvent) -> None:
        if retranslates(event):
            self.retranslate()
        super().changeEvent(event)

    def sizeHint(self) -> QSize:
        return QSize(320, 600)
