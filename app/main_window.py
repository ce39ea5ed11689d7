"""The window: puts the panels together and hands signals from one to the other. What they do is theirs."""

from __future__ import annotations

import logging
from pathlib import Path

from PySide6.QtCore import QByteArray, QEvent, QSize, Qt, Signal, Slot
from PySide6.QtGui import QCloseEvent, QImage, QKeySequence, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QMainWindow, QStackedWidget, QVBoxLayout, QWidget

from app import sentences
from app.actions import keymap
from app.banner import ErrorBanner
from app.canvas.panel import CanvasPanel
from app.canvas.pixels import to_image
from app.desk import Desk
from app.dialogs.model_offer import ModelOffer
from app.dialogs.opener import Dialogs
from app.drop_frame import DropFrame
from app.faults import Faults
from app.history.panel import HistoryPanel
from app.look.controls import Divider
from app.look.theme import size, tokens
from app.mask.editor import MaskEditorView
from app.menus import Commands
from app.openers import Openers, holds_picture
from app.pictures import Pictures
from app.prompt.panel import PromptPanel
from app.rail import LeftColumn
from app.state import SessionState
from app.status import empty_words, status_of
from app.store.paths import AppPaths
from app.store.session import SessionState as Session
from app.subject.panel import SubjectPanel
from app.subject.workbench import workbench_of
from app.toasts import Toast
from app.top_bar import NARROW, TopBar
from app.walk import PanelWalk, Station
from engine.errors import EchoGenError

log = logging.getLogger(__name__)

RAIL_BELOW = 1280
LOW_BELOW = 760


