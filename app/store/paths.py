"""The folders of the program on this computer, by the rules of its system."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from engine import CannotWrite, Sentence, os_reason

APP_NAME = "echogen-desktop"


@dataclass(frozen=True)
class AppPaths:
    """The program's folders.

    Attributes:
        data: history, session, photos and masks by digest, models.
        config: settings.
        log: log files.
        pictures: where finished pictures go; the user can change it.
    """

    data: Path
    config: Path
    log: Path
    pictures: Path

    @classmethod
    def standard(cls) -> AppPaths:
        """The system's own places: XDG folders, Application Support, AppData."""
        import platformdirs

        pictures = os.environ.get("XDG_PICTURES_DIR") or platformdirs.user_pictures_dir()
        return cls(
            data=Path(platformdirs.user_data_dir(APP_NAME, appauthor=False)),
            config=Path(platformdirs.user_config_dir(APP_NAME, appauthor=False)),
            log=Path(platformdirs.user_log_dir(APP_NAME, appauthor=False)),
            pictures=Path(pictures) / "EchoGen",
        )

    @property
    def history(self) -> Path:
        return self.data / "history.sqlite"

    @property
    def session(self) -> Path:
        return self.data / "session.json"

    @property
    def prompt_list(self) -> Path:
        return self.data / "list.json"

    @property
    def presets(self) -> Path:
        return self.config / "presets.json"

    @property
    def assets(self) -> Path:
        return self.data / "assets"

    @property
    def drafts(self) -> Path:
        return self.data / "drafts"

    @property
    def bundles(self) -> Path:
        return self.data / "bundles"


def ensure_folder(folder: Path) -> Path:
    """Make a folder and prove that files can be written there.

    Raises:
        CannotWrite: with the folder and the reason in words.
    """
    import secrets

    probe = folder / f".write-{secrets.token_hex(4)}"  # threads may probe at once
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise CannotWrite(
            Sentence("Files cannot be written to {folder}: {reason}.", folder=folder, reason=os_reason(error)),
            Sentence("Choose another folder in Settings."),
        ) from error
    return folder
