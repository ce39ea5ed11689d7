"""The set-up window: what is being done, bytes and time left, pause, log, and what to do when something fails.

It runs in the environment that is being filled, as soon as Qt is there: ``python -m installer.launcher.window [photo.jpg]``.
The work is done on a thread; this window only shows it, and opens the program at the end.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QLocale, QObject, Qt, QTimer, QTranslator, Signal, Slot
from PySide6.QtGui import QCloseEvent, QIcon
from PySide6.QtWidgets import (
    QApplication,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QProgressBar,
    QVBoxLayout,
    QWidget,
)

from app.language import say as sentences
from app.language.say import say
from app.look import stylesheet
from app.look.buttons import OutlinedButton, PlainButton, PrimaryButton
from app.look.layout import label, reading_pane
from app.look.theme import notifier
from app.look.type import load_fonts
from app.resources import resource
from installer.launcher.errors import SetupFailed, Stopped
from installer.launcher.fetch import Control
from installer.launcher.first_sign import take_away_the_lent
from installer.launcher.folders import choose_folder
from installer.launcher.network import Network
from installer.launcher.opening import DOES_NOT_OPEN, NOT_DONE, SHOWN, open_program
from installer.launcher.places import Places
from installer.launcher.setup import Progress, Setup
from installer.launcher.versions import Versions

ROOT = Path(__file__).resolve().parent.parent.parent
LOG_LINES = 400


def doing(what: str) -> str:
    """A step's work in words (``Progress.doing``)."""
    return {
        "prepare": say("Looking up what is needed …"),
        "fetch": say("Getting the parts of the program"),
        "install": say("Unpacking. This takes a minute or two."),
        "done": say("Unpacked."),
    }[what]


class Worker(QObject):
    """Does the set-up on a thread.

    Signals:
        progressed(object): a ``Progress``.
        noticed(str): a sentence to read meanwhile.
        failed(object): a ``SetupFailed``.
        opening: everything is installed, the program is being opened.
        opened(str): "shown" or "ended", see ``opening.open_program``.
    """

    progressed = Signal(object)
    noticed = Signal(str)
    failed = Signal(object)
    opening = Signal()
    opened = Signal(str)

    def __init__(self, root: Path, arguments: Sequence[str]) -> None:
        super().__init__()
        self._root, self._arguments = root, arguments
        self.control = Control()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin, or begin again after a failure."""
        self.control = Control()
        self._thread = threading.Thread(target=self._work, name="set-up", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop and wait: what has arrived is kept."""
        self.control.stop()
        if self._thread is not None:
            self._thread.join(10)

    def _work(self) -> None:
        try:
            setup = Setup(Places.standard(self._root), self.progressed.emit, self.control)
            if setup.unused_card:
                self.noticed.emit(setup.unused_card)
            setup.run()
            self.opening.emit()
            self.opened.emit(open_program(setup, self._arguments))
        except SetupFailed as failure:
            self.failed.emit(failure)
        except Stopped:
            pass
        except Exception as error:  # whatever it is, a window that stands still would say less
            self.failed.emit(SetupFailed(say("Something unexpected happened: {0}", error), say("See the log.")))


