"""The models on this computer, and the one that draws: the bundle of the settings, opened again when they change."""

from __future__ import annotations

import logging

from PySide6.QtCore import QObject, Signal, Slot

from app.session.queue import PictureQueue
from app.session.state import SessionState
from app.session.values import default_dials
from engine import BundleError, EchoGenError
from engine.bundle import DEFAULT_BUNDLE, BundleManifest, FoundBundle, find_bundles, read_manifest, resolve_bundle

log = logging.getLogger(__name__)


class ModelOpener(QObject):
    """See the module.

    Attributes:
        bundles: what was found, and the one that is open.

    Signals:
        bundlesChanged: there are other models on this computer than before.
        failed(object, str): ``EchoGenError`` and details for the banner.
        cleared: what the banner said is no longer true.
        notice(str): a sentence for a toast.
    """

    bundlesChanged = Signal()
    failed = Signal(object, str)
    cleared = Signal()
    notice = Signal(str)

    def __init__(self, state: SessionState, queue: PictureQueue, parent: QObject) -> None:
        super().__init__(parent)
        self._state, self._queue = state, queue
        self.bundles: list[FoundBundle] = []
        self._opened: tuple[str, str, str] | None = None
        state.settingsChanged.connect(self._settings_changed)

    def find(self) -> None:
        """Look which models there are. The first look of a program takes longest: types of records are prepared."""
        self.bundles = find_bundles()

    def open(self) -> None:
        """Open the bundle of the settings; the one that ships when there is none, or when it is gone."""
        settings = self._state.settings
        if self._opened is not None or not self.bundles:
            self.find()
        self._opened = (settings.bundle, settings.device, settings.memory)
        try:
            try:
                folder = resolve_bundle(settings.bundle or DEFAULT_BUNDLE)
            except BundleError:
                if not settings.bundle:
                    raise
                log.warning("the chosen model is gone", exc_info=True)
                folder = resolve_bundle(DEFAULT_BUNDLE)
                self.notice.emit(self.tr("The chosen model is gone; the small one is used"))
            known = next((bundle.manifest for bundle in self.bundles if bundle.folder == folder), None)
            manifest = known or read_manifest(folder)
        except EchoGenError as error:
            self._state.update_engine(phase="failed", text=error.fact)
            self.failed.emit(error, "")
            return
        if all(bundle.folder != folder for bundle in self.bundles):
            self.bundles.append(FoundBundle(manifest.name, folder, manifest))
        before = self._state.engine.manifest
        self._state.update_engine(manifest=manifest, folder=folder)
        if before is not None and before.identity != manifest.identity:
            self._follow_defaults(before, manifest)
        self._queue.open(str(folder), settings.device, settings.memory)

    def use_defaults(self) -> None:
        """Set the dials to the open model's own: nobody has moved them yet."""
        manifest = self._state.engine.manifest
        if manifest is not None:
            self._state.update_values(**default_dials(manifest))

    def _follow_defaults(self, before: BundleManifest, now: BundleManifest) -> None:
        """A dial that stood where the model before has it stands where this one has it; a dial that was moved stays."""
        values, ours = self._state.values, default_dials(now)
        left = [name for name, value in default_dials(before).items() if getattr(values, name) == value]
        self._state.update_values(**{name: ours[name] for name in left})

    def search(self) -> None:
        """See which models there are now."""
        engine = self._state.engine
        elsewhere = [bundle for bundle in self.bundles if bundle.folder == engine.folder]
        self.find()
        if all(bundle.folder != engine.folder for bundle in self.bundles):
            self.bundles += elsewhere  # one that was opened from a folder of its own
        self.bundlesChanged.emit()

    @Slot()
    def _settings_changed(self) -> None:
        settings = self._state.settings
        if self._opened is not None and self._opened != (settings.bundle, settings.device, settings.memory):
            self.cleared.emit()
            self.open()

    @Slot()
    def restart(self) -> None:
        """Open the bundle again (after the engine died for good)."""
        self.cleared.emit()
        self.open()
