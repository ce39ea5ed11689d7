"""Save larger: how many times as large, by which way, and how far it is."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QWidget

from app.dialogs.frame import Dialog
from app.language import amounts, sentences
from app.look.controls import OutlinedButton, PlainButton, PrimaryButton, Segmented, at_line_start, label
from app.session.enlargement import Enlargement
from app.session.to_get import look_up
from engine.weights import MODELS, chosen_parts

FACTORS = (2, 4)


class LargerDialog(Dialog):
    """See the module. Enlarging goes on when it is closed.

    Args:
        size: width and height of the picture. factor: the one that was asked for.
        installed: whether the network that enlarges so many times is here.

    Signals:
        saveRequested(int, bool): save it so many times as large; by the network, or by resampling.
        networkRequested: the user wants to get the network.
    """

    saveRequested = Signal(int, bool)
    networkRequested = Signal()

    def __init__(
        self,
        size: tuple[int, int],
        factor: int,
        enlargement: Enlargement,
        installed: Callable[[int], bool],
        window: QWidget,
    ) -> None:
        super().__init__("", window, 520, None)
        self._enlargement = enlargement
        self._installed = {number: installed(number) for number in FACTORS}
        title = self.tr("Save larger")
        self.setWindowTitle(title)
        self.setAccessibleName(title)
        self.title.setText(title)
        self.factor = Segmented(
            [(number, f"×{number}:  {size[0] * number} × {size[1] * number}") for number in FACTORS],
            self.tr("How many times as large"),
        )
        self.factor.setValue(factor)
        self.way = Segmented([(True, self.tr("Swin2SR")), (False, self.tr("Lanczos"))], self.tr("By which way"))
        self.about = label("", "body", "muted", wrap=True)
        offered = MODELS["enlarging"]
        licence = chosen_parts(offered)[0].licence.name
        self.offer = PlainButton(
            self.tr("Get Swin2SR ({0}, {1})…").format(amounts.size(look_up("enlarging")), licence),
            "download",
        )
        self.bar = QProgressBar()
        self.bar.setRange(0, 1000)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(self.tr("How far the enlarging is"))
        self.going = label("", "help", "muted", wrap=True)
        self.stop = OutlinedButton(self.tr("Stop"))
        self.save = PrimaryButton(self.tr("Save…"))
        self._lay_out()
        self.factor.valueChanged.connect(self._show)
        self.way.valueChanged.connect(self._show)
        self.offer.clicked.connect(self._get)
        self.stop.clicked.connect(enlargement.stop)
        self.save.clicked.connect(self._save)
        enlargement.changed.connect(self._show)
        self._show()
        self.save.setFocus()

    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        buttons.addWidget(self.going, 1)
        buttons.addWidget(self.stop)
        buttons.addWidget(self.save)
        for widget in (self.factor, self.way, self.about):
            self.body.addWidget(widget)
        self.body.addLayout(at_line_start(self.offer))
        # Bar and words have their room before they are there: the buttons stay under the pointer.
        for kept in (self.bar, self.going):
            policy = kept.sizePolicy()
            policy.setRetainSizeWhenHidden(True)
            kept.setSizePolicy(policy)
        self.body.addWidget(self.bar)
        self.body.addLayout(buttons)

    def by_network(self) -> bool:
        """Return True if the network will enlarge the picture."""
        return self._installed[self.factor.value()] and bool(self.way.value())

    @Slot()
    def _show(self) -> None:
        busy, here = self._enlargement.busy, self._installed[self.factor.value()]
        for choice in (self.factor, self.way):
            choice.setEnabled(not busy)
        self.way.setVisible(here)
        self.offer.setVisible(not here)
        if self.by_network():
            words = self.tr(
                "By Swin2SR: a network draws fine detail that fits. Without a graphics card it takes minutes."
            )
        else:
            words = self.tr("By Lanczos with mild sharpening: edges stay smooth, and no detail is invented.")
            if not here:
                words = sentences.in_a_row((words, self.tr("Swin2SR, which is not here yet, draws fine detail.")))
        self.about.setText(words)
        for widget in (self.bar, self.going, self.stop):
            widget.setVisible(busy)
        share = self._enlargement.share
        self.bar.setValue(round(1000 * share))
        self.going.setText(self.tr("Enlarging, {0}\u00a0%. It goes on when you close this.").format(round(100 * share)))
        self.save.setEnabled(not busy)

    @Slot()
    def _save(self) -> None:
        self.saveRequested.emit(self.factor.value(), self.by_network())
        if self._enlargement.busy:
            self.stop.setFocus()

    @Slot()
    def _get(self) -> None:
        self.reject()
        self.networkRequested.emit()
