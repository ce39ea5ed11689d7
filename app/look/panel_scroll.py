"""A panel that scrolls: its bar lies in the padding of what is in it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QFrame, QScrollArea, QWidget

from app.look.layout import own_viewport

_PADDING = 16


class PanelScroll(QScrollArea):
    """Scrolls a panel's content. The bar lies in the padding, so that nothing changes its width when it appears."""

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
        self.verticalScrollBar().rangeChanged.connect(self._settle)
        self._settle()

    @Slot()
    def _settle(self, *_: int) -> None:
        bar = self.verticalScrollBar()
        taken = bar.sizeHint().width() if bar.maximum() > 0 else 0
        layout = self._content.layout()
        if layout is not None:
            layout.setContentsMargins(_PADDING, 12, max(2, _PADDING - taken), 12)
