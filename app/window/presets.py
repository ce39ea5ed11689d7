"""Presets in the window: their menu at the prompt, a key for each of the first nine, files to pass on."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtWidgets import QFileDialog, QMenu, QWidget

from app.session.state import SessionState
from app.session.values import PanelValues, preset_of, with_preset
from app.shortcuts import add_entry, keymap, shortcut
from app.store.picture_files import picture_name, with_suffix
from app.store.preset_store import MOST, PresetStore
from app.system.places import documents_folder
from app.window.panels import Panels
from engine import EchoGenError, InputError, Preset, Sentence, read_preset, write_preset

log = logging.getLogger(__name__)

KEYS = 9
MAX_NAME = 60


class Presets(QObject):
    """See the module.

    Args:
        file: where they are kept.
        window: owner of menus and dialogs.

    Signals:
        failed(object): an ``EchoGenError`` for the banner.
    """

    failed = Signal(object)

    def __init__(self, panels: Panels, state: SessionState, file: Path, window: QWidget) -> None:
        super().__init__(window)
        self._panels, self._state, self._window = panels, state, window
        self._store = PresetStore(file)
        self._presets: list[Preset] | None = None
        panels.prompt.sheet.presets_button.clicked.connect(self.show_menu)

    @property
    def presets(self) -> list[Preset]:
        """In the order of their keys; read when they are first asked for."""
        if self._presets is None:
            self._presets = self._store.load()
        return self._presets

    def runs(self) -> dict[str, Callable[..., object]]:
        """The slots for actions of the table."""
        keys = {f"preset_{number}": partial(self.use, number - 1) for number in range(1, KEYS + 1)}
        return {"keep_preset": self.ask_and_keep, "open_preset": self.choose_file, **keys}

    def key_words(self) -> dict[str, str]:
        """The words for the key of each preset that there is; "" for keys that bring none."""
        words = {f"preset_{number}": "" for number in range(1, KEYS + 1)}
        for number, preset in enumerate(self.presets[:KEYS], 1):
            words[f"preset_{number}"] = self.tr("Use “{0}”").format(preset.name)
        return words

    def use(self, index: int) -> None:
        """Put the settings of a preset into the panel."""
        if index >= len(self.presets):
            words = self.tr("There is no preset here yet. Save the settings as one with {0}.")
            self._say(words.format(keymap.shown("keep_preset") or shortcut("keep_preset").label))
            return
        preset, before = self.presets[index], self._state.values
        values, note = with_preset(preset, before, self._state.engine.manifest)
        self._state.set_values(values)
        undo = partial(self._put_back, before, self._state.card)
        self._say(note or self.tr("“{0}” is in use").format(preset.name), undo)

    def _put_back(self, values: PanelValues, card: int) -> None:
        """Undo a preset. The place is that of the subject it was used for, and no other gets it."""
        if self._state.card != card:
            values = replace(values, placement=self._state.values.placement)
        self._state.set_values(values)

    @Slot()
    def ask_and_keep(self) -> None:
        """Ask for a name, and save the settings under it."""
        from app.dialogs.name_dialog import NameDialog

        about = self.tr("Strengths, variety, shape, place and what to avoid, as they are now.")
        title = self.tr("Save a preset")
        dialog = NameDialog(title, about, self.tr("Save"), MAX_NAME, self._remark, self._window)
        dialog.named.connect(self.keep)
        dialog.open()

    def _remark(self, name: str) -> str:
        index = self._place(name)
        if index < len(self.presets):
            return self.tr("The preset of this name is replaced.")
        key = keymap.shown(f"preset_{index + 1}") if index < KEYS else ""
        return self.tr("Its key is {0}.").format(key) if key and name else ""

    def _place(self, name: str) -> int:
        """Return the row at which the preset of a name stands, or would stand."""
        names = [preset.name.casefold() for preset in self.presets]
        name = " ".join(name.split()).casefold()
        return names.index(name) if name in names else len(names)

    @Slot(str)
    def keep(self, name: str) -> None:
        """Save the settings of the panel under a name; one of the same name is replaced."""
        try:
            self._add(preset_of(name, self._state.values))
        except EchoGenError as error:
            self.failed.emit(error)

    def _add(self, preset: Preset) -> None:
        index = self._place(preset.name)
        if index >= MOST:
            raise InputError(Sentence("There are {most} presets already.", most=MOST), Sentence("Delete one first."))
        if self._set([*self.presets[:index], preset, *self.presets[index + 1 :]]):
            key = keymap.shown(f"preset_{index + 1}") if index < KEYS else ""
            words = self.tr("“{0}” is saved; {1} brings it back") if key else self.tr("“{0}” is saved")
            self._say(words.format(preset.name, key))

    def _set(self, presets: list[Preset]) -> bool:
        try:
            self._store.save(presets)
        except EchoGenError as error:
            self.failed.emit(error)
            return False
        self._presets = presets
        return True

    def delete(self, index: int) -> None:
        before, gone = list(self.presets), self.presets[index]
        if self._set([*before[:index], *before[index + 1 :]]):
            self._say(self.tr("“{0}” is deleted").format(gone.name), lambda: self._set(before))

    @Slot()
    def choose_file(self) -> None:
        """Take over a preset that somebody passed on."""
        kinds = self.tr("Presets") + " (*.json)"
        chosen, _ = QFileDialog.getOpenFileName(self._window, self.tr("Open a preset"), str(documents_folder()), kinds)
        if chosen:
            self.take_file(Path(chosen))

    def take_file(self, file: Path) -> None:
        """Put a preset's file among the presets, and use it."""
        try:
            preset = read_preset(file)
            self._add(preset)
        except EchoGenError as error:
            self.failed.emit(error)
            return
        self.use(self._place(preset.name))

    def share(self, index: int) -> None:
        """Save a preset as a file of its own."""
        preset = self.presets[index]
        start = str(documents_folder() / (Path(picture_name(preset.name, 0)).stem.removesuffix(" 0") + ".json"))
        chosen, _ = QFileDialog.getSaveFileName(self._window, self.tr("Share a preset"), start, "JSON (*.json)")
        if chosen:
            target = with_suffix(Path(chosen), ".json")
            try:
                write_preset(target, preset)
            except EchoGenError as error:
                self.failed.emit(error)
                return
            self._panels.toast.show_saved(target)

    @Slot()
    def show_menu(self) -> None:
        menu = self.menu()
        button = self._panels.prompt.sheet.presets_button
        menu.popup(button.mapToGlobal(button.rect().bottomLeft()))

    def menu(self) -> QMenu:
        """A menu with the presets, for the button at the prompt."""
        menu = QMenu(self._window)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.fill(menu)
        return menu

    def fill(self, menu: QMenu) -> None:
        """Put the presets that there are into a menu, with their keys, and what can be done with them."""
        if not self.presets:
            menu.addAction(self.tr("No presets yet")).setEnabled(False)
        for index, preset in enumerate(self.presets):
            key = keymap.shown(f"preset_{index + 1}") if index < KEYS else ""
            text = preset.name.replace("&", "&&")
            menu.addAction(f"{text}\t{key}" if key else text, partial(self.use, index))
        menu.addSeparator()
        add_entry(menu, "keep_preset", self.ask_and_keep)
        add_entry(menu, "open_preset", self.choose_file)
        for title, run in ((self.tr("Share"), self.share), (self.tr("Delete"), self.delete)) if self.presets else ():
            below = menu.addMenu(title)
            for index, preset in enumerate(self.presets):
                below.addAction(preset.name.replace("&", "&&"), partial(run, index))

    def _say(self, text: str, undo: Callable[[], object] | None = None) -> None:
        self._panels.toast.show_message(text, undo)
