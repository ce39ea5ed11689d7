"""The first sign after a double-click, before the set-up window's own packages are here.

A dialog of the desktop (zenity, kdialog), else a notification, else the terminal. Where Python has Tk, its window.
"""

from __future__ import annotations

import contextlib
import locale
import os
import shutil
import signal
import subprocess
import sys
from typing import Any

from app.language.say import say

TITLE = "EchoGen"
_TEXTS = {"en": "Getting the set-up window …", "zh": "正在获取安装窗口……"}
"""Translations that need no package; all later sentences have the set-up window's."""


def text() -> str:
    """The first sentence, in the language of the system."""
    language = _language()
    return _TEXTS[
        "zh" if language.startswith("zh") and not language.startswith(("zh_TW", "zh_HK", "zh_Hant")) else "en"
    ]


def _language() -> str:
    """The language of the system's words, "zh_CN.UTF-8"; "" where that cannot be told."""
    with contextlib.suppress(Exception):
        if sys.platform == "win32":
            import ctypes

            return str(locale.windows_locale.get(ctypes.windll.kernel32.GetUserDefaultUILanguage(), ""))
        if sys.platform == "darwin":
            command = ["defaults", "read", "-g", "AppleLocale"]
            return subprocess.run(command, capture_output=True, text=True, timeout=2).stdout.strip()
    return next((os.environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)), "")


class FirstSign:
    """Shows that something is being done. Used as a context; every way of showing may fail without harm."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._tk: Any = None
        self._percent = -1

    def __enter__(self) -> FirstSign:
        take_away_the_lent()
        display = bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
        with contextlib.suppress(Exception):
            if sys.platform == "linux" and display:
                self._desktop_dialog()
            elif sys.platform != "linux":
                self._tk_window()
        if sys.stderr is not None:
            sys.stderr.write(f"{text()}\n")
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(Exception):
            if self._process is not None:
                if self._process.stdin is not None:
                    self._process.stdin.close()
                self._process.terminate()
                self._process.wait(5)
            if self._tk is not None:
                self._tk.destroy()

    def lend(self) -> dict[str, str]:
        """Leave the dialog to the set-up window, so that there is always one to see; a window of this process ends here.

        Returns:
            variables for the set-up window's process, which calls ``take_away_the_lent`` when it is on the screen.
        """
        with contextlib.suppress(Exception):
            if self._tk is not None:
                self._tk.destroy()
                self._tk = None
        return {"ECHOGEN_SIGN": str(self._process.pid)} if self._process is not None else {}

    def move(self, done: int, total: int) -> None:
        """Show a share of bytes; called often."""
        percent = min(99, done * 100 // total) if total else 0
        with contextlib.suppress(Exception):
            if self._tk is not None:
                self._bar["value"] = percent
                self._tk.update()
            if percent == self._percent:
                return
            self._percent = percent
            if self._process is not None and self._process.stdin is not None:
                self._process.stdin.write(f"{percent}\n".encode())
                self._process.stdin.flush()

    def _desktop_dialog(self) -> None:
        words = text()
        if shutil.which("zenity"):
            # Both options together hide its buttons.
            command = ["zenity", "--progress", "--no-cancel", "--auto-close"]
            command += [f"--title={TITLE}", f"--text={words}", "--width=360"]
            # It takes its text for no option at all where the language of the system is set and not installed.
            environment = {**os.environ, "LC_ALL": "C.UTF-8"}
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment)
        elif shutil.which("kdialog"):
            self._process = subprocess.Popen(["kdialog", "--title", TITLE, "--msgbox", words], stdin=subprocess.PIPE)
        elif shutil.which("xmessage"):
            self._process = subprocess.Popen(["xmessage", "-buttons", "", "-center", words], stdin=subprocess.PIPE)
        elif shutil.which("notify-send"):
            subprocess.Popen(["notify-send", "--icon=echogen", TITLE, words])
        else:
            self._tk_window()

    def _tk_window(self) -> None:
        import tkinter
        from tkinter import ttk

        self._tk = tkinter.Tk(className=TITLE)
        self._tk.title(TITLE)
        self._tk.resizable(False, False)
        ttk.Label(self._tk, text=text()).pack(padx=24, pady=(20, 8))
        self._bar = ttk.Progressbar(self._tk, length=320, maximum=100)
        self._bar.pack(padx=24, pady=(0, 24))
        self._tk.update()


def take_away_the_lent() -> None:
    """End what another process left to this one: the start script's dialog, or the launcher's."""
    with contextlib.suppress(OSError, ValueError):
        os.kill(int(os.environ.pop("ECHOGEN_SIGN", "")), signal.SIGTERM)


def ask_folder(why: str) -> str | None:
    """Say why the set-up cannot even begin in its folder, and offer to choose another one.

    Returns:
        the folder, "" where none was chosen, None where nobody could be asked.
    """
    take_away_the_lent()
    with contextlib.suppress(Exception):
        if sys.platform != "linux":
            from tkinter import Tk, filedialog, messagebox

            Tk(className=TITLE).withdraw()
            return filedialog.askdirectory(title=TITLE) if messagebox.askokcancel(TITLE, why) else ""
        if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
            for ask, choose in (
                (
                    ["zenity", "--question", "--no-markup", f"--title={TITLE}", f"--text={why}", "--width=360"],
                    ["zenity", "--file-selection", "--directory", f"--title={TITLE}"],
                ),
                (
                    ["kdialog", "--title", TITLE, "--warningcontinuecancel", why],
                    ["kdialog", "--title", TITLE, "--getexistingdirectory"],
                ),
            ):
                if shutil.which(ask[0]):
                    if ask[0] == "zenity":
                        another, close = say("Choose another folder…"), say("Close")
                        ask = [*ask, f"--ok-label={another}", f"--cancel-label={close}"]
                    environment = {**os.environ, "LC_ALL": "C.UTF-8"}  # see _desktop_dialog
                    if subprocess.run(ask, stderr=subprocess.DEVNULL, env=environment).returncode:
                        return ""
                    done = subprocess.run(choose, capture_output=True, text=True, env=environment)
                    return done.stdout.rstrip("\n") if done.returncode == 0 else ""
    return None


def say_failure(text: str) -> None:
    """Show why the set-up cannot even begin, wherever it can be seen."""
    take_away_the_lent()
    if sys.stderr is not None:
        sys.stderr.write(f"{text}\n")
    with contextlib.suppress(Exception):
        if sys.platform == "win32":
            import ctypes

            ctypes.windll.user32.MessageBoxW(None, text, TITLE, 0x10)
        elif sys.platform == "darwin":
            script = 'on run argv\ndisplay alert "EchoGen" message (item 1 of argv)\nend run'
            subprocess.run(["osascript", "-e", script, text])
        elif os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
            for command in (
                ["zenity", "--error", "--no-markup", f"--title={TITLE}", f"--text={text}", "--width=360"],
                ["kdialog", "--title", TITLE, "--error", text],
                ["xmessage", "-center", text],
                ["notify-send", TITLE, text],
            ):
                if shutil.which(command[0]):
                    subprocess.run(command, stderr=subprocess.DEVNULL)
                    return
