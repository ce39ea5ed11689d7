"""Opens the dialogs and does what their buttons ask for."""

from __future__ import annotations

from PySide6.QtCore import QObject, QUrl, Signal, Slot
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QWidget

from app.desk import Desk
from app.dialogs.about import AboutDialog
from app.dialogs.help import HelpDialog
from app.dialogs.model_offer import MODEL as LARGE_MODEL
from app.dialogs.models import ModelsDialog
from app.dialogs.settings import SettingsDialog
from app.downloads import Downloads
from app.logs import diagnostics
from app.store.paths import AppPaths


class Dialogs(QObject):
    """See the module.

    Signals:
        said(str): a sentence for a toast.
    """

    said = Signal(str)

    def __init__(self, window: QWidget, desk: Desk, paths: AppPaths) -> None:
        super().__init__(window)
        self._window, self._desk, self._paths = window, desk, paths
        self.downloads = Downloads(desk, self)
        self.downloads.said.connect(self.said)

    @Slot()
    def settings(self) -> None:
        self.open_settings("model")

    @Slot()
    def picture_settings(self) -> None:
        self.open_settings("pictures")

    def open_settings(self, page: str) -> None:
        """Open the settings on one of their pages ("model", "pictures", "appearance", "keys")."""
        desk = self._desk
        SettingsDialog(desk.state, desk.bundles, desk.store.folder, self._window, page).open()

    @Slot()
    def models(self) -> None:
        ModelsDialog(self.downloads, self._desk, self._window).open()

    @Slot()
    def get_large_model(self) -> None:
        """The models, with the licences of the large one open."""
        dialog = ModelsDialog(self.downloads, self._desk, self._window)
        dialog.open()
        dialog.begin(LARGE_MODEL)

    @Slot()
    def help(self) -> None:
        HelpDialog(self._window).open()

    @Slot()
    def about(self) -> None:
        about = AboutDialog(self._window)
        about.logFolderWanted.connect(self.log_folder)
        about.diagnosticsWanted.connect(self.copy_diagnostics)
        about.open()

    @Slot()
    def log_folder(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._paths.log)))

    @Slot()
    def copy_diagnostics(self) -> None:
        text = diagnostics(self._paths.log, self._desk.state.settings, self._desk.state.engine)
        QGuiApplication.clipboard().setText(text)
        self.said.emit(self.tr("Copied"))
