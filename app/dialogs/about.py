"""About the program: version, what it is built on, every licence in full."""

from __future__ import annotations

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.dialogs.frame import Dialog
from app.look.controls import ComboBox, OutlinedButton, PlainButton, label, reading_pane
from app.resources import RESOURCES, resource
from engine import __version__


class AboutDialog(Dialog):
    """See the module.

    Signals:
        logFolderWanted, diagnosticsWanted: the two buttons.
    """

    logFolderWanted = Signal()
    diagnosticsWanted = Signal()

    def __init__(self, window: QWidget) -> None:
        super().__init__("", window, 640, 560)
        title = self.tr("About EchoGen")
        self.setWindowTitle(title)
        self.setAccessibleName(title)
        self.title.setText(title)
        self.body.addWidget(label(f"EchoGen {__version__}", "title"))
        self.body.addWidget(
            label(
                self.tr(
                    "One photo of your subject, one sentence, and it appears in that scene. Photos and pictures stay on "
                    "this computer."
                ),
                "body",
                "muted",
                wrap=True,
            )
        )
        self._files = sorted(resource("licences").glob("*.txt"))
        program = RESOURCES.parent / "LICENSE"
        names = ["EchoGen", *(file.stem.capitalize() for file in self._files)]
        self._files.insert(0, program)
        self.choice = ComboBox(self.tr("Licence"))
        self.choice.addItems(names)
        self.text = reading_pane(self.tr("Licence"))
        row = QHBoxLayout()
        row.addWidget(label(self.tr("Licences"), "section"), 1)
        row.addWidget(self.choice)
        self.body.addLayout(row)
        self.body.addWidget(self.text, 1)
        self.choice.currentIndexChanged.connect(self._show)
        self._show(0)
        buttons = QHBoxLayout()
        folder = OutlinedButton(self.tr("Open the log folder"), "folder-open")
        copy = PlainButton(self.tr("Copy diagnostics"), "copy")
        folder.clicked.connect(self.logFolderWanted)
        copy.clicked.connect(self.diagnosticsWanted)
        buttons.addWidget(folder)
        buttons.addWidget(copy)
        buttons.addStretch(1)
        self.body.addLayout(buttons)

    @Slot(int)
    def _show(self, index: int) -> None:
        try:
            self.text.setPlainText(self._files[index].read_text(encoding="utf-8"))
        except OSError:
            self.text.setPlainText(self.tr("This file is missing: {0}").format(self._files[index].name))
