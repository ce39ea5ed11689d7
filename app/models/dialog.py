"""The models: what is here, what could be, what each needs. Downloads go on when the dialog is closed."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QStandardPaths, Qt, QTimer, Slot
from PySide6.QtWidgets import QFileDialog, QFrame, QHBoxLayout, QVBoxLayout, QWidget

from app.dialogs.frame import Dialog
from app.language import amounts
from app.look.controls import Disclosure, OutlinedButton, PlainButton, label
from app.look.glyphs import Glyph
from app.look.layout import ScrollArea, is_low
from app.models import words
from app.models.card import ModelCard
from app.models.memory_card import MemoryCard
from app.models.pieces import Problem
from app.models.sources import Sources
from app.session.controller import Controller
from app.session.downloads import IMPORT, Downloads


class ModelsDialog(Dialog):
    """See the module.

    Args:
        downloads: the models and the work on them; outlives the dialog.
        controller: the open bundle and the settings.
    """

    def __init__(self, downloads: Downloads, controller: Controller, window: QWidget) -> None:
        super().__init__("", window, 900, 668)
        self._downloads, self._controller = downloads, controller
        title = self.tr("Models")
        self.setWindowTitle(title)
        self.setAccessibleName(title)
        self.title.setText(title)
        self.cards: dict[str, ModelCard] = {}
        self.import_button = PlainButton(self.tr("Import from folder…"), "folder-open", busy_text=self.tr("Importing…"))
        self.top.insertWidget(1, self.import_button)
        self.problem = Problem()
        self.memory = MemoryCard(self.body_width() - 24)
        self.sources = Disclosure(self.tr("Where models come from"), Sources(downloads))
        self.sources.set_summary(downloads.store.settings.base_url)
        content = QWidget()
        content.setProperty("scrolled", "true")
        self._column = QVBoxLayout(content)
        self._column.setContentsMargins(0, 0, 12, 0)
        self._column.setSpacing(12)
        self._column.addWidget(self.sources)
        self._column.addStretch(1)
        self._area = area = ScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(content)
        self.free_space = label("", "help", "muted")
        self.change = PlainButton(self.tr("Change…"))
        self.change.setAccessibleName(self.tr("Choose another folder for the models"))
        done = OutlinedButton(self.tr("Done"))
        bottom = QHBoxLayout()
        bottom.setSpacing(8)
        bottom.addWidget(Glyph("hard-drive", "text-muted", 16))
        bottom.addWidget(self.free_space)
        bottom.addWidget(self.change)
        bottom.addStretch(1)
        bottom.addWidget(done)
        self.body.addWidget(self.problem)
        self.body.addWidget(area, 1)
        if is_low(window.window().height()):
            self._column.insertWidget(0, self.memory)  # the list needs all the room
        else:
            self.body.addWidget(self.memory)  # under the list, not in it: it stays in sight while the list scrolls
        self.body.addLayout(bottom)
        self.import_button.clicked.connect(self.choose_folder)
        self.change.clicked.connect(self.change_folder)
        done.clicked.connect(self.accept)
        self.problem.dismissed.connect(self._dismiss)
        self.problem.stepTaken.connect(self.choose_folder)
        self.memory.planChosen.connect(self._plan_chosen)
        downloads.changed.connect(self._changed)
        downloads.listChanged.connect(self._list)
        downloads.deviceKnown.connect(self._show_memory)
        controller.state.engineChanged.connect(self._refresh)
        self._list()
        downloads.find_device()

    def begin(self, name: str) -> None:
        """Show a model's licences, as its button does."""
        card = self.cards.get(name)
        if card is not None:
            card.begin()

    @Slot(bool)
    def _licences_shown(self, shown: bool) -> None:
        """The licences take the place of the memory plan, and are scrolled to."""
        self._show_memory()
        if shown:
            QTimer.singleShot(0, self, self._scroll_to_licences)  # when they have their size

    @Slot()
    def _scroll_to_licences(self) -> None:
        for card in self.cards.values():
            if card.sheet is not None:
                self._area.ensureWidgetVisible(card)
                self._area.ensureWidgetVisible(card.sheet.accept, 0, 16)

    @Slot()
    def _list(self) -> None:
        """One card for each model there is now."""
        states = self._downloads.store.models()
        for name in set(self.cards) - {state.name for state in states}:
            gone = self.cards.pop(name)
            gone.hide()
            gone.deleteLater()
        for place, state in enumerate(states):
            card = self.cards.get(state.name)
            if card is None:
                card = self.cards[state.name] = ModelCard(self._downloads, state)
                card.filesWanted.connect(self.choose_folder)
                card.folderWanted.connect(self.change_folder)
                card.licencesShown.connect(self._licences_shown)
                self._column.insertWidget(place, card)
        self._refresh()

    @Slot()
    def _refresh(self) -> None:
        for card in self.cards.values():
            card.refresh()
        self._show_memory()
        self._show_free_space()

    @Slot(str)
    def _changed(self, name: str) -> None:
        if name in self.cards:
            self.cards[name].refresh()
        elif name:
            self._list()
        else:
            self.import_button.set_busy(self._downloads.is_busy(IMPORT))
            self.problem.show_error(
                self._downloads.problem(IMPORT), self.tr("Choose another folder…"), dismissable=True
            )
        self._show_free_space()
        self.change.setEnabled(not self._downloads.busy)

    @Slot()
    def _show_memory(self) -> None:
        """The plans of the open bundle; of the largest one there could be while the open one fits in any way."""
        for card in self.cards.values():
            card.show_needs()
        if any(card.sheet is not None for card in self.cards.values()):
            self.memory.hide()
            return
        states = [card.state for card in self.cards.values() if card.state.bundle]
        states.sort(key=lambda state: (not self._downloads.is_open(state), not state.installed))
        for state in states:
            plans = self._downloads.plans(state)
            if len(plans) > 1:
                self.memory.show_plans(words.title(state), plans, self._controller.state.settings.memory)
                return
        self.memory.show_plans("", (), "auto")

    def _show_free_space(self) -> None:
        self.free_space.setText(
            self.tr("{0} free in the models folder").format(amounts.size(self._downloads.store.free_bytes()))
        )
        self.free_space.setToolTip(str(self._downloads.store.folder))
        self.sources.set_summary(self._downloads.store.settings.base_url)

    @Slot(str)
    def _plan_chosen(self, key: str) -> None:
        self._controller.state.update_settings(memory=key)

    @Slot()
    def _dismiss(self) -> None:
        self._downloads.dismiss(IMPORT)

    @Slot()
    def choose_folder(self) -> None:
        """Import what a folder holds."""
        start = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DownloadLocation)
        chosen = QFileDialog.getExistingDirectory(self, self.tr("Folder with model files"), start)
        if chosen:
            self._downloads.import_folder(Path(chosen))

    @Slot()
    def change_folder(self) -> None:
        """Keep models in another folder."""
        start = str(self._downloads.store.folder)
        chosen = QFileDialog.getExistingDirectory(self, self.tr("Folder for the models"), start)
        if chosen and not self._downloads.busy:
            self._downloads.choose_folder(Path(chosen))
