"""Chips of what the open bundle can be asked for: a small picture and its words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QImage, QImageReader, QPainter
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from app.language.scene_names import scene_name
from app.look.controls import Chip, clear, label
from app.look.layout import FlowLayout, scroll_area_of
from app.look.pixels import ScaledPicture
from app.look.tab_order import tab_within
from app.look.theme import size
from app.prompt.coming_scenes import ComingScene, ComingScenes
from app.prompt.vocabulary import scenes_in
from app.system.deferred import PAINTED_MS

if TYPE_CHECKING:
    from engine.bundle import SceneEntry

FIRST = 5
"""Scenes that are shown before all of them are asked for."""
_KINDS = ("scene", "surface", "background", "light", "colour", "material", "outfit")
_THUMB = 20


class SceneChip(Chip):
    """A chip with the scene's small picture, when the bundle has one."""

    def __init__(self, scene: SceneEntry | ComingScene, parent: QWidget | None = None) -> None:
        super().__init__(scene_name(scene.label), parent)
        self.scene = scene
        self._thumb: ScaledPicture | None = None
        self.setToolTip(scene.prompt if scene.prompt != self.text() else "")
        self.setAccessibleName(self.text())
        self.setCheckable(True)

    def set_thumb(self, image: QImage) -> None:
        """The scene's small picture; a null one shows none, and the chip keeps its words in the middle."""
        self._thumb = None if image.isNull() else ScaledPicture(image)
        self.update()

    def sizeHint(self) -> QSize:
        # Room for the picture from the beginning: chips do not move when it arrives.
        hint = super().sizeHint()
        return QSize(hint.width() + (_THUMB if self.scene.thumb else 0), hint.height())

    def paintEvent(self, event) -> None:
        super().paintEvent(event)
        if self._thumb is not None:
            painter = QPainter(self)
            mirrored = self.layoutDirection() == Qt.LayoutDirection.RightToLeft
            x = self.width() - _THUMB - 4 if mirrored else 4
            rect = QRectF(x, (self.height() - _THUMB) / 2, _THUMB, _THUMB)
            self._thumb.paint(painter, rect, _THUMB / 2)

    def _paint_content(self, painter: QPainter, ink) -> None:
        if self._thumb is not None:
            mirrored = self.layoutDirection() == Qt.LayoutDirection.RightToLeft
            painter.translate(-_THUMB / 2 if mirrored else _THUMB / 2, 0)
        super()._paint_content(painter, ink)


def _read_thumbs(folder: Path, scenes: Sequence[SceneEntry]) -> tuple[Path, dict[str, QImage]]:
    """The folder, and the small pictures in it by their names in the bundle."""
    names = dict.fromkeys(scene.thumb for scene in scenes if scene.thumb)
    return folder, {name: _read_thumb(folder / name) for name in names}


def _read_thumb(file: Path) -> QImage:
    """At most 64 pixels a side; a null picture when the file is damaged."""
    reader = QImageReader(str(file))
    reader.setAutoTransform(True)
    if reader.size().isValid() and max(reader.size().width(), reader.size().height()) <= 2048:
        reader.setScaledSize(reader.size().scaled(64, 64, Qt.AspectRatioMode.KeepAspectRatio))
        return reader.read()
    return QImage()


