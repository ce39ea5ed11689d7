"""EchoGen for the desktop. Double-click this file, or run ``python main.py [photo.jpg]``.

Only the standard library is needed to start: when the packages are missing, the bootstrap sets them up and opens the window.
"""

from __future__ import annotations

import gc
import importlib.util
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.abspath(__file__))
NEEDED = (
    "PIL",
    "PySide6",
    "cv2",
    "diffusers",
    "filelock",
    "httpx",
    "huggingface_hub",
    "keyring",
    "msgspec",
    "numpy",
    "platformdirs",
    "psutil",
    "qasync",
    "safetensors",
    "send2trash",
    "tokenizers",
    "torch",
    "transformers",
    "truststore",
)
_TRIED = "ECHOGEN_BOOTSTRAPPED"
# Of the launcher (installer/launcher): where it lies, where a note of damage goes, and that it waits and repairs by itself.
_INSTALLED, _DAMAGED, _WAITING = "ECHOGEN_INSTALLED", "ECHOGEN_DAMAGED", "ECHOGEN_WINDOW_SHOWN"


def packages_missing() -> list[str]:
    """Names of packages the window needs that cannot be found; nothing is imported."""
    return [name for name in NEEDED if importlib.util.find_spec(name) is None]


def foreign_packages() -> bool:
    """Whether PYTHONPATH puts other packages before those of the environment."""
    places = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    return not sys.flags.ignore_environment and any(place and os.path.abspath(place) != ROOT for place in places)


def main(arguments: list[str]) -> int:
    if foreign_packages():
        # Another program's numpy would come first: start again without looking there.
        command = [sys.executable, "-I", os.path.join(ROOT, "main.py"), *arguments]
        if os.name == "posix":
            os.execv(sys.executable, command)
        return subprocess.call(command)
    missing = packages_missing() if sys.version_info >= (3, 11) else ["Python 3.11"]
    if missing and os.environ.get(_INSTALLED):
        return open_repaired(arguments, f"{', '.join(missing)} is missing")
    if missing:
        if os.environ.get(_TRIED):
            print(f"These packages are missing even after the set-up: {', '.join(missing)}.", file=sys.stderr)
            return 1
        bootstrap = os.path.join(ROOT, "installer", "bootstrap.py")
        environment = {**os.environ, _TRIED: "1"}
        return subprocess.call([sys.executable, bootstrap, "run", *arguments], env=environment)
    if ROOT not in sys.path:
        sys.path.insert(0, ROOT)  # an isolated Python does not look beside its script
    # Nothing of the start is garbage, and looking for some takes a fifth of it; the program collects its own later.
    gc.disable()
    try:
        from app.system import plain_imports

        plain_imports.restore()
        from app.run import run
    except Exception as error:  # a file that something removed or damaged, in whatever package
        if not os.environ.get(_INSTALLED):
            raise
        return open_repaired(arguments, str(error))
    return run(arguments)


def open_repaired(arguments: list[str], reason: str) -> int:
    """Leave packages that cannot be loaded to the launcher that installed them. Returns the exit code."""
    print(f"EchoGen cannot be loaded: {reason}.", file=sys.stderr)
    if os.environ.get(_WAITING):
        return 1
    with open(os.environ[_DAMAGED], "w", encoding="utf-8") as note:
        note.write("window\n")
    start = os.path.join(os.environ[_INSTALLED], "installer", "launcher", "start.pyw")
    return subprocess.call([sys.executable, "-I", start, *arguments])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
