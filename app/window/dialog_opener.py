"""Opens the dialogs and does what their buttons ask for. Each is imported when it is first asked for: the window opens without."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QWidget

from app.dialogs.diagnostics import diagnostics
from app.language import sentences
from app.language.languages import language_of
from app.session.controller import Controller
from app.store.paths import AppPaths
from app.system.sharing import file_url
from engine import EchoGenError

if TYPE_CHECKING:
    from app.session.downloads import Downloads
    from app.session.updates import Updates


class Dialogs(QObject):
    """See the module.

    Attributes:
        key_words: gives the words of actions in the list of keys that are not those of the table.

    Signals:
        notice(str): a sentence for a toast.
        fetching(str, str): the work on a model that goes on, or stopped by itself, and the colour of its dot; or "".
        downloadFailed(str): a sentence for a toast; the models say more.
        modelChanged: the work on a model goes on, ended, or learned something of it.
        updateFound(str): a newer version is there; a sentence for a toast.
    """

    notice = Signal(str)
    fetching = Signal(str, str)
    downloadFailed = Signal(str)
    modelChanged = Signal()
    updateFound = Signal(str)

    def __init__(self, window: QWidget, controller: Controller, paths: AppPaths) -> None:
        super().__init__(window)
        self._window, self._controller, self._paths = window, controller, paths
        self._downloads: Downloads | None = None
        self._updates: Updates | None = None
        self._told: EchoGenError | None = None
        self._failed = ""
        self._models_open, self._page = False, "model"
        self.key_words: Callable[[], Mapping[str, str]] = dict

    @property
    def downloads(self) -> Downloads:
        """The models and the work on them, which goes on while no dialog is open."""
        if self._downloads is None:
            from app.session.downloads import Downloads

            self._downloads = Downloads(self._controller, self)
            self._downloads.notice.connect(self.notice)
            self._downloads.changed.connect(self._work_changed)
            self._downloads.changed.connect(self._tell_changed)
        return self._downloads

    @Slot(str)
    def _work_changed(self, name: str) -> None:
        """Work on the models goes on without their dialog: its progress and its end are told in the window."""
        downloads = self._downloads
        if downloads is None or not name:
            return
        state, problem = downloads.state(name), downloads.problem(name)
        if problem is None or self._models_open:
            self._failed = "" if name == self._failed else self._failed
        elif problem is not self._told and state is not None:
            self._told, self._failed = problem, name
            self.downloadFailed.emit(
                self.tr("{0} is not downloaded: {1}").format(
                    sentences.translated(state.title), sentences.title_inside(problem)
                )
            )
        self._tell_work()

    @Slot(str)
    def _tell_changed(self, name: str) -> None:
        self.modelChanged.emit()

    def _tell_work(self) -> None:
        """Tell the window the first work that goes on; else, what failed while nobody looked at the models."""
        from app.models import words

        downloads = self._downloads
        assert downloads is not None
        working = next(filter(None, map(downloads.state, filter(None, downloads.working))), None)
        failed = downloads.state(self._failed) if self._failed else None
        if working is not None:
            self.fetching.emit(words.activity(working), "warning" if working.silent else "accent")
        elif failed is not None:
            self.fetching.emit(words.activity(failed), "warning")
        else:
            self.fetching.emit("", "")

    @property
    def updates(self) -> Updates:
        """The check for newer versions; fetching one goes on while no dialog is open."""
        if self._updates is None:
            from app.session.updates import Updates

            self._updates = Updates(self)
        return self._updates

    @Slot()
    def check_for_update(self) -> None:
        """At a start, where the user wants it: a newer version is told once, and anything that fails is not."""
        self.updates.found.connect(self._update_found, Qt.ConnectionType.SingleShotConnection)
        self.updates.check()

    @Slot()
    def _update_found(self) -> None:
        release = self.updates.release
        if release is not None:
            news = release.news_in(language_of(self._controller.state.settings.language))
            self.updateFound.emit(sentences.in_a_row((self.tr("EchoGen {0} is there.").format(release.version), news)))

    @Slot()
    def update_settings(self) -> None:
        self.open_settings("updates")

    def close(self) -> None:
        """Pause what is being downloaded."""
        if self._updates is not None:
            self._updates.stop()
        if self._downloads is not None:
            self._downloads.close()

    @Slot()
    def settings(self) -> None:
        """The settings, on the page that was read last."""
        self.open_settings(self._page)

    @Slot()
    def picture_settings(self) -> None:
        self.open_settings("pictures")

    def open_settings(self, page: str) -> None:
        """Open the settings on one of their pages ("model", "pictures", "appearance", "keys", "updates")."""
        from app.dialogs.settings_dialog import SettingsDialog

        controller = self._controller
        dialog = SettingsDialog(
            controller.state, controller.models.bundles, controller.store.folder, self._window, page, self.updates
        )
        dialog.pageTurned.connect(self._page_turned)
        dialog.open()

    @Slot(str)
    def _page_turned(self, page: str) -> None:
        self._page = page

    @Slot()
    def models(self) -> None:
        self.open_models()

    @Slot()
    def get_large_model(self) -> None:
        """The models, with the licences of the large one open."""
        from app.models.offer import MODEL

        self.open_models(MODEL)

    @Slot()
    def get_better_cutouts(self) -> None:
        """The models, with the licences of the networks for the cut-out open."""
        self.open_models("cut-out")

    @Slot()
    def get_upscaler(self) -> None:
        """The models, with the licence of the network that enlarges open."""
        self.open_models("enlarging")

    def open_models(self, licences_of: str = "") -> None:
        """Open the models. ``licences_of``: a model whose licences are shown, as its button does."""
        from app.models.dialog import ModelsDialog

        dialog = ModelsDialog(self.downloads, self._controller, self._window)
        self._models_open, self._failed = True, ""
        self._tell_work()
        dialog.finished.connect(self._models_closed)
        dialog.open()
        if licences_of:
            dialog.begin(licences_of)

    @Slot()
    def _models_closed(self) -> None:
        self._models_open = False

    @Slot()
    def help(self) -> None:
        from app.dialogs.help import HelpDialog

        HelpDialog(self._window, self.key_words()).open()

    @Slot()
    def about(self) -> None:
        from app.dialogs.about import AboutDialog

        about = AboutDialog(self._window)
        about.logFolderWanted.connect(self.log_folder)
        about.diagnosticsWanted.connect(self.copy_diagnostics)
        about.open()

    @Slot()
    def log_folder(self) -> None:
        QDesktopServices.openUrl(file_url(self._paths.log))

    @Slot()
    def copy_diagnostics(self) -> None:
        text = diagnostics(self._paths.log, self._controller.state.settings, self._controller.state.engine)
        QGuiApplication.clipboard().setText(text)
        self.notice.emit(self.tr("Copied"))
