"""The first run: what is here and works already, what there could be, what that needs, and the one button that begins it.

A card over the empty canvas. It goes for good with the first picture, or when the user puts it away, and it is not there while
the large model is in use; while that is on its way it says how far it is. Everything can be used meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from app.language import amounts, sentences
from app.look.controls import Card, IconButton, OutlinedButton, label
from app.look.glyphs import Glyph
from app.look.theme import notifier, theme
from app.models import words
from app.models.offer_room import LOWEST
from app.models.pieces import Tag
from app.session.downloads import Downloads
from app.session.state import SessionState
from app.session.to_get import bytes_to_get
from app.store.settings import OFFER_PUT_AWAY

MODEL = "echogen-2b"


class ModelOffer(QWidget):
    """See the module.

    Args:
        empty: whether the canvas shows no picture.

    Signals:
        wanted: the user wants the model: show its licences in the Models dialog.
        modelsWanted: the user wants to see the Models dialog as it is.
        settled: it is known whether there is something to offer, and the card shows it.
    """

    wanted = Signal()
    modelsWanted = Signal()
    settled = Signal()

    def __init__(
        self, downloads: Downloads, state: SessionState, empty: Callable[[], bool], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("modelOffer")
        self._downloads, self._session, self._empty = downloads, state, empty
        self._begun = False
        self._action = ""
        self.here, self.here_text = label("", "section"), label("", "body", "muted", wrap=True)
        self.title, self.size_tag, self.licence_tag = label("", "section"), Tag(), Tag()
        self.text = label("", "body", "muted", wrap=True)
        self.bar = QProgressBar()
        self.bar.setRange(0, 1000)
        self.bar.setTextVisible(False)
        self.button = OutlinedButton("", "download")
        self.close_button = IconButton("x", "")
        self._lay_out()
        self.button.clicked.connect(self._press)
        self.close_button.clicked.connect(self._put_away)
        downloads.changed.connect(self._changed)
        downloads.listChanged.connect(self.refresh)
        downloads.deviceKnown.connect(self.refresh)
        # A change shows in many places at once; what there is to offer is worked out when the window has painted them.
        self._soon = QTimer(self, singleShot=True)
        self._soon.timeout.connect(self.refresh)
        for signal in (state.engineChanged, state.resultChanged, state.jobChanged, state.settingsChanged):
            signal.connect(self._refresh_soon)
        state.resultChanged.connect(self._go_with_first_picture)
        notifier.changed.connect(self.update)
        if parent is not None:
            parent.installEventFilter(self)
        self.hide()

    def _lay_out(self) -> None:
        card = Card()
        titles = QHBoxLayout()
        titles.setSpacing(6)
        for widget in (self.title, self.size_tag, self.licence_tag):
            titles.addWidget(widget)
        titles.addStretch(1)
        grid = QGridLayout(card)
        grid.setContentsMargins(14, 10, 8, 12)
        grid.setHorizontalSpacing(10)
        grid.setVerticalSpacing(2)
        grid.setColumnStretch(1, 1)
        top = Qt.AlignmentFlag.AlignTop
        grid.addWidget(Glyph("circle-check", "accent", 18), 0, 0, top)
        grid.addWidget(self.here, 0, 1)
        grid.addWidget(self.close_button, 0, 3, 2, 1, top)
        grid.addWidget(self.here_text, 1, 1)
        grid.setRowMinimumHeight(2, 8)
        grid.addWidget(Glyph("package", "text-muted", 18), 3, 0, top)
        grid.addLayout(titles, 3, 1)
        grid.addWidget(self.text, 4, 1)
        grid.addWidget(self.bar, 5, 1)
        grid.addWidget(self.button, 3, 2, 3, 2, Qt.AlignmentFlag.AlignVCenter)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 0)
        column.addWidget(card)

    # When it is there

    def begin(self) -> None:
        """The window can be seen: look at the device, then appear where there is something to offer."""
        self._begun = True
        self._go_with_first_picture()
        if self._is_due():
            self._downloads.find_device()
        else:
            self.settled.emit()

    def _is_due(self) -> bool:
        engine, session = self._session.engine, self._session
        if not self._begun or session.settings.panels.get(OFFER_PUT_AWAY) or session.jobs.busy or not self._empty():
            return False
        small = engine.manifest is not None and engine.folder is not None and engine.folder.name != MODEL
        return small and engine.phase != "failed" and self._has_space()

    def _has_space(self) -> bool:
        stage = self.parentWidget()
        return stage is None or stage.height() >= LOWEST

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and self._begun and self._is_due() == self.isHidden():
            self.refresh()
        return False

    @Slot()
    def _refresh_soon(self) -> None:
        if self._is_due():
            self._soon.start()
        else:
            self._soon.stop()
            self.hide()
            self.settled.emit()

    @Slot()
    def refresh(self) -> None:
        """Look at everything again; nothing is drawn while there is nothing to offer."""
        state = self._downloads.state(MODEL) if self._is_due() and self._downloads.device is not None else None
        if state is not None:
            self._show_here()
            self._show_offer()
        self.setVisible(state is not None)
        if state is not None or not self._is_due():
            self.settled.emit()

    @Slot(str)
    def _changed(self, name: str) -> None:
        if name == MODEL and self.isVisible():
            self._show_offer()

    # What it says

    def _show_here(self) -> None:
        engine = self._session.engine
        manifest = engine.manifest
        assert manifest is not None
        self.here.setText(self.tr("{0} is here and works").format(manifest.title))
        side = max(max(size) for size in manifest.sizes)
        seconds = self._session.expected_seconds
        self.here_text.setText(
            self.tr("{0} px pictures on this computer, in about {1}. Try everything with it.").format(
                side, amounts.measured_seconds(seconds)
            )
            if seconds
            else self.tr("{0} px pictures on this computer. Try everything with it.").format(side)
        )

    def _show_offer(self) -> None:
        downloads, state = self._downloads, self._downloads.state(MODEL)
        if state is None:
            return
        self.title.setText(words.title(state))
        size = amounts.size(bytes_to_get(state) or state.size)
        self.size_tag.setText(size if state.installed else self.tr("{0} to download").format(size))
        self.licence_tag.setText(words.licence_names(state.licence))
        moving = state.working or (not state.installed and state.done > 0)
        self.bar.setVisible(moving)
        plan = words.best_plan(downloads.plans(state))
        tone = "muted"
        if state.installed:
            self._action, button, icon = "use", self.tr("Use"), ""
            text = self.tr("It is ready: choose it here, or above the picture at any time.")
        elif moving:
            self._action, button, icon = "models", self.tr("Show"), "package"
            by_bytes = state.phase in ("asking", "fetching", "paused", "failed")
            share = (state.done / state.total if state.total else 0.0) if by_bytes else state.fraction
            self.bar.setValue(round(1000 * share))
            self.bar.setAccessibleName(f"{words.title(state)}, {round(100 * share)} %")
            progress = amounts.amount(state.done, state.total) if by_bytes else words.phase(state)
            more = (words.speed(state) or words.phase(state)) if by_bytes else ""
            told = [self.tr("{0}.").format(part) for part in (progress, more) if part]
            text = sentences.in_a_row([*told, self.tr("You can draw meanwhile.")])
        else:
            self._action, button, icon = "get", self.tr("Get…"), "download"
            told = [self.tr("{0} px pictures, as in the paper.").format(1024)]
            if plan is not None:
                on_processor = downloads.device is not None and downloads.device.kind == "cpu"
                if words.too_large(plan):
                    self._action, button, icon = "models", self.tr("Models…"), "package"
                    lacks = (
                        self.tr("It needs at least {0} of memory, and this computer has {1}.")
                        if on_processor
                        else self.tr("It needs at least {0} of memory, and the graphics card has {1}.")
                    )
                    told.append(lacks.format(words.memory(plan.needed), words.memory(plan.available)))
                else:
                    told.append(words.plan_needs(plan))
                    if on_processor:
                        told.append(self.tr("Without a graphics card a picture takes minutes."))
                    elif not plan.fits:
                        tone = "warning"
            text = sentences.in_a_row(told)
        self.text.setText(text)
        if self.text.property("tone") != tone:
            self.text.setProperty("tone", tone)
            self.text.style().polish(self.text)
        self.button.setText(button)
        self.button.set_icon_name(icon)
        self.button.setAccessibleName(f"{button}, {words.title(state)}")
        self.button.updateGeometry()
        self.close_button.describe(self.tr("Not now; it stays under Models"), "")
        self.setAccessibleName(self.title.text())
        self.setAccessibleDescription(text)

    # What is done

    @property
    def action(self) -> str:
        """The action of the button: "get", "models" or "use"."""
        return self._action

    @Slot()
    def _press(self) -> None:
        if self._action == "use":
            self._downloads.use(MODEL)
        elif self._action == "get":
            self.wanted.emit()
        else:
            self.modelsWanted.emit()

    @Slot()
    def _go_with_first_picture(self) -> None:
        """An empty canvas later, before a new photo's first picture, is no first run."""
        if self._session.result is not None:
            self._put_away()

    @Slot()
    def _put_away(self) -> None:
        panels = {**self._session.settings.panels, OFFER_PUT_AWAY: True}
        self._session.update_settings(panels=panels)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self.refresh()
        super().changeEvent(event)

    def paintEvent(self, event) -> None:
        QPainter(self).fillRect(self.rect(), theme().color("canvas"))