class MainWindow(QMainWindow):
    """See the module.

    Args:
        state, desk: what is on the desk, and what the user can ask of it.
        paths: the folders of this user.

    Signals:
        closing: the user closed the window; it is hidden already.
        changed: something of the session is different (panels, sections, geometry) that the state does not tell.
    """

    closing = Signal()
    changed = Signal()

    def __init__(self, state: SessionState, desk: Desk, paths: AppPaths) -> None:
        super().__init__()
        self.setObjectName("mainWindow")
        self.setWindowTitle("EchoGen")
        self.setAcceptDrops(True)
        self.state, self.desk, self.paths = state, desk, paths
        self._last = ""
        self._editing = False
        self._history_shown = True
        self._build()
        self._connect()
        self._show_engine()
        self._show_status()
        width, height = tokens()["size"]["window-default"]
        self.setMinimumSize(QSize(*tokens()["size"]["window-min"]))
        self.resize(width, height)
        self.prompt.focus_prompt()

    # Building

    def _build(self) -> None:
        state = self.state
        self.top_bar = TopBar()
        self.canvas = CanvasPanel()
        self.prompt = PromptPanel(state)
        self.subject = SubjectPanel(state)
        self.subject.setObjectName("subjectPanel")
        self.history = HistoryPanel(self.desk.store)
        self.banner = ErrorBanner()
        self.prompt.set_banner(self.banner)
        self.editor = MaskEditorView(state)
        self._stage = QWidget()
        stage = QVBoxLayout(self._stage)
        stage.setContentsMargins(0, 0, 0, 0)
        stage.setSpacing(0)
        stage.addWidget(self.canvas)
        self.left = LeftColumn(state, self.subject, self._stage)
        self._right = QWidget()
        right = QVBoxLayout(self._right)
        right.setContentsMargins(0, 0, 0, 0)
        right.addWidget(self.prompt)
        self._right.setFixedWidth(size("panel-right"))
        body = QHBoxLayout()
        body.setSpacing(0)
        body.addWidget(self.left)
        body.addWidget(Divider(vertical=True))
        body.addWidget(self._stage, 1)
        body.addWidget(Divider(vertical=True))
        body.addWidget(self._right)
        desk = QWidget()
        column = QVBoxLayout(desk)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(body, 1)
        column.addWidget(self.history)
        self._pages = QStackedWidget()
        self._pages.addWidget(desk)
        self._pages.addWidget(self.editor)
        central = QWidget()
        outer = QVBoxLayout(central)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addWidget(self.top_bar)
        outer.addWidget(Divider())
        outer.addWidget(self._pages, 1)
        self.setCentralWidget(central)
        self.toast = Toast(self._stage)
        self.drop_frame = DropFrame(self)
        self.openers = Openers(self)
        self.dialogs = Dialogs(self, self.desk, self.paths)
        self.offer = ModelOffer(self.dialogs.downloads, state, self._is_empty, self._stage)
        stage.insertWidget(0, self.offer)
        self.faults = Faults(
            self,
            self.banner,
            self.desk,
            self.edit_cut_out,
            self.dialogs.settings,
            self.dialogs.picture_settings,
            self.openers.choose,
        )
        self.walk = PanelWalk(self, self.stations)
        self.pictures = Pictures(self, state, self.desk, self.canvas, self.history, self.prompt, self.toast)
        self.commands = Commands(self, self._runs())
        self.top_bar.set_menu(self.commands.menu)

    def _runs(self) -> dict:
        """What each action of the table does in this window."""
        return {
            "open": self.openers.choose,
            "paste": self.openers.paste,
            "save": self.pictures.save,
            "save_plain": self._save_plain,
            "copy": self.canvas.copy,
            "export_mask": self.editor.export_mask,
            "import_mask": self.editor.import_mask,
            "quit": self.close,
            "generate": self.generate,
            "cancel": self.stop,
            "stop_after": self.desk.generation.stop_after,
            "vary": self.canvas.vary,
            "redraw": self.canvas.strip.redraw,
            "ideas": self.draw_ideas,
            "new_seed": self.prompt.roll_seed,
            "lock_seed": self.prompt.toggle_seed_lock,
            "compare": self.canvas.toggle_compare,
            "focus_prompt": self.prompt.focus_prompt,
            "next_panel": self.walk.next,
            "previous_panel": self.walk.previous,
            "fit": self.zoom_fit,
            "actual_size": self.zoom_actual,
            "zoom_in": self.zoom_in,
            "zoom_out": self.zoom_out,
            "toggle_history": self.toggle_history,
            "toggle_subject": self.toggle_subject,
            "menu": self.top_bar.open_menu,
            "full_screen": self.toggle_full_screen,
            "edit_cutout": self.edit_cut_out,
            "undo": self.undo,
            "redo": self.redo,
            "search": self.search_history,
            "help": self.dialogs.help,
            "models": self.dialogs.models,
            "settings": self.dialogs.settings,
            "log_folder": self.dialogs.log_folder,
            "diagnostics": self.dialogs.copy_diagnostics,
            "about": self.dialogs.about,
        }

    def _connect(self) -> None:
        state, desk, canvas, prompt = self.state, self.desk, self.canvas, self.prompt
        generation = desk.generation
        prompt.generateRequested.connect(self.generate)
        prompt.cancelRequested.connect(self.stop)
        prompt.ideasRequested.connect(self.draw_ideas)
        prompt.sectionsChanged.connect(self.changed)
        desk.drawing.connect(canvas.started)
        desk.drawing.connect(self._begins)
        generation.previewed.connect(canvas.previewed)
        generation.finished.connect(canvas.finished)
        generation.stopped.connect(self._stopped)
        generation.ideaPreviewed.connect(canvas.idea_previewed)
        generation.ideaFinished.connect(canvas.idea_finished)
        desk.ideasBegun.connect(canvas.begin_ideas)
        desk.failed.connect(self.faults.show)
        desk.cleared.connect(self.banner.clear_error)
        desk.said.connect(self.toast.show_message)
        desk.bundlesChanged.connect(self._show_engine)
        desk.ended.connect(self._ended)
        desk.photoGiven.connect(self.subject.open_file)
        self.openers.filesGiven.connect(desk.open_files)
        self.openers.imageGiven.connect(self.subject.open_image)
        self.openers.said.connect(self.toast.show_message)
        self.dialogs.said.connect(self.toast.show_message)
        self.offer.wanted.connect(self.dialogs.get_large_model)
        self.offer.modelsWanted.connect(self.dialogs.models)
        self.history.failed.connect(self.faults.report)
        generation.failed.connect(self._drawing_failed)
        generation.noted.connect(self.toast.show_message)
        canvas.varyRequested.connect(desk.vary)
        canvas.redrawRequested.connect(desk.redraw)
        canvas.ideaChosen.connect(desk.finish_idea)
        canvas.ideasClosed.connect(generation.stop_now)
        canvas.hintWanted.connect(self.toast.show_message)
        state.engineChanged.connect(self._show_engine)
        state.maskChanged.connect(self._show_subject)
        state.photoChanged.connect(self._show_subject)
        for signal in (state.engineChanged, state.jobChanged, state.maskChanged):
            signal.connect(self._show_status)
        for signal in (state.jobChanged, state.resultChanged, state.maskChanged, state.photoChanged):
            signal.connect(self._enable)
        self.banner.closed.connect(self._put_away)
        self.subject.editRequested.connect(self.edit_cut_out)
        self.subject.chooseRequested.connect(self.openers.choose)
        self.subject.failed.connect(self.faults.show)
        self.editor.accepted.connect(self.leave_editor)
        self.editor.left.connect(self.leave_editor)
        self.editor.discarded.connect(self._offer_discarded)
        self.editor.helpRequested.connect(self.dialogs.help)
        self.left.editRequested.connect(self.edit_cut_out)
        self.left.replaceRequested.connect(self.openers.choose)
        self.left.overlayRequested.connect(self._show_overlay)
        self.left.historyToggled.connect(self.show_history)
        self.top_bar.bundleChosen.connect(self._bundle_chosen)
        self.top_bar.models_button.clicked.connect(self.dialogs.models)
        self.top_bar.help_button.clicked.connect(self.dialogs.help)
        self.top_bar.settings_button.clicked.connect(self.dialogs.settings)
        keymap.changed.connect(self._share_escape)
        self._enable()
        self._share_escape()

    # Drawing

    @Slot()
    def generate(self) -> None:
        """Draw what the panel says; a new seed unless it is locked."""
        possible, why = self.desk.can_draw()
        if not possible:
            self.toast.show_message(why)
            if not self.state.values.prompt.strip():
                self.prompt.focus_prompt()
            return
        focused = self.prompt.generate.hasFocus()
        self.prompt.for_next_picture()
        self.prompt.remember(self.state.values.prompt)
        self.desk.generate()
        if focused and self.state.jobs.busy:
            self.prompt.cancel.setFocus(Qt.FocusReason.OtherFocusReason)
        self.changed.emit()

    @Slot()
    def stop(self) -> None:
        """Stop at once; when nothing is drawn, put away what can be put away."""
        if self.state.jobs.busy:
            self.desk.generation.stop_now()
        elif self.canvas.ideas.isVisible():
            self.canvas.close_ideas()
        elif self.left.is_narrow() and self.left.is_panel_open():
            self.left.close_panel()
        elif self.banner.isVisible():
            self.banner.dismiss()

    @Slot()
    def draw_ideas(self) -> None:
        self.desk.draw_ideas(self.canvas.idea_scales())

    @Slot(object, object)
    def _begins(self, event: object, size: object) -> None:
        self._last = ""

    @Slot(object)
    def _stopped(self, images: object) -> None:
        self.canvas.stopped()

    @Slot(object, str)
    def _drawing_failed(self, error: EchoGenError, details: str) -> None:
        if self.canvas.canvas.state == "forming" or not self.canvas.canvas.has_picture():
            self.canvas.failed()
        self.canvas.close_ideas()

    @Slot(str)
    def _ended(self, text: str) -> None:
        had_focus = self.prompt.cancel.hasFocus()
        self._last = text
        self._show_status()
        if had_focus and not self.state.jobs.busy:
            self.canvas.actions_bar.vary_button.setFocus(Qt.FocusReason.OtherFocusReason)

    @Slot()
    def _put_away(self) -> None:
        """The error was read: the status does not go on about it."""
        self._last = ""
        self._show_status()

    # What is shown

    @Slot()
    def _show_engine(self) -> None:
        engine = self.state.engine
        self.top_bar.set_bundles(self.desk.bundles, str(engine.folder or ""))
        info = engine.info
        if info is not None:
            words = sentences.joined((info.plan, *info.notes))
            self.top_bar.device.set_device(sentences.translated(info.device), words)
            self.top_bar.set_narrow(self.width() < NARROW)
        if engine.manifest is not None:
            wanted = self.state.values.size
            schedules = engine.manifest.schedules
            chosen = next((s for s in schedules if s.size == wanted), schedules[0])
            self.canvas.set_grids(chosen.grids)
        if not self.canvas.canvas.has_picture():
            self._show_empty()

    @Slot()
    def _show_subject(self) -> None:
        subject = self.state.subject
        cut_out = subject.cut_out if subject is not None else None
        self.canvas.set_cut_out(to_image(cut_out.rgb) if cut_out is not None else None)
        if not self.canvas.canvas.has_picture() and self.canvas.canvas.state == "empty":
            self._show_empty()

    def _show_empty(self) -> None:
        """The words of a canvas without a picture."""
        if self.state.jobs.busy or self.canvas.canvas.state == "forming":
            return
        if self.state.engine.phase == "failed":
            self.canvas.failed()
            return
        subject = self.state.subject
        pictures = self._example_pictures() if subject is not None and subject.example else []
        self.canvas.show_empty(*empty_words(self.state), pictures)

    def _is_empty(self) -> bool:
        """Whether the canvas waits for its first picture."""
        return self.state.result is None and self.canvas.canvas.state == "empty"

    def _example_pictures(self) -> list[QImage]:
        """Three scales of a picture that the open bundle drew, from coarse to fine, when it brings them along."""
        folder = self.state.engine.folder
        if folder is None:
            return []
        files = sorted((folder / "examples").glob("scale_*.png"))[:3] if (folder / "examples").is_dir() else []
        return [image for image in (QImage(str(file)) for file in files) if not image.isNull()]

    @Slot()
    def _show_status(self) -> None:
        text, token = status_of(self.state, editing=self._editing, last=self._last)
        self.top_bar.set_status(text, token)

    @Slot()
    def _enable(self) -> None:
        """Switch off what cannot be done now."""
        busy, picture = self.state.jobs.busy, self.canvas.canvas.has_picture()
        subject = self.state.subject
        photo = subject is not None and subject.photo is not None
        self.commands.enable(
            save=picture and not self._editing,
            save_plain=picture and not self._editing,
            copy=picture and not self._editing,
            stop_after=busy and not self.state.jobs.last,
            vary=picture and not self._editing,
            redraw=self.canvas.strip.model.can_redraw,
            ideas=not busy and not self._editing,
            compare=self.canvas.canvas.can_compare(),
            edit_cutout=photo,
            export_mask=photo and subject is not None and subject.mask is not None,
            import_mask=photo,
            generate=not self._editing,
        )

    # The cut-out editor

    @Slot()
    def edit_cut_out(self) -> None:
        subject = self.state.subject
        if self._editing or subject is None or subject.photo is None:
            return
        self._editing = True
        self.left.close_panel()
        self.editor.begin()
        self._pages.setCurrentWidget(self.editor)
        self.editor.setFocus(Qt.FocusReason.OtherFocusReason)
        self._share_escape()
        self._show_status()
        self._enable()

    @Slot()
    def leave_editor(self) -> None:
        if self._editing:
            self._editing = False
            self._pages.setCurrentIndex(0)
            self._share_escape()
            self._show_status()
            self._enable()
            self.prompt.focus_prompt()

    @Slot()
    def _offer_discarded(self) -> None:
        self.toast.show_message(self.tr("The changes to the cut-out are discarded"), self._edit_on)

    @Slot()
    def _edit_on(self) -> None:
        """Discarding was a slip: the editor again, with what was done there."""
        self.edit_cut_out()
        self.editor.bring_back()

    @Slot()
    def _show_overlay(self) -> None:
        """The rail's overlay button: the panel slides out and shows the next view of the cut-out."""
        self.left.open_panel()
        self.subject.next_overlay()

    def is_editing(self) -> bool:
        return self._editing

    @Slot()
    def _share_escape(self) -> None:
        """Two actions on one key would block each other: while the editor is open, Esc is its own."""
        keys = keymap.keys("cancel")
        if self._editing:
            keys = tuple(key for key in keys if key not in keymap.keys("leave_editor"))
        self.commands.actions["cancel"].setShortcuts([QKeySequence(key) for key in keys])

    # View

    @Slot()
    def zoom_fit(self) -> None:
        self._zoomed().zoom_fit()

    @Slot()
    def zoom_actual(self) -> None:
        self._zoomed().zoom_actual()

    @Slot()
    def zoom_in(self) -> None:
        self._zoomed().zoom_in()

    @Slot()
    def zoom_out(self) -> None:
        self._zoomed().zoom_out()

    def _zoomed(self):
        return self.editor.canvas if self._editing else self.canvas.canvas

    @Slot()
    def undo(self) -> None:
        (self.editor if self._editing else self.subject).undo()

    @Slot()
    def redo(self) -> None:
        (self.editor if self._editing else self.subject).redo()

    def stations(self) -> list[Station]:
        """What F6 walks."""
        if self._editing:
            return [Station(self.top_bar, self.top_bar.bundles), Station(self.editor, self.editor)]
        # Widgets whose keys act at once, not the panels around them: a panel has no ring and no keys.
        places = (self.subject.canvas, self.subject.drop_zone.choose)
        subject: QWidget = next((place for place in places if place.isVisibleTo(self.subject)), self.subject.name_edit)
        if self.left.is_narrow():
            subject = self.left.rail.cut_out
        pictures = self.history.view if self.history.model.rows else self.history.star_button
        found = [
            Station(self.top_bar, self.top_bar.bundles),
            Station(self.left, subject),
            Station(self.prompt, self.prompt.prompt),
            Station(self.canvas, self.canvas.canvas),
        ]
        return [*found, Station(self.history, pictures)] if self.history.isVisible() else found

    @Slot()
    def toggle_history(self) -> None:
        self.show_history(not self._history_shown)

    @Slot(bool)
    def show_history(self, shown: bool) -> None:
        """Fold the history away, or bring it back."""
        if shown != self._history_shown:
            self._history_shown = shown
            self.changed.emit()
        self.history.setVisible(shown)
        self.left.rail.history.setChecked(shown)

    def is_history_shown(self) -> bool:
        return self._history_shown

    @Slot()
    def toggle_subject(self) -> None:
        if self.left.is_narrow():
            self.left.close_panel() if self.left.is_panel_open() else self.left.open_panel()
        else:
            self.left.setVisible(not self.left.isVisible())

    @Slot()
    def toggle_full_screen(self) -> None:
        self.showNormal() if self.isFullScreen() else self.showFullScreen()

    @Slot()
    def search_history(self) -> None:
        self.show_history(True)
        self.history.show_search()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        """What gives way in a small window (ui.md, Layout)."""
        width, height = self.width(), self.height()
        narrow, low = width < NARROW, height < LOW_BELOW
        self.left.set_narrow(width < RAIL_BELOW)
        self._right.setFixedWidth(size("panel-right-small" if narrow else "panel-right"))
        self.canvas.set_compact(narrow or low)
        self.prompt.set_low(low)
        self.history.set_compact(low)
        self.top_bar.set_narrow(narrow)

    # Files

    @Slot(object)
    def receive(self, files: list[Path]) -> None:
        """Another start hands over its photos."""
        self.setWindowState(self.windowState() & ~Qt.WindowState.WindowMinimized)
        self.show()
        self.raise_()
        self.activateWindow()
        if files:
            self.desk.open_files(files)

    @Slot()
    def _save_plain(self) -> None:
        self.pictures.save(False)

    def dragEnterEvent(self, event) -> None:
        data = event.mimeData()
        if event.source() is None and holds_picture(data):
            event.setDropAction(Qt.DropAction.CopyAction)
            event.accept()
            self.drop_frame.show_text(self.tr("Drop to use this photo"))

    def dragMoveEvent(self, event) -> None:
        event.setDropAction(Qt.DropAction.CopyAction)
        event.accept()

    def dragLeaveEvent(self, event) -> None:
        self.drop_frame.hide()

    def dropEvent(self, event) -> None:
        self.drop_frame.hide()
        if self.openers.take(event.mimeData()):
            event.setDropAction(Qt.DropAction.CopyAction)
            event.accept()

    @Slot(str)
    def _bundle_chosen(self, folder: str) -> None:
        self.state.update_settings(bundle=folder)

    # The window itself

    def begin(self) -> None:
        """The window can be seen: what is slow and can wait begins now."""
        self.history.start()
        self._show_engine()
        self.offer.begin()

    def show_example(self) -> None:
        """First launch: the bundle's example, its prompt and its dials are in place."""
        manifest, folder = self.state.engine.manifest, self.state.engine.folder
        if manifest is None or folder is None:
            return
        defaults = manifest.request_defaults()
        values = {name: defaults[name] for name in ("prompt_strength", "subject_strength", "temperature", "top_p")}
        if manifest.examples:
            example = manifest.examples[0]
            values |= {"prompt": example.prompt, "seed": example.seed}
            self.subject.open_example(folder / example.image, example.subject_name, example.seed)
        self.state.update_values(**values)

    def session_extra(self) -> dict:
        """What the session keeps of this window beside the state."""
        controls = {
            "sections": self.prompt.open_sections(),
            "history_shown": self._history_shown,
        }
        return {
            "controls": controls,
            "prompt_history": self.prompt.prompt_history(),
            "window": bytes(self.saveGeometry().toBase64().data()).decode(),
        }

    def restore_session(self, session: Session) -> None:
        """Place, size, open sections and earlier prompts as they were."""
        if session.window:
            self.restoreGeometry(QByteArray.fromBase64(session.window.encode()))
        sections = session.controls.get("sections")
        if isinstance(sections, dict):
            self.prompt.set_open_sections(sections)
        self.prompt.set_prompt_history(session.prompt_history)
        self.show_history(session.controls.get("history_shown", True) is not False)

    def close_panels(self) -> None:
        """Pause the downloads, and end the threads of the panels."""
        self.dialogs.downloads.close()
        workbench_of(self.state).close()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self.commands.retranslate()
            self._show_engine()
            self._show_status()
        super().changeEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Hide at once; the application cancels, waits a bounded time, saves and quits."""
        event.accept()
        self.hide()
        self.closing.emit()
