"""Offers the large model over the empty canvas, once the window has been seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from app.session.state import SessionState
from app.store.settings import OFFER_PUT_AWAY
from app.system.deferred import imports
from app.window.dialog_opener import Dialogs
from app.window.empty_canvas import EmptyCanvas
from app.window.panels import Panels
from engine import planning, weights

if TYPE_CHECKING:
    from app.models.offer import ModelOffer

# What each needs comes before it, so that no import holds up the window for long.
_OFFER = ("app.models.words", "app.session.downloads", "app.models.pieces", "app.models.offer")


class ModelOffering(QObject):
    """See the module.

    Attributes:
        offer: the card over the canvas, or None before the steps were taken and when it was put away for good.
    """

    def __init__(
        self, dialogs: Dialogs, panels: Panels, state: SessionState, empty_canvas: EmptyCanvas, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._dialogs, self._panels, self._state, self._empty_canvas = dialogs, panels, state, empty_canvas
        self.offer: ModelOffer | None = None

    def steps(self) -> list[Callable[[], object]]:
        """Slow steps that nobody waits for; none where the offer was put away."""
        if self._state.settings.panels.get(OFFER_PUT_AWAY):
            return []
        return [*imports(*planning.SLOW_IMPORTS, *weights.SLOW_IMPORTS, *_OFFER), self._make]

    def _make(self) -> None:
        from app.models.offer import ModelOffer

        self.offer = ModelOffer(self._dialogs.downloads, self._state, self._empty_canvas.waits, self._panels.stage)
        self.offer.wanted.connect(self._dialogs.get_large_model)
        self.offer.modelsWanted.connect(self._dialogs.models)
        self.offer.settled.connect(self._panels.let_room_go)
        self._panels.put_over_canvas(self.offer)
        self.offer.begin()