class SceneChips(QWidget):
    """The first few scenes, and all of them behind "All scenes".

    Signals:
        picked(object): the ``SceneEntry`` whose words are wanted.
    """

    picked = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.scenes: tuple[SceneEntry, ...] = ()
        self._coming = ComingScenes()
        self._folder: Path | None = None
        self._thumbs: dict[str, QImage] = {}
        self._all = False
        self._prompt = ""
        self._shown: list[Chip] = []  # those before stay children until they are deleted
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(8)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def expect(self, coming: ComingScenes) -> None:
        """Show the scenes that are on their way. They cannot be chosen yet."""
        if not self.scenes and coming != self._coming:
            self._coming = coming
            self._fill()

    def described(self) -> ComingScenes:
        """The scenes for the next start."""
        if not self.scenes:
            return self._coming
        first = tuple(ComingScene(scene.label, scene.thumb) for scene in self.scenes[:FIRST])
        return ComingScenes(first, len(self.scenes))

    def set_scenes(self, scenes: Sequence[SceneEntry], folder: Path | None = None) -> None:
        """The scenes of a bundle; ``folder`` holds their thumbnails."""
        if (tuple(scenes), folder) != (self.scenes, self._folder):
            self.scenes, self._folder, self._thumbs, self._all = tuple(scenes), folder, {}, False
            self._coming = ComingScenes()
            self._fill()
            if folder is not None:  # unpacking them here would keep the window waiting
                # First they are painted: beside a thread that runs Python it would take twice as long.
                QTimer.singleShot(PAINTED_MS, self, self._read_thumbs)

    @Slot()
    def _read_thumbs(self) -> None:
        from app.system import background

        if self._folder is not None:
            background.run(_read_thumbs, self._folder, self.scenes, done=self._thumbs_read)

    def mark(self, prompt: str) -> None:
        """Show which of them the prompt asks for."""
        self._prompt = prompt
        chosen = scenes_in(prompt, self.scenes)
        for chip in self.chips():
            chip.setChecked(chip.scene in chosen)

    def _thumbs_read(self, read: tuple[Path, dict[str, QImage]]) -> None:
        folder, thumbs = read
        if folder == self._folder:
            self._thumbs = thumbs
            for chip in self.chips():
                self._show_thumb(chip)

    def _show_thumb(self, chip: SceneChip) -> None:
        if chip.scene.thumb in self._thumbs:
            chip.set_thumb(self._thumbs[chip.scene.thumb])

    def chips(self) -> list[SceneChip]:
        return [chip for chip in self._shown if isinstance(chip, SceneChip)]

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange and self._shown:
            self._retranslate()
        super().changeEvent(event)

    def _retranslate(self) -> None:
        """The same chips in another language, with the focus where it was."""
        focus = self.window().focusWidget()
        at = next((index for index, chip in enumerate(self._shown) if chip is focus), -1)
        self._fill()
        if at >= 0:
            self._shown[at].setFocus(Qt.FocusReason.OtherFocusReason)

    def _fill(self) -> None:
        clear(self._column)
        self._shown = []
        coming = not self.scenes
        first = self._coming.first if coming else self.scenes[:FIRST]
        count = self._coming.count if coming else len(self.scenes)
        groups: list[tuple[str, Sequence[SceneEntry | ComingScene]]]
        groups = self._groups() if self._all else [("", first)]
        for title, scenes in groups:
            if title:
                heading = label(title, "help", "muted")
                self._column.addWidget(heading)
                heading.show()
            holder = QWidget(self)
            flow = FlowLayout()
            holder.setLayout(flow)
            policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
            policy.setHeightForWidth(True)
            holder.setSizePolicy(policy)
            for scene in scenes:
                chip = SceneChip(scene, holder)
                self._show_thumb(chip)
                chip.clicked.connect(self._clicked)
                flow.addWidget(chip)
                self._shown.append(chip)
            if (scenes is groups[-1][1]) and count > FIRST:
                more = Chip(self.tr("Fewer") if self._all else self.tr("All {0}").format(count), holder)
                more.setAccessibleName(self.tr("Show fewer scenes") if self._all else self.tr("Show all scenes"))
                more.setMinimumHeight(size("chip"))
                more.clicked.connect(self._toggle)
                flow.addWidget(more)
                self._shown.append(more)
            self._column.addWidget(holder)
            holder.show()
        for shown in self._shown:
            shown.setEnabled(not coming)
        tab_within(self, self._shown)
        self.mark(self._prompt)
        self.updateGeometry()

    def _groups(self) -> list[tuple[str, Sequence[SceneEntry | ComingScene]]]:
        titles = {
            "scene": self.tr("Places"),
            "surface": self.tr("On top of"),
            "background": self.tr("In front of"),
            "light": self.tr("Light"),
            "colour": self.tr("Colours"),
            "material": self.tr("Materials"),
            "outfit": self.tr("Outfits"),
        }
        kinds = [*_KINDS, *dict.fromkeys(scene.kind for scene in self.scenes if scene.kind not in _KINDS)]
        groups = [(titles.get(kind, kind), tuple(s for s in self.scenes if s.kind == kind)) for kind in kinds]
        return [(title, members) for title, members in groups if members]

    @Slot()
    def _clicked(self) -> None:
        chip = self.sender()
        if isinstance(chip, SceneChip):
            self.picked.emit(chip.scene)
            self.mark(self._prompt)  # the prompt decides, not the press

    @Slot()
    def _toggle(self) -> None:
        self._all = not self._all
        self._fill()
        chips, area = self.chips(), scroll_area_of(self)
        if chips:
            chips[0].setFocus(Qt.FocusReason.OtherFocusReason)
        if area is not None and not self._all:  # the few lie above what is seen, and so does what was below the many
            area.verticalScrollBar().setValue(0)
            area.ensureWidgetVisible(self, 0, 16)
