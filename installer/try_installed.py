"""Tries an installed EchoGen without a screen: sets it up, opens its window, draws the example.

    python installer/try_installed.py --root FOLDER --out picture.png -- COMMAND …

FOLDER is where the program lies, and COMMAND starts its launcher. Used by the project's workflow for installers; it exits with 1 where
something does not work, and says what.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from installer.launcher.opening import VARIABLE  # noqa: E402
from installer.launcher.places import INSTALLED, Places  # noqa: E402

SECONDS = 180.0
"""How long the window and the picture may each take on a slow computer that does it for the first time."""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="try_installed.py", description="Try an installed EchoGen without a screen.")
    parser.add_argument("--root", type=Path, required=True, help="folder of the installed program")
    parser.add_argument("--out", type=Path, required=True, help="where the example is drawn to")
    parser.add_argument("command", nargs="+", help="starts its launcher")
    options = parser.parse_args(arguments)
    subprocess.run([*options.command, "--set-up"], check=True)
    places = Places.standard(options.root)
    python = (places.folder / "python-path").read_text(encoding="utf-8").rstrip("\n")
    problem = open_window(python, options.root) or draw(python, options.root, options.out)
    print(problem or f"{options.out}: {options.out.stat().st_size} bytes")
    return 1 if problem else 0


def open_window(python: str, root: Path) -> str:
    """Open the program until its window is there. Returns what is wrong, or ""."""
    with tempfile.TemporaryDirectory() as folder:
        sign = Path(folder) / "shown"
        environment = {**os.environ, VARIABLE: str(sign), INSTALLED: str(root), "QT_QPA_PLATFORM": "offscreen"}
        began = time.monotonic()
        process = subprocess.Popen([python, str(root / "main.py")], env=environment)
        try:
            while not sign.exists():
                if process.poll() is not None:
                    return f"the program ended with {process.returncode} before its window was there"
                if time.monotonic() - began > SECONDS:
                    return "the window does not come"
                time.sleep(0.1)
            print(f"the window is there after {time.monotonic() - began:.1f} s", flush=True)
        finally:
            process.terminate()
            process.wait(60)
    return ""


def draw(python: str, root: Path, out: Path) -> str:
    """Draw the example of the model that ships. Returns what is wrong, or ""."""
    out = out.absolute()
    out.parent.mkdir(parents=True, exist_ok=True)
    command = [python, "-m", "engine", "example", "--device", "cpu", "--out", str(out)]
    done = subprocess.run(command, cwd=root, timeout=SECONDS)
    if done.returncode or not out.is_file():
        return f"the example is not drawn: {done.returncode}"
    return ""


if __name__ == "__main__":
    sys.exit(main())
