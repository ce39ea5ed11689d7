"""Makes a profile of the program as it is now: ``python -m tests.data.profiles.make VERSION``, from the root of a checkout.

The program itself writes every file: a window is opened in a home of its own, draws, keeps, stars, saves a preset, leaves a picture
in the queue, and is closed. ``tests/app/store/test_older_profiles.py`` opens the result with the program of its day. Run it for each
release, and leave the older ones as they are. Of the model only its description stays here; its weights are random numbers.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

HOME = Path("/home/ada")
"""Stands in for a user's home; the tests move what is in it. It is made for the run and removed after it."""
HERE = Path(__file__).resolve().parent


def main(version: str) -> int:
    if HOME.exists():
        sys.stderr.write(f"{HOME} is somebody's home: run this on another computer.\n")
        return 1
    os.environ.update(
        HOME=str(HOME),
        QT_QPA_PLATFORM="offscreen",
        XDG_DATA_HOME=str(HOME / ".local/share"),
        XDG_CONFIG_HOME=str(HOME / ".config"),
        XDG_STATE_HOME=str(HOME / ".local/state"),
        XDG_PICTURES_DIR=str(HOME / "Pictures"),
        PYTHON_KEYRING_BACKEND="keyring.backends.null.Keyring",
    )
    try:
        _use()
        _keep(HERE / version)
    finally:
        shutil.rmtree(HOME, ignore_errors=True)
    return 0


def _use() -> None:
    from PIL import Image
    from PySide6.QtCore import QTimer

    from app.application import Program, make_application
    from app.session.values import PanelValues
    from app.store.paths import AppPaths
    from engine.bench.random_bundle import make_random_bundle
    from engine.request import GenerationRequest
    from engine.weights.settings import DownloadSettings, save_settings

    paths = AppPaths.standard()
    make_random_bundle(paths.bundles / "tiny", "tiny", seed=0)
    save_settings(DownloadSettings().accept("echogen-2b", "MIT"))
    photo = HOME / "Photos" / "my duck.png"
    photo.parent.mkdir(parents=True)
    with Image.open(HERE.parents[2] / "resources/examples/duck_toy.webp") as picture:
        picture.convert("RGB").resize((128, 128)).save(photo)

    application = make_application([])
    program = Program(paths, threads=1)
    program.complete()
    state, queue = program.state, program.queue
    state.update_settings(
        bundle=str(paths.bundles / "tiny"),
        device="cpu",
        theme="dark",
        text_scale=1.15,
        language="zh_CN",
        previews=False,
        keys={"generate": ["Ctrl+Shift+G"]},
        pictures=str(HOME / "Pictures/My EchoGen"),
    )
    program.ended.connect(application.quit)
    program.start([photo])
    values = PanelValues(
        prompt="a duck in the snow", negative_prompt="fog", subject_strength=2.5, count=2, seed=77, seed_locked=True
    )
    done: list[str] = []

    def step() -> None:
        subject = state.subject
        ready = state.engine.phase == "ready" and subject is not None and subject.cut_out is not None
        if "asked" not in done and ready:
            done.append("asked")
            state.set_values(values)
            program.window.drawing.generate()
        pictures = program.store.pictures()
        if len(pictures) == 2 and not state.jobs.busy and not program.controller.saving and "kept" not in done:
            done.append("kept")
            program.store.star([pictures[0].id], True)
            program.window.presets.keep("Snow")
            queue.hold([GenerationRequest(prompt="a duck that waits", subject=subject.cut_out, seed=5)])
        elif "kept" in done:
            timer.stop()
            program.window.close()

    timer = QTimer()
    timer.timeout.connect(step)
    timer.start(300)
    application.exec()
    program.store.close()


def _keep(target: Path) -> None:
    shutil.rmtree(target, ignore_errors=True)

    def left_out(folder: str, names: list[str]) -> list[str]:
        if Path(folder).name == "tiny":
            return [name for name in names if name != "bundle.json"]
        return [name for name in names if name in ("Photos", "state", ".cache") or name.endswith((".lock", ".log"))]

    shutil.copytree(HOME, target, ignore=left_out)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
