"""The settings. Everything is taken over at once; there is nothing to confirm."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QEvent, QSignalBlocker, QStandardPaths, Qt, QTimer, Signal, Slot
from PySide6.QtWidgets import (
    QButtonGroup,
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.dialogs.frame import Dialog
from app.dialogs.keys_page import KeyRow, KeysPage
from app.dialogs.updates_page import UpdatesPage
from app.language import sentences
from app.look.controls import (
    CheckBox,
    ComboBox,
    Divider,
    ElidedLabel,
    OutlinedButton,
    PlainButton,
    Segmented,
    label,
)
from app.look.layout import ScrollArea, clear, retranslates, show_all
from app.session.state import SessionState
from app.session.updates import Updates
from app.shortcuts import keymap
from engine.bundle import FoundBundle

PAGES = ("model", "pictures", "appearance", "keys", "updates")


class _PageButton(PlainButton):
    """A page in the column at the left; the chosen one stays lit, and all icons stand in one line."""

    def __init__(self, text: str, icon: str) -> None:
        super().__init__(text, icon)
        self.setCheckable(True)
        self.set_leading(True)


class SettingsDialog(Dialog):
    """See the module.

    Args:
        bundles: the models on this computer.
        pictures: the folder of pictures in use.
        updates: what is known of newer versions; by default nothing yet.

    Signals:
        pageTurned(str): another page is shown.
    """

    pageTurned = Signal(str)

    def __init__(
        self,
        state: SessionState,
        bundles: list[FoundBundle],
        pictures: Path,
        window: QWidget,
        page: str = "model",
        updates: Updates | None = None,
    ) -> None:
        super().__init__("", window, 820, 620)
        self._updates = updates or Updates(self)
        self._state, self._bundles, self._pictures = state, bundles, pictures
        self._build(page)
        state.engineChanged.connect(self._show_plan)
        state.settingsChanged.connect(self._follow)

    def _build(self, page: str) -> None:
        """Fill the dialog in the language in force."""
        self.setWindowTitle(self.tr("Settings"))
        self.setAccessibleName(self.tr("Settings"))
        self.title.setText(self.tr("Settings"))
        self.close_button.describe(self.tr("Close"), "Esc")
        self.pages = QStackedWidget()
        titles = (
            (self.tr("Model"), "package"),
            (self.tr("Pictures"), "image"),
            (self.tr("Appearance"), "contrast"),
            (self.tr("Keys"), "keyboard"),
            (self.tr("Updates"), "download"),
        )
        self._group = QButtonGroup(self)
        side = QVBoxLayout()
        side.setSpacing(4)
        for index, (text, icon) in enumerate(titles):
            button = _PageButton(text, icon)
            self._group.addButton(button, index)
            side.addWidget(button)
        side.addStretch(1)
        self.pages.addWidget(_scrolled(self._model_page()))
        self.pages.addWidget(_scrolled(self._pictures_page()))
        self.pages.addWidget(_scrolled(self._appearance_page()))
        self._keys = _scrolled(QWidget())  # filled when it is looked at: it has more than a hundred fields
        self.pages.addWidget(self._keys)
        self.updates = UpdatesPage(self._state, self._updates)
        self.updates.setProperty("scrolled", "true")
        self.pages.addWidget(_scrolled(self.updates))
        row = QHBoxLayout()
        row.setSpacing(24)
        row.addLayout(side)
        divider = Divider(vertical=True)
        row.addWidget(divider)
        row.addWidget(self.pages, 1)
        self.body.addLayout(row, 1)
        self._parts = [*self._group.buttons(), divider, self.pages]
        self._group.idToggled.connect(self._turn)
        self._group.button(PAGES.index(page)).setChecked(True)
        self._group.button(PAGES.index(page)).setFocus(Qt.FocusReason.OtherFocusReason)

    def changeEvent(self, event: QEvent) -> None:
        if retranslates(event):
            QTimer.singleShot(0, self, self._rebuild)  # the list of languages is still telling its choice
        super().changeEvent(event)

    @Slot()
    def _rebuild(self) -> None:
        """The same page in another language."""
        page, at_language = PAGES[self.pages.currentIndex()], self.focusWidget() is self.language
        self.setUpdatesEnabled(False)  # the old words stay until the new ones are all there
        clear(self.body)
        self._build(page)
        if at_language:  # the list is another one now: the keyboard goes on where it was
            self.language.setFocus(Qt.FocusReason.OtherFocusReason)
        show_all(self._parts)  # else the layout finds them hidden, and a card with nothing but its title is painted
        layout = self.layout()
        if layout is not None:
            layout.activate()
        self.setUpdatesEnabled(True)

    @Slot(int, bool)
    def _turn(self, index: int, checked: bool) -> None:
        if checked:
            if PAGES[index] == "keys":
                self._fill_keys()
            self.pages.setCurrentIndex(index)
            self.pageTurned.emit(PAGES[index])

    # Model

    def _model_page(self) -> QWidget:
        page, column = _page()
        self.bundle = ComboBox(self.tr("Model"))
        for bundle in self._bundles:
            self.bundle.addItem(bundle.title, str(bundle.folder))
        self.device = ComboBox(self.tr("Device"))
        for value, text in (
            ("auto", self.tr("Automatic")),
            ("cpu", self.tr("Processor")),
            ("cuda", self.tr("NVIDIA or AMD graphics card")),
            ("mps", self.tr("Apple graphics")),
        ):
            self.device.addItem(text, value)
        self.memory = ComboBox(self.tr("Memory plan"))
        for value, text in (
            ("auto", self.tr("Automatic: the fastest that fits")),
            ("resident", self.tr("Everything stays on the graphics card")),
            ("balanced", self.tr("Balanced: parts leave after use")),
            ("low", self.tr("Low memory: one branch after the other")),
            ("int8", self.tr("Compact: numbers in eight bits")),
            ("streamed", self.tr("Streamed: weights come as they are needed")),
        ):
            self.memory.addItem(text, value)
        self.plan = label("", "help", "muted", wrap=True)
        self.framing = Segmented(
            [("fit", self.tr("Fit the subject")), ("reference", self.tr("Original framing"))], self.tr("Framing")
        )
        column.addWidget(label(self.tr("Model"), "label"))
        column.addWidget(self.bundle)
        column.addSpacing(8)
        column.addWidget(label(self.tr("Device"), "label"))
        column.addWidget(self.device)
        column.addSpacing(8)
        column.addWidget(label(self.tr("Memory plan"), "label"))
        column.addWidget(self.memory)
        column.addWidget(self.plan)
        column.addSpacing(8)
        column.addWidget(label(self.tr("Framing of the cut-out"), "label"))
        column.addWidget(self.framing)
        column.addWidget(
            label(
                self.tr(
                    "Fit centres the subject so that nothing is cut off. Original framing keeps the box as it is in the photo "
                    "and may cut a subject near the edge."
                ),
                "help",
                "muted",
                wrap=True,
            )
        )
        column.addStretch(1)
        self.bundle.activated.connect(self._bundle_chosen)
        self.device.activated.connect(self._device_chosen)
        self.memory.activated.connect(self._memory_chosen)
        self.framing.valueChanged.connect(self._framing_chosen)
        self._show_model()
        self._show_plan()
        return page

    def _show_model(self) -> None:
        settings, folder = self._state.settings, str(self._state.engine.folder or "")
        self.bundle.setCurrentIndex(max(0, self.bundle.findData(folder)))
        _choose(self.device, settings.device)
        _choose(self.memory, settings.memory)
        with QSignalBlocker(self.framing):
            self.framing.setValue(settings.framing if settings.framing in ("fit", "reference") else "fit")

    @Slot()
    def _follow(self) -> None:
        """The settings changed, here or elsewhere."""
        self._show_model()
        self._show_appearance()
        with QSignalBlocker(self.previews):
            self.previews.setChecked(self._state.settings.previews)
        with QSignalBlocker(self.notices):
            self.notices.setChecked(self._state.settings.notices)
        self.updates.follow()

    @Slot()
    def _show_plan(self) -> None:
        info = self._state.engine.info
        self.plan.setText(sentences.joined((info.plan, *info.notes)) if info is not None else "")
        self.plan.setVisible(bool(self.plan.text()))

    @Slot(int)
    def _bundle_chosen(self, index: int) -> None:
        self._state.update_settings(bundle=self.bundle.itemData(index))

    @Slot(int)
    def _device_chosen(self, index: int) -> None:
        self._state.update_settings(device=self.device.itemData(index))

    @Slot(int)
    def _memory_chosen(self, index: int) -> None:
        self._state.update_settings(memory=self.memory.itemData(index))

    @Slot(object)
    def _framing_chosen(self, value: str) -> None:
        self._state.update_settings(framing=value)

    # Pictures

    def _pictures_page(self) -> QWidget:
        page, column = _page()
        self.folder = ElidedLabel(str(self._pictures), "body")
        choose = OutlinedButton(self.tr("Choose another folder…"), "folder-open")
        choose.clicked.connect(self._choose_folder)
        self.previews = CheckBox(self.tr("Show the picture while it forms"))
        self.previews.setChecked(self._state.settings.previews)
        self.previews.toggled.connect(self._previews_toggled)
        self.notices = CheckBox(self.tr("Tell me when a picture is done and this window is not in front"))
        self.notices.setChecked(self._state.settings.notices)
        self.notices.toggled.connect(self._notices_toggled)
        column.addWidget(label(self.tr("Folder of finished pictures"), "label"))
        column.addWidget(self.folder)
        column.addWidget(choose, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(
            label(
                self.tr("Every picture is saved there as a PNG that carries everything that made it."),
                "help",
                "muted",
                wrap=True,
            )
        )
        column.addSpacing(8)
        column.addWidget(self.previews)
        column.addWidget(self.notices)
        column.addStretch(1)
        return page

    @Slot()
    def _choose_folder(self) -> None:
        start = self.folder.text() or QStandardPaths.writableLocation(QStandardPaths.StandardLocation.PicturesLocation)
        chosen = QFileDialog.getExistingDirectory(self, self.tr("Folder of finished pictures"), start)
        if chosen:
            self._pictures = Path(chosen)
            self.folder.setText(chosen)
            self._state.update_settings(pictures=chosen)

    @Slot(bool)
    def _previews_toggled(self, on: bool) -> None:
        self._state.update_settings(previews=on)

    @Slot(bool)
    def _notices_toggled(self, on: bool) -> None:
        self._state.update_settings(notices=on)

    # Appearance

    def _appearance_page(self) -> QWidget:
        page, column = _page()
        self.theme = Segmented(
            [("system", self.tr("Match system")), ("light", self.tr("Light")), ("dark", self.tr("Dark"))],
            self.tr("Theme"),
        )
        self.motion = Segmented(
            [("system", self.tr("Match system")), ("full", self.tr("Full")), ("reduced", self.tr("Reduced"))],
            self.tr("Motion"),
        )
        self.text_size = Segmented(
            [(1.0, "100\u00a0%"), (1.15, "115\u00a0%"), (1.3, "130\u00a0%"), (1.5, "150\u00a0%")], self.tr("Text size")
        )
        self.language = ComboBox(self.tr("Language"))
        for value, text in (("system", self.tr("Match system")), ("en", "English"), ("zh_CN", "简体中文")):
            self.language.addItem(text, value)
        self._show_appearance()
        for title, field in (
            (self.tr("Theme"), self.theme),
            (self.tr("Motion"), self.motion),
            (self.tr("Text size"), self.text_size),
            (self.tr("Language"), self.language),
        ):
            column.addWidget(label(title, "label"))
            column.addWidget(field)
            column.addSpacing(8)
        column.addStretch(1)
        self.theme.valueChanged.connect(self._theme_chosen)
        self.motion.valueChanged.connect(self._motion_chosen)
        self.text_size.valueChanged.connect(self._text_size_chosen)
        self.language.activated.connect(self._language_chosen)
        return page

    def _show_appearance(self) -> None:
        settings = self._state.settings
        nearest = min(self.text_size.values(), key=lambda scale: abs(scale - settings.text_scale))
        for field, value in ((self.theme, settings.theme), (self.motion, settings.motion), (self.text_size, nearest)):
            with QSignalBlocker(field):
                field.setValue(value)
        _choose(self.language, settings.language)

    @Slot(object)
    def _theme_chosen(self, value: str) -> None:
        self._state.update_settings(theme=value)

    @Slot(object)
    def _motion_chosen(self, value: str) -> None:
        self._state.update_settings(motion=value)

    @Slot(object)
    def _text_size_chosen(self, value: float) -> None:
        self._state.update_settings(text_scale=value)

    @Slot(int)
    def _language_chosen(self, index: int) -> None:
        self._state.update_settings(language=self.language.itemData(index))

    # Keys

    @property
    def key_rows(self) -> dict[str, KeyRow]:
        """The rows of the page of keys, by the action's id; there are none until the page was looked at."""
        page = self._keys.widget()
        return page.rows if isinstance(page, KeysPage) else {}

    def _fill_keys(self) -> None:
        if not self.key_rows:
            page = KeysPage()
            page.setProperty("scrolled", "true")
            page.changed.connect(self._keys_changed)
            self._keys.setWidget(page)

    @Slot()
    def _keys_changed(self) -> None:
        self._state.update_settings(keys=keymap.own())


def _page() -> tuple[QWidget, QVBoxLayout]:
    page = QWidget()
    page.setProperty("scrolled", "true")
    column = QVBoxLayout(page)
    column.setContentsMargins(4, 4, 16, 4)
    column.setSpacing(8)
    return page, column


def _scrolled(page: QWidget) -> ScrollArea:
    area = ScrollArea()
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setWidget(page)
    return area


def _choose(box: ComboBox, value: str) -> None:
    index = box.findData(value)
    if index < 0:
        box.addItem(value, value)
        index = box.count() - 1
    box.setCurrentIndex(index)
