"""The scroll area of a panel at the side of the window."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, Slot
from PySide6.QtWidgets import QApplication, QFrame, QScrollArea, QWidget

from app.look.layout import own_viewport

_PADDING = 16


class PanelScroll(QScrollArea):
    """Scrolls a panel's content. The bar lies in the padding, so that nothing changes its width when it appears. Content that becomes
    shorter while its end is seen stays where it is, with room below it until it is scrolled up. The Tab key scrolls to what it reaches; a
    focus that has to leave what is hidden or switched off does not."""

    def __init__(self, content: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        content.setProperty("scrolled", True)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        own_viewport(self)
        self.setWidget(content)
        self._content = content
        self.verticalScrollBar().valueChanged.connect(self._keep_below)
        self.verticalScrollBar().rangeChanged.connect(self._settle)
        self._settle()

    @Slot()
    def _settle(self, *_: int) -> None:
        bar = self.verticalScrollBar()
        taken = bar.sizeHint().width() if bar.maximum() > 0 else 0
        layout = self._content.layout()
        if layout is not None:
            layout.setContentsMargins(_PADDING, 12, max(2, _PADDING - taken), 12)

    def focusNextPrevChild(self, next: bool) -> bool:
        leaving = QApplication.focusWidget()
        goes = leaving is not None and not (leaving.isVisible() and leaving.isEnabled())
        return super(QScrollArea, self).focusNextPrevChild(next) if goes else super().focusNextPrevChild(next)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        # Before the area itself takes notice of it.
        if event.type() == QEvent.Type.LayoutRequest and watched is self.widget():
            self._keep_below()
        return super().eventFilter(watched, event)

    @Slot()
    def _keep_below(self, *_: int) -> None:
        """Keep so much room below the content as it needs to stand where it does."""
        layout, value = self._content.layout(), self.verticalScrollBar().value()
        if layout is not None:
            shown = value + self.viewport().height() if value > 0 else 0
            own = layout.totalHeightForWidth(self._content.width())
            self._content.setMinimumHeight(shown if own < shown else 0)
