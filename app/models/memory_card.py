"""The memory plans of a bundle on this computer: what each needs, what there is, and which one is taken."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from app.language import sentences
from app.look.controls import Card, Segmented, label
from app.look.glyphs import Glyph
from app.look.theme import notifier, theme
from app.models import words
from engine.planning import MemoryPlan

AUTO = "auto"
_MARGIN = 16


class Gauge(QWidget):
    """A bar that shows the share of the memory that is taken."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.share = 0.0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        notifier.changed.connect(self.update)

    def set_share(self, share: float) -> None:
        """0 … 1; more than there is fills it in the colour of a warning."""
        self.share = share
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(200, 12)

    def paintEvent(self, event) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        area = QRectF(self.rect())
        painter.setBrush(theme().color("track"))
        painter.drawRoundedRect(area, 6, 6)
        filled = QRectF(area)
        filled.setWidth(max(12.0, area.width() * min(1.0, self.share)))
        if self.layoutDirection() == Qt.LayoutDirection.RightToLeft:
            filled.moveRight(area.right())
        painter.setBrush(theme().color("accent" if self.share <= 1 else "warning"))
        painter.drawRoundedRect(filled, 6, 6)


class MemoryCard(Card):
    """See the module.

    Args:
        widest: the widest it can be; where the plans do not fit beside the title, they lie under it.

    Signals:
        planChosen(str): "auto", or a plan's key.
    """

    planChosen = Signal(str)

    def __init__(self, widest: int) -> None:
        super().__init__()
        self._widest = widest
        self.title = label("", "heading")
        self._top = QHBoxLayout()
        self._top.addWidget(self.title, 1)
        self.choice: Segmented | None = None
        self.gauge = Gauge()
        self.glyph = Glyph("circle-check", "accent", 16)
        self.words = label("", "section", wrap=True)
        self.notes = label("", "help", "muted", wrap=True)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.glyph, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self.words, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(_MARGIN, 14, _MARGIN, 14)
        column.setSpacing(10)
        column.addLayout(self._top)
        column.addWidget(self.gauge)
        column.addLayout(row)
        column.addWidget(self.notes)
        self._plans: tuple[MemoryPlan, ...] = ()

    def show_plans(self, title: str, plans: tuple[MemoryPlan, ...], wanted: str) -> None:
        """Show the plans of a bundle. ``wanted``: "auto", or the key of the plan that was chosen."""
        self.setVisible(bool(plans))
        if not plans:
            return
        self.title.setText(self.tr("Memory plan for {0}").format(title))
        self.setAccessibleName(self.title.text())
        if [plan.key for plan in plans] != [plan.key for plan in self._plans] or self.choice is None:
            if self.choice is not None:
                self._top.removeWidget(self.choice)
                self.choice.hide()
                self.choice.deleteLater()
            options = [(AUTO, self.tr("Automatic")), *((plan.key, words.plan_title(plan)) for plan in plans)]
            self.choice = Segmented(options, self.title.text(), stretch=False)
            self._top.addWidget(self.choice, 0, Qt.AlignmentFlag.AlignLeft)
            beside = self.title.sizeHint().width() + self.choice.sizeHint().width() + 2 * _MARGIN + self._top.spacing()
            direction = QBoxLayout.Direction
            self._top.setDirection(direction.LeftToRight if beside <= self._widest else direction.TopToBottom)
            self.choice.setVisible(len(plans) > 1)
            self.choice.valueChanged.connect(self._chosen)
        self._plans = plans
        self.choice.blockSignals(True)
        self.choice.setValue(wanted if wanted in self.choice.values() else AUTO)
        self.choice.blockSignals(False)
        for plan in plans:
            self.choice.button(plan.key).setToolTip(words.plan_meaning(plan))
        self._show()

    def _show(self) -> None:
        assert self.choice is not None
        wanted = self.choice.value()
        plan = next((plan for plan in self._plans if plan.key == wanted), words.best_plan(self._plans))
        assert plan is not None
        self.gauge.set_share(plan.needed / max(1, plan.available))
        self.glyph.set_icon(*(("circle-check", "accent") if plan.fits else ("triangle-alert", "warning")))
        self.words.setText(words.plan_needs(plan))
        self.notes.setText(sentences.in_a_row([words.plan_meaning(plan), *words.plan_notes(plan)]))

    @Slot(object)
    def _chosen(self, value: str) -> None:
        self._show()
        self.planChosen.emit(value)
