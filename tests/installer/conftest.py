"""A throwaway copy of this system, a screen for it, and a folder for what is made to be installed there."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from uv import find_uv_bin

from tests.installer.machine import Copy, Screen


@pytest.fixture
def copy(tmp_path: Path) -> Iterator[Copy]:
    copy = Copy(tmp_path)
    yield copy
    copy.close()


@pytest.fixture(scope="module")
def uv() -> Path:
    return Path(find_uv_bin())


@pytest.fixture(scope="module")
def downloads() -> Iterator[Path]:
    """A folder that every user can read; pytest's own are for this one alone, and the next run of pytest sees to that."""
    with tempfile.TemporaryDirectory(prefix="echogen-downloads-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture
def screen(copy: Copy) -> Iterator[Screen]:
    screen = Screen(copy)
    yield screen
    screen.close()
