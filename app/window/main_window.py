"""The window: puts the panels together with what connects them. What they do is theirs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt, Signal, Slot
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QMainWindow

from app.language import sentences
from app.look import focus
from app.session.state import SessionState
from app.store.paths import AppPaths
from app.system.deferred import imports
from app.window.geometry import WindowGeometry
from app.window.panels import Panels
from app.window.window_session import WindowSession

if TYPE_CHECKING:
    from app.session.controller import Controller
    from app.store.history_store import HistoryStore

# What each needs comes before it, so that no import holds up the window for long.
_UPDATES = ("ssl", "urllib.request", "installer.launcher.network", "installer.launcher.updates", "app.session.updates")


class MainWindow(QMainWindow):
    """See the module.

    Args:
        state, store: what is in the session, and the history.
        paths: the folders of this user.

    At first it only shows; ``complete`` gives it the controller, which is what the user can ask for.

    Signals:
        closing: the user closed the window; it is hidden already.
        changed: something of the session is different (panels, sections, geometry) that the state does not tell.
    """

    closing = Signal()
    changed = Signal()

    def __init__(self, state: SessionState, store: HistoryStore, paths: AppPaths) -> None:
        super().__init__()
        self.setObjectName("mainWindow")
        self.setWindowTitle("EchoGen")
        self.setAcceptDrops(True)
        self.state, self._paths = state, paths
        self.panels = panels = Panels(state, store)
        self.setCentralWidget(panels)
        self.top_bar, self.left, self.subject = panels.top_bar, panels.left, panels.subject
        self.canvas, self.prompt, self.history = panels.canvas, panels.prompt, panels.history
        self.place = WindowGeometry(self)
        self.window_session = WindowSession(panels, self.place, state)
        self._whole = False
        self.prompt.focus_prompt()

    def complete(self, controller: Controller) -> None:
        """Add all that acts, and all that opens from the window. Nothing that is seen already moves."""
        for _ in self.parts(controller):
            pass

    def parts(self, controller: Controller) -> Iterator[None]:
        """``complete`` in parts, with a yield where the window may paint and answer."""
        self.controller = controller
        yield from self.panels.complete(self.state, controller.subjects, controller.queue)
        yield
        yield from self._build(self._paths)
        yield
        self._connect()
        self._show_engine()
        self.status.show()
        self._enable()
        self.window_session.take_list(self.listing)
        self._whole = True

    # Building

    def _build(self, paths: AppPaths) -> Iterator[None]:
        # Not at the head of the file: the window is seen before these are needed.
        from app.session.earlier_subjects import EarlierSubjects
        from app.store.assets import AssetStore
        from app.store.list_store import ListStore
        from app.system.awake import inhibitor_of
        from app.system.notices import SystemNotices
        from app.window.cutting import Cutting
        from app.window.dialog_opener import Dialogs
        from app.window.drawing import Drawing
        from app.window.drop_frame import DropFrame
        from app.window.editing import Editing
        from app.window.empty_canvas import EmptyCanvas
        from app.window.full_screen import FullScreen
        from app.window.further_photos import FurtherPhotos
        from app.window.gallery_page import GalleryPage
        from app.window.in_background import InBackground
        from app.window.larger import Larger
        from app.window.listing import Listing
        from app.window.menus import Commands
        from app.window.model_offering import ModelOffering
        from app.window.next_steps import ErrorSteps
        from app.window.panel_focus import PanelFocus
        from app.window.photo_sources import PhotoSources
        from app.window.picture_menu import PictureMenu
        from app.window.pictures import FinishedPictures
        from app.window.placing import Placing
        from app.window.presets import Presets
        from app.window.redrawing import Redrawing
        from app.window.side_by_side import SideBySide
        from app.window.status_line import StatusLine
        from app.window.window_keys import PhotosPastFields, WindowKeys

        panels, state, controller = self.panels, self.state, self.controller
        self.editor, self.banner, self.toast = panels.editor, panels.banner, panels.toast
        self.drop_frame = DropFrame(self)
        self.photo_sources = PhotoSources(self)
        self.further_photos = FurtherPhotos(panels, controller, self)
        self.dialogs = Dialogs(self, controller, paths)
        self.assets = AssetStore(paths.assets)
        controller.regions.set_assets(self.assets)
        earlier = EarlierSubjects(state, self.assets, self)
        self.pictures = FinishedPictures(
            self, state, controller, self.canvas, self.history, self.prompt, self.toast, earlier
        )
        self.drawing = Drawing(panels, controller, self)
        self.side_by_side = SideBySide(panels, controller, self)
        self.history.commands.sideBySideRequested.connect(self.side_by_side.toggle)
        self.full_screen = FullScreen(self, state, self.canvas, self.history, self)
        self.gallery_page = GalleryPage(panels, state, (self.drawing.asked, controller.files.pictureOpened), self)
        self.editing = Editing(panels, state, self)
        self.placing = Placing(self.canvas, state, self)
        self.redrawing = Redrawing(panels, controller, self)
        self.cutting = Cutting(panels, controller, self)
        self.listing = Listing(panels, controller, ListStore(paths.prompt_list), self)
        self.larger = Larger(panels, controller, self)
        self.presets = Presets(panels, state, paths.presets, self)
        self.dialogs.key_words = self.presets.key_words
        yield
        self.panel_focus = PanelFocus(self, panels.stations)
        fills = {"Presets": self.presets.fill, "History": panels.add_history_entries}
        self.commands = Commands(self, self._runs(), self._listed, fills)
        self.picture_menu = PictureMenu(
            self.canvas, state, self.commands, self.history, self.full_screen, self.toast, self
        )
        self.in_background = InBackground(
            self, state, controller.queue, self.canvas, inhibitor_of(), SystemNotices(self)
        )
        yield
        self.window_keys = WindowKeys(("focus_prompt",), self)
        self.photos_past_fields = PhotosPastFields(self)
        self.status = StatusLine(self.top_bar, controller, panels.work_in_editor, self)
        self.empty_canvas = EmptyCanvas(self.canvas, state, self)
        self.model_offering = ModelOffering(self.dialogs, panels, state, self.empty_canvas, self)
        self.faults = ErrorSteps(
            self,
            self.banner,
            controller,
            self.editing.edit,
            self.dialogs.settings,
            self.dialogs.picture_settings,
            self.photo_sources.choose,
            self.history.commands.rescan,
            panels.place_banner,
            self.toast.show_message,
        )
        self.top_bar.set_menu(self.commands.menu)

    def _listed(self) -> dict[str, bool]:
        from app.window.enabled_actions import listed_actions

        return listed_actions(self.panels, self.state, self.side_by_side.can_show())

    def _runs(self) -> dict[str, Callable[..., object]]:
        """The slot of each action of the table in this window."""
        panels, dialogs, drawing = self.panels, self.dialogs, self.drawing
        return {
            "open": self.photo_sources.choose,
            "add_photo": self.further_photos.choose,
            "paste": self.photo_sources.paste,
            "save": self.pictures.save,
            "save_plain": self.pictures.save_plain,
            **self.larger.runs(),
            "copy": self.pictures.copy,
            "export_mask": self.editor.export_mask,
            "import_mask": self.editor.import_mask,
            "export_cutout": self.cutting.save_subject,
            "quit": self.close,
            "generate": drawing.generate,
            "cancel": drawing.stop,
            "stop_after": drawing.stop_after,
            "queue": panels.queue.toggle,
            "queue_pause": drawing.pause_or_go_on,
            "vary": self.canvas.vary,
            "redraw": self.canvas.strip.redraw,
            "redraw_region": self.redrawing.redraw_region,
            "into_photo": self.redrawing.choose_photo,
            "cut_out": self.cutting.cut_out,
            "ideas": drawing.draw_ideas,
            "list": self.listing.open,
            "new_seed": self.prompt.roll_seed,
            "lock_seed": self.prompt.toggle_seed_lock,
            "compare": self.canvas.toggle_compare,
            "side_by_side": self.side_by_side.toggle,
            "place": self.canvas.placement.toggle,
            "focus_prompt": self.prompt.focus_prompt,
            **self.presets.runs(),
            "next_panel": self.panel_focus.next,
            "previous_panel": self.panel_focus.previous,
            "fit": panels.zoom_fit,
            "actual_size": panels.zoom_actual,
            "zoom_in": panels.zoom_in,
            "zoom_out": panels.zoom_out,
            "toggle_history": panels.toggle_history,
            "gallery": self.gallery_page.toggle,
            "toggle_subject": panels.toggle_subject,
            "menu": self.top_bar.open_menu,
            "full_screen": self.place.toggle_full_screen,
            "edit_cutout": self.editing.edit,
            "undo": panels.undo,
            "redo": panels.redo,
            "search": panels.search_history,
            "help": dialogs.help,
            "models": dialogs.models,
            "settings": dialogs.settings,
            "log_folder": dialogs.log_folder,
            "diagnostics": dialogs.copy_diagnostics,
            "about": dialogs.about,
        }

    def _connect(self) -> None:
        state, controller, panels, toast, dialogs = self.state, self.controller, self.panels, self.toast, self.dialogs
        for notice in (
            controller.notice,
            controller.queue.noted,
            self.photo_sources.notice,
            dialogs.notice,
            self.canvas.hintWanted,
        ):
            notice.connect(toast.show_message)
        for fails in (controller.failed, self.subject.failed, self.presets.failed):
            fails.connect(self.faults.show)
        self.history.commands.failed.connect(self.faults.report)
        for uses in (self.history.commands.opened, self.history.commands.changed):
            uses.connect(self.faults.history_used)
        controller.exported.connect(self.faults.picture_saved)
        controller.cleared.connect(self.banner.clear_error)
        self.banner.closed.connect(self.status.forget)
        dialogs.fetching.connect(self.status.show_fetching)
        self.larger.goingOn.connect(self.status.show_enlarging)
        self.larger.networkWanted.connect(dialogs.get_upscaler)
        dialogs.updateFound.connect(self._tell_update)
        dialogs.downloadFailed.connect(self._tell_download)
        further, sources = self.further_photos, self.photo_sources
        for given in (sources.filesGiven, sources.imageGiven, further.given, self.subject.gallery.chosen):
            given.connect(self.faults.photos_given)
        self.subject.photos.removed.connect(self.faults.photo_taken_out)
        self.photo_sources.filesGiven.connect(controller.files.open)
        self.photo_sources.imageGiven.connect(controller.subjects.reading.open_image)
        for wants_photo in (self.subject.chooseRequested, self.left.replaceRequested):
            wants_photo.connect(self.photo_sources.choose)
        self.subject.shelf.removed.connect(self._taken_off)
        for wants_name in (self.prompt.nameWanted, self.subject.shelf.renameRequested):
            wants_name.connect(self._ask_for_name)
        self.subject.name_row.edit.editingFinished.connect(self.prompt.wording.settle)
        for wants_models in (self.top_bar.models_button.clicked, self.top_bar.modelsWanted):
            wants_models.connect(dialogs.models)
        dialogs.modelChanged.connect(panels.subject.found_note.show_offer)
        panels.subject.helpersRequested.connect(dialogs.get_better_cutouts)
        for wants_help in (
            self.editor.helpRequested,
            panels.region.helpRequested,
            panels.cutting.helpRequested,
            self.top_bar.help_button.clicked,
        ):
            wants_help.connect(dialogs.help)
        self.top_bar.settings_button.clicked.connect(dialogs.settings)
        self.top_bar.bundleChosen.connect(self._bundle_chosen)
        for engine_changes in (controller.models.bundlesChanged, state.engineChanged):
            engine_changes.connect(self._show_engine)
        for signal in (state.jobChanged, state.resultChanged, state.maskChanged, state.photoChanged):
            signal.connect(self._enable)
        self.canvas.strip.handleMoved.connect(self._enable)
        self.canvas.followed.connect(self._enable)
        self.placing.changed.connect(self._enable)
        self.gallery_page.changed.connect(self._enable)
        panels.editorOpen.connect(self._editing_changed)
        listed = self.listing.run.kept
        for session_changes in (self.drawing.asked, self.prompt.sheet.sectionsChanged, panels.historyFolded, listed):
            session_changes.connect(self.changed)

    # What is shown

    @Slot()
    def _show_engine(self) -> None:
        """The models in the top bar, and what the open one runs on."""
        engine = self.state.engine
        self.top_bar.set_bundles(self.controller.models.bundles, str(engine.folder or ""))
        info = engine.info
        if info is not None:
            words = sentences.joined((info.plan, *info.notes))
            self.top_bar.set_device(sentences.translated(info.device), words)

    @Slot(bool)
    def _editing_changed(self, editing: bool) -> None:
        self.commands.set_editing(editing)
        self.status.show()
        self._enable()

    @Slot()
    def _enable(self) -> None:
        """Switch off what cannot be done now."""
        from app.window.enabled_actions import enabled_actions

        enabled = enabled_actions(self.panels, self.state, self.redrawing, self.cutting)
        self.commands.enable(**enabled)
        self.panels.prompt.sheet.photo_button.setEnabled(enabled["into_photo"])
        self.canvas.enable_edits(region=enabled["redraw_region"], cut_out=enabled["cut_out"])

    def is_editing(self) -> bool:
        """Return True while an editor is open."""
        return self.panels.is_editing()

    @Slot()
    def _taken_off(self) -> None:
        self.toast.show_message(self.tr("Taken off the shelf"), self.subject.shelf.bring_back)

    @Slot()
    def _ask_for_name(self) -> None:
        self.left.open_panel()
        self.subject.ask_for_name()

    @Slot(str)
    def _bundle_chosen(self, folder: str) -> None:
        self.state.update_settings(bundle=folder)

    # Drops, and files of another start

    @Slot(object)
    def receive(self, files: list[Path]) -> None:
        """Another start hands over its photos."""
        self.setWindowState(self.windowState() & ~Qt.WindowState.WindowMinimized)
        self.show()
        self.raise_()
        self.activateWindow()
        if files:
            self.photo_sources.filesGiven.emit(files)

    def focusNextPrevChild(self, following: bool) -> bool:
        moved = super().focusNextPrevChild(following)
        focus.reveal(self.focusWidget())
        return moved

    def dragEnterEvent(self, event) -> None:
        from app.subject.photo_drops import holds_folders_only, holds_picture, local_files

        data = event.mimeData()
        if event.source() is not None or not holds_picture(data):
            return
        count, refused = sum(not file.is_dir() for file in local_files(data)), holds_folders_only(data)
        if refused:
            words = self.tr("A folder cannot be opened: drop the photos in it")
        elif count > 1:
            words = self.tr("Drop to put {0} photos on the shelf").format(count)
        else:
            words = self.tr("Drop to use this photo")
        event.setDropAction(Qt.DropAction.CopyAction)
        event.accept()  # also of folders: only then is it told when they leave the window
        self.drop_frame.show_text(words, refused=refused)

    def dragMoveEvent(self, event) -> None:
        event.setDropAction(Qt.DropAction.CopyAction)
        event.setAccepted(not self.drop_frame.refused)

    def dragLeaveEvent(self, event) -> None:
        self.drop_frame.hide()

    def dropEvent(self, event) -> None:
        self.drop_frame.hide()
        if self.photo_sources.take(event.mimeData()):
            event.setDropAction(Qt.DropAction.CopyAction)
            event.accept()

    # The window itself

    def beginnings(self) -> list[Callable[[], object]]:
        """Steps that can wait until the window is seen."""
        return [self.history.start, self._show_engine, self.empty_canvas.show]

    def preparations(self) -> list[Callable[[], object]]:
        """Slow steps that nobody waits for."""
        steps = [*imports(*_UPDATES), self.dialogs.check_for_update] if self.state.settings.updates else []
        return [*self.model_offering.steps(), *steps]

    @Slot(str)
    def _tell_update(self, text: str) -> None:
        self.toast.show_message(text, self.dialogs.update_settings, self.tr("Show"))

    @Slot(str)
    def _tell_download(self, text: str) -> None:
        self.toast.show_message(text, self.dialogs.models, self.tr("Show"))

    def show_example(self) -> None:
        """First launch: the bundle's example and its prompt are in place."""
        manifest, folder = self.state.engine.manifest, self.state.engine.folder
        if manifest is None or folder is None or not manifest.examples:
            return
        example = manifest.examples[0]
        self.subject.open_example(folder / example.image, example.subject_name, example.seed)
        typed = self.prompt.sheet.prompt.toPlainText()  # in the first moments, before there was an example
        self.state.update_values(prompt=typed or example.prompt, seed=example.seed)

    def close_panels(self) -> None:
        """Pause the downloads, and end the threads of the panels."""
        self.in_background.close()
        self.dialogs.close()
        self.larger.close()
        self.controller.subjects.close()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange and self._whole:
            self.commands.retranslate()
            self._show_engine()
            self.status.forget()  # how the last drawing ended was said in the other language
            self.empty_canvas.show()
        super().changeEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Hide at once; the application cancels, waits a bounded time, saves and quits."""
        event.accept()
        self.hide()
        self.closing.emit()