class SetupWindow(QWidget):
    """The window.

    Args:
        root: the folder of the program.
        arguments: photos to open in the end.
    """

    def __init__(self, root: Path, arguments: Sequence[str] = ()) -> None:
        super().__init__()
        self.setWindowTitle(say("EchoGen is being set up"))
        self.setObjectName("setup-window")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.code = NOT_DONE
        self._root = root
        self.worker = Worker(root, arguments)
        self.title = label("", "title", parent=self)
        self.text = label("", "body", parent=self)
        self.text.setWordWrap(True)
        self.bar = QProgressBar(self, textVisible=False)
        self.bar.setFixedHeight(6)
        self.detail = label("", "label", "text-muted", parent=self)
        self.pause = OutlinedButton(say("Pause"), parent=self)
        self.again = PrimaryButton(say("Try again"), parent=self)
        self.folder = OutlinedButton(say("Choose another folder…"), parent=self)
        self.network = OutlinedButton(say("Network settings"), parent=self)
        self.show_log = PlainButton(say("Show the log"), parent=self)
        self.log = reading_pane(say("Log"))
        self.log.setMinimumHeight(140)
        self.log.hide()
        self.settings = NetworkSettings(self)
        self.settings.hide()
        self._arrange()
        self._ask_again(None)
        self.pause.clicked.connect(self._pause)
        self.again.clicked.connect(self._start)
        self.folder.clicked.connect(self._choose_folder)
        self.network.clicked.connect(self._toggle_settings)
        self.show_log.clicked.connect(self._toggle_log)
        self.worker.progressed.connect(self._move)
        self.worker.noticed.connect(self._notice)
        self.worker.failed.connect(self._fail)
        self.worker.opening.connect(self._opening)
        self.worker.opened.connect(self._opened)
        self._reader = QTimer(self, interval=500)
        self._reader.timeout.connect(self._read_log)

    def _arrange(self) -> None:
        self.again.setFixedHeight(self.network.sizeHint().height())  # it stands in a row with the others
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        for button in (self.again, self.pause, self.folder, self.network):
            buttons.addWidget(button)
        buttons.addStretch(1)
        buttons.addWidget(self.show_log)
        layout = self._column = QVBoxLayout(self)
        layout.setContentsMargins(28, 24, 28, 20)
        layout.setSpacing(10)
        for widget in (self.title, self.text, self.bar, self.detail):
            layout.addWidget(widget)
        layout.addSpacing(6)
        layout.addLayout(buttons)
        layout.addWidget(self.settings)
        layout.addWidget(self.log, 1)
        self.setMinimumWidth(560)

    def start(self) -> None:
        # A window manager that sees the first dialog in the middle would find another place.
        self.adjustSize()
        place = self.frameGeometry()
        place.moveCenter(self.screen().availableGeometry().center())
        self.move(place.topLeft())
        self.show()
        self.setFocus()
        self._start()

    @Slot()
    def _start(self) -> None:
        if self.settings.isVisible():
            self.settings.save()
            self.settings.hide()
            self._fit()
        self._ask_again(None)
        self.title.setText(say("Setting up EchoGen"))
        self.text.setText(say("This happens once. You can use the computer meanwhile."))
        self.bar.setRange(0, 0)
        self.bar.show()
        self.detail.setText(doing("prepare"))
        self.detail.show()
        self.worker.start()

    def _ask_again(self, failure: SetupFailed | None) -> None:
        """Only the buttons that help now. One that goes takes the focus along, which would move on to the log's button, with its ring."""
        if failure is None:
            self.setFocus()
        self.pause.setVisible(failure is None)
        self.again.setVisible(failure is not None)
        self.folder.setVisible(failure is not None and failure.kind == "disk")
        self.network.setVisible(failure is not None and failure.kind == "network")

    @Slot(object)
    def _move(self, progress: Progress) -> None:
        words = doing(progress.doing)
        if progress.doing == "fetch" and progress.total:
            self.bar.setRange(0, 1000)
            self.bar.setValue(progress.done * 1000 // progress.total)
            words += say(": {0} of {1} MB", _megabytes(progress.done), _megabytes(progress.total))
            if progress.seconds_left is not None:
                words += say(", about {0} left", _left(progress.seconds_left))
        else:
            self.bar.setRange(0, 0)
        can_pause = progress.doing == "fetch"
        if not can_pause and self.pause.hasFocus():
            self.setFocus()  # else it would move on to the log's button, with its ring
        self.pause.setEnabled(can_pause)
        if not self.worker.control.paused:
            self.detail.setText(words)

    @Slot(str)
    def _notice(self, sentence: str) -> None:
        self.text.setText(f"{self.text.text()}\n{sentence}")
        self._fit()

    @Slot(object)
    def _fail(self, failure: SetupFailed) -> None:
        self.title.setText(say("The set-up stopped"))
        self.text.setText(str(failure))
        self.bar.hide()
        kept = say("What has arrived is kept.")
        self.detail.setText(kept)
        self.detail.setVisible(failure.kind in ("disk", "network") and kept not in str(failure))
        self._ask_again(failure)
        self._fit()
        self.again.setFocus()

    @Slot()
    def _opening(self) -> None:
        self.title.setText(say("Opening EchoGen"))
        self.text.setText(say("Everything is here."))
        self.bar.setRange(0, 0)
        self.detail.setText("")
        self.pause.hide()

    @Slot(str)
    def _opened(self, outcome: str) -> None:
        if outcome == SHOWN:
            Versions(Places.standard(self._root)).note_opened(self._root)
            self.code = 0
            self.close()
            return
        if Places.standard(self._root).is_newer:
            self.code = DOES_NOT_OPEN  # the launcher opens the version before
            self.close()
            return
        self._fail(SetupFailed(say("EchoGen is installed and does not open."), say("The log says why.")))
        if not self.log.isVisible():
            self._toggle_log()

    @Slot()
    def _pause(self) -> None:
        control = self.worker.control
        if control.paused:
            control.resume()
        else:
            control.pause()
            self.detail.setText(say("Paused. What has arrived is kept."))
        self.pause.setText(say("Go on") if control.paused else say("Pause"))

    @Slot()
    def _choose_folder(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, say("A folder on a disk with room"))
        if not chosen:
            return
        try:
            left = choose_folder(Path(chosen))
        except SetupFailed as refused:
            self._fail(refused)
            return
        self._start()
        if left:  # this window itself runs from there
            self._notice(say("What was begun in {0} is removed at the next start.", left))

    @Slot()
    def _toggle_settings(self) -> None:
        self.settings.setVisible(not self.settings.isVisible())
        self._fit()

    def _fit(self) -> None:
        """As high as what is shown needs; the layout knows only once it has heard of what was shown or hidden."""
        self._column.activate()
        self.adjustSize()

    @Slot()
    def _toggle_log(self) -> None:
        shown = not self.log.isVisible()
        self.log.setVisible(shown)
        self.show_log.setText(say("Hide the log") if shown else say("Show the log"))
        if shown:
            self._read_log()
            self._reader.start()
        else:
            self._reader.stop()
        self._fit()

    @Slot()
    def _read_log(self) -> None:
        try:
            lines = Places.standard(self._root).log.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return
        text = "\n".join(lines[-LOG_LINES:])
        if text != self.log.toPlainText():
            self.log.setPlainText(text)
            self.log.verticalScrollBar().setValue(self.log.verticalScrollBar().maximum())

    def closeEvent(self, event: QCloseEvent) -> None:
        self.setEnabled(False)
        self.worker.stop()
        event.accept()


class NetworkSettings(QWidget):
    """Proxy and mirrors, where the usual addresses cannot be reached."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        current = Network.load()
        self._fields: dict[str, QLineEdit] = {}
        layout = QFormLayout(self)
        layout.setContentsMargins(0, 6, 0, 0)
        layout.setLabelAlignment(Qt.AlignmentFlag.AlignVCenter)
        layout.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for name, words in (
            ("proxy", say("Proxy, http://host:port")),
            ("packages", say("Mirror of Python packages")),
            ("torch", say("Folder or page with builds of torch")),
            ("python", say("Mirror of Python builds")),
            ("models", say("Mirror of the hub of models")),
            ("updates", say("Address of newer versions")),
        ):
            field = QLineEdit(getattr(current, name), self)
            field.setAccessibleName(words)
            beside = label(words, "label", "text-muted", parent=self)
            beside.setMinimumHeight(field.sizeHint().height())  # in the middle of the field, not at its top
            layout.addRow(beside, field)
            self._fields[name] = field

    def save(self) -> None:
        Network(**{name: field.text().strip() for name, field in self._fields.items()}).save()


def _megabytes(count: int) -> str:
    return f"{count / 1e6:.0f}"


def _left(seconds: float) -> str:
    if seconds < 90:
        return say("{0} s", max(1, round(seconds)))
    return say("{0} min", round(seconds / 60))


def speak(application: QApplication) -> None:
    """The system's language where there is one of ours. The program's own way needs packages that are not here yet."""
    if not any(name.startswith("zh") for name in QLocale.system().uiLanguages()[:1]):
        return
    translator = QTranslator(application)
    if translator.load("echogen_zh_CN", str(resource("translations"))):
        application.installTranslator(translator)
        sentences.use(lambda text: QApplication.translate(sentences.CONTEXT, text))


def main(arguments: list[str]) -> int:
    application = QApplication([sys.argv[0]])
    application.setApplicationName("EchoGen")
    application.setDesktopFileName("io.github.echogen.Desktop")
    application.setWindowIcon(QIcon(str(resource("icons", "echogen.svg"))))
    os.environ.pop("PYTHONPATH", None)
    load_fonts()
    notifier.set_choice("system")
    stylesheet.install(application)
    speak(application)
    window = SetupWindow(ROOT, arguments)
    window.setWindowFlag(Qt.WindowType.WindowContextHelpButtonHint, False)
    window.start()
    # By then it is on the screen, and the dialog that was there first can go.
    QTimer.singleShot(100, take_away_the_lent)
    application.exec()
    return window.code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
