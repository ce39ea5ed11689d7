"""Opens the dialogs and does what their buttons ask for. Each is imported when it is first asked for: the window opens without."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QUrl, Signal, Slot
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QWidget

from app.dialogs.diagnostics import diagnostics
from app.session.controller import Controller
from app.store.paths import AppPaths

if TYPE_CHECKING:
    from app.session.downloads import Downloads


class Dialogs(QObject):
    """See the module.

    Signals:
        notice(str): a sentence for a toast.
    """

    notice = Signal(str)

    def __init__(self, window: QWidget, controller: Controller, paths: AppPaths) -> None:
        super().__init__(window)
        self._window, self._controller, self._paths = window, controller, paths
        self._downloads: Downloads | None = None

    @property
    def downloads(self) -> Downloads:
        """The models and the work on them, which goes on while no dialog is open."""
        if self._downloads is None:
            from app.session.downloads import Downloads

            self._downloads = Downloads(self._controller, self)
            self._downloads.notice.connect(self.notice)
        return self._downloads

    def close(self) -> None:
        """Pause what is being downloaded."""
        if self._downloads is not None:
            self._downloads.close()

    @Slot()
    def settings(self) -> None:
        self.open_settings("model")

    @Slot()
    def picture_settings(self) -> None:
        self.open_settings("pictures")

    def open_settings(self, page: str) -> None:
        """Open the settings on one of their pages ("model", "pictures", "appearance", "keys")."""
        from app.dialogs.settings_dialog import SettingsDialog

        controller = self._controller
        SettingsDialog(controller.state, controller.bundles, controller.store.folder, self._window, page).open()

    @Slot()
    def models(self) -> None:
        self.open_models()

    @Slot()
    def get_large_model(self) -> None:
        """The models, with the licences of the large one open."""
        from app.models.offer import MODEL

        self.open_models(MODEL)

    def open_models(self, licences_of: str = "") -> None:
        """Open the models. ``licences_of``: a model whose licences are shown, as its button does."""
        from app.models.dialog import ModelsDialog

        dialog = ModelsDialog(self.downloads, self._controller, self._window)
        dialog.open()
        if licences_of:
            dialog.begin(licences_of)

    @Slot()
    def help(self) -> None:
        from app.dialogs.help import HelpDialog

        HelpDialog(self._window).open()

    @Slot()
    def about(self) -> None:
        from app.dialogs.about import AboutDialog

        about = AboutDialog(self._window)
        about.logFolderWanted.connect(self.log_folder)
        about.diagnosticsWanted.connect(self.copy_diagnostics)
        about.open()

    @Slot()
    def log_folder(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._paths.log)))

    @Slot()
    def copy_diagnostics(self) -> None:
        text = diagnostics(self._paths.log, self._controller.state.settings, self._controller.state.engine)
        QGuiApplication.clipboard().setText(text)
        self.notice.emit(self.tr("Copied"))
