"""The scroll area of a panel at the side of the window."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QEvent, QObject, QPoint, Qt, QTimer, Slot
from PySide6.QtWidgets import QFrame, QWidget

from app.look.layout import ScrollArea, own_viewport

_PADDING = 16


class PanelScroll(ScrollArea):
    """Scrolls a panel's content. The bar lies in the padding, so that nothing changes its width when it appears. Content that becomes
    shorter while its end is seen stays where it is, with room below it until it is scrolled up."""

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
        self._held: tuple[QWidget, int] | None = None
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

    def to_top(self) -> None:
        """Show the content from its beginning."""
        self._held = None
        self.verticalScrollBar().setValue(0)

    def hold(self, widget: QWidget) -> None:
        """Keep a widget where it is seen, whatever becomes of what is above it in this turn of the event loop."""
        if self._held is None:
            self._held = (widget, self._seen_at(widget))
            QTimer.singleShot(0, self, self._let_go)

    def _seen_at(self, widget: QWidget) -> int:
        return widget.mapTo(self.viewport(), QPoint(0, 0)).y()

    @Slot()
    def _let_go(self) -> None:
        if self._held is not None:
            (widget, before), self._held = self._held, None
            QCoreApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest)  # parts within parts, too
            bar = self.verticalScrollBar()
            bar.setValue(bar.value() + self._seen_at(widget) - before)

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
