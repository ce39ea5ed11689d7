"""The middle column: canvas, bar of actions, strip of scales, and four ideas over the canvas."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget

from app.canvas.result import ResultCanvas
from app.canvas.strip.strip import ScaleStrip
from app.look.pixels import to_array
from app.shortcuts import bind

if TYPE_CHECKING:
    import numpy as np

    from app.store.history_store import Picture
    from engine import Finished, GenerationRequest, ScaleBits, ScalePreview, Started

_ANNOUNCED = (0.25, 0.5, 0.75)


class CanvasPanel(QWidget):
    """Feed it the engine's events; connect what the user wants.

    Signals:
        varyRequested(object): draw this ``GenerationRequest`` again with a new seed.
        finishRequested(object): draw this stopped ``GenerationRequest`` to its end.
        redrawRequested(object, object, int): redraw this request from its ``ScaleBits`` with so many scales kept.
        ideaChosen(object): finish this ``GenerationRequest``.
        ideasClosed: none of them. ideasLeft: they are put away, and the focus was theirs.
        saveRequested(bool): "Save as…"; True with metadata.
        copied: the picture is on the clipboard.
        starToggled(bool), previewsWanted(object): as in the bar and the strip.
        hintWanted(str): a sentence for a toast.
        advanced(object): the picture that forms is seen after another scale, RGB uint8 (H, W, 3); which one, the strip's model says.
        followed: what can be done with the picture may be different.
    """

    varyRequested = Signal(object)
    finishRequested = Signal(object)
    redrawRequested = Signal(object, object, int)
    ideaChosen = Signal(object)
    ideasClosed = Signal()
    ideasLeft = Signal()
    saveRequested = Signal(bool)
    copied = Signal()
    starToggled = Signal(bool)
    previewsWanted = Signal(object)
    hintWanted = Signal(str)
    advanced = Signal(object)
    followed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.canvas = ResultCanvas(self)
        self.strip = ScaleStrip(self)
        self._whole = self._narrow = False
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.canvas, 1)
        column.addWidget(self.strip)
        self.request: GenerationRequest | None = None
        self.bits: ScaleBits | None = None
        self.file: Path | None = None
        self._grids: tuple[tuple[int, int], ...] = ()
        self._announced = 0
        canvas, strip = self.canvas, self.strip
        canvas.placed.connect(self._place)
        canvas.dragOutRequested.connect(self.drag_out)
        strip.pointed.connect(self._peek)
        strip.redrawRequested.connect(self._redraw)
        strip.handleMoved.connect(self._follow)
        strip.previewsWanted.connect(self.previewsWanted)

    def complete(self) -> None:
        """Add what lies over the canvas. Nothing of it is seen before there is a picture or a subject."""
        # Not at the head of the file: the window is seen before these are needed.
        from app.canvas.action_bar import ActionBar
        from app.canvas.ideas import IdeasView
        from app.canvas.placement_layer import PlacementLayer
        from app.canvas.results import ResultsView

        canvas, strip = self.canvas, self.strip
        self.actions_bar = bar = ActionBar(canvas)
        self.placement = PlacementLayer(canvas, self)
        self.ideas = IdeasView(canvas)
        self.ideas.hide()
        self.results = ResultsView(canvas)
        self.results.hide()
        bar.hide()
        bar.set_compact(self._narrow)
        bar.vary.connect(self.vary)
        bar.finish.connect(self._finish)
        bar.redraw.connect(strip.redraw)
        bar.compareToggled.connect(self._compare)
        bar.save.connect(self._save)
        bar.savePlain.connect(self._save_plain)
        bar.copy.connect(self.copy)
        bar.starToggled.connect(self.starToggled)
        bar.dragOut.connect(self.drag_out)
        bar.hintWanted.connect(self.hintWanted)
        bar.place.connect(self.placement.toggle)
        self.placement.changed.connect(self._follow)
        self.ideas.chosen.connect(self._chosen)
        self.ideas.closed.connect(self._close_ideas)
        bind(canvas, "star_canvas", self.toggle_star)
        self._whole = True
        self._follow()

    # The engine's events

    def set_grids(self, grids: Sequence[tuple[int, int]]) -> None:
        """The scales of the open bundle's chosen size: what the empty strip shows."""
        self._grids = tuple(grids)
        if not self.canvas.has_picture() and self.canvas.state != "forming":
            self.strip.clear(self._grids)

    def started(self, event: Started, size: tuple[int, int]) -> None:
        """A picture of ``size`` (width, height) begins."""
        self.close_ideas()
        self.close_results()
        kept, before = event.request.kept, self.bits
        goes_on = (
            kept is not None and before is not None and len(before) >= len(kept) and before.first(len(kept)) == kept
        )
        self.request, self.bits, self.file = event.request, None, None
        self.actions_bar.set_star(False)
        self._announced = 0
        self.placement.forget_picture()
        self.canvas.begin(size, event.request.prompt)
        if not goes_on:
            self.strip.clear(tuple(event.grids))  # the tiles are those of another picture
        self.strip.begin(event.grids, event.costs, event.first_scale, event.expected_seconds is not None)
        self._follow()

    def previewed(self, event: ScalePreview) -> None:
        """Show the picture after another scale."""
        if self.canvas.state != "forming":
            return
        first = not self.canvas.has_picture()
        self.strip.drawn(event.scale, event.image, event.seconds, event.remembered)
        # Which scale is drawn the strip alone says: those that are kept have previews too.
        self.canvas.show_preview(event.image, self.strip.model.now, self.strip.model.count)
        if first or not self.placement.frame.isHidden():
            self._follow()  # the picture takes the place of the stage
        self.advanced.emit(event.image)
        share = self.strip.bar.value() / max(1, self.strip.bar.maximum())
        while self._announced < len(_ANNOUNCED) and share >= _ANNOUNCED[self._announced]:
            self._announce(self.tr("{0} percent drawn").format(round(100 * _ANNOUNCED[self._announced])))
            self._announced += 1

    def preview_skipped(self, event: ScalePreview) -> None:
        """Fill the tile of a scale that is followed by another one already."""
        if self.canvas.state == "forming":
            self.strip.drawn(event.scale, event.image, event.seconds, event.remembered)

    def finished(self, event: Finished, images: Sequence[np.ndarray | None] = ()) -> None:
        """``images``: the picture after each scale, where it is known."""
        self.request, self.bits = event.request, event.bits
        forming = self.canvas.state == "forming"
        self.canvas.show_result(event.image, event.request.prompt, fade=forming)
        self.strip.finish(event.image, event.bits, images)
        self._announce(self.tr("The picture is done"))
        self.actions_bar.set_star(False)
        self._follow()

    def stopped(self, image: np.ndarray | None, previews: Sequence[np.ndarray | None] = ()) -> None:
        """Cancelled.

        Args:
            image: the picture so far, which stays; None when there is none, and another one is shown.
            previews: it after each of its scales, where that is known: some come only after Stop was pressed.
        """
        self.strip.stop(previews)
        if image is not None:
            self.canvas.stop(image)
        self._follow()

    def failed(self) -> None:
        """An error ended the drawing, and there is no picture before it; the banner says which."""
        self.request = self.bits = self.file = None
        self.canvas.show_error()
        self.strip.clear(self._grids)
        self._follow()

    # Other pictures

    def show_empty(self, title: str, text: str, pictures: Sequence[QImage] = ()) -> None:
        self.request = self.bits = self.file = None
        self.canvas.show_empty(title, text, pictures)
        self.strip.clear(self._grids)
        self._follow()

    def show_picture(
        self,
        image: np.ndarray | QImage,
        request: GenerationRequest,
        bits: ScaleBits | None,
        grids: Sequence[tuple[int, int]] = (),
        *,
        file: Path | None = None,
        starred: bool = False,
        whole: bool = True,
    ) -> None:
        """A picture from the history, or a stopped one, which is not whole. ``grids``: of its scales; taken from the bits when
        left out."""
        self.close_ideas()
        self.close_results()
        self.request, self.bits, self.file = request, bits, file
        self.placement.forget_picture()
        self.canvas.set_compare(False)
        self.canvas.show_result(image, request.prompt)
        shapes = tuple(grids) or (bits.grids if bits is not None else ())
        self.strip.show_picture(shapes or self._grids, bits, _small(self.canvas.image()) if whole else None)
        self.actions_bar.set_star(starred)
        self._follow()

    def set_saved(self, file: Path, starred: bool = False) -> None:
        """The picture that is shown lies on disk now."""
        self.file = file
        self.actions_bar.set_star(starred)
        self._follow()

    def set_cut_out(self, image: QImage | None) -> None:
        """The subject on white, for comparing."""
        self.canvas.set_cut_out(image)
        self._follow()

    def set_previous(self, image: QImage | None) -> None:
        """The previous picture of the same group, for holding C."""
        self.canvas.set_previous(image)

    def set_compact(self, narrow: bool, low: bool = False) -> None:
        """Small tiles in narrow or low windows, icons for actions in narrow ones."""
        self._narrow = narrow
        self.strip.set_compact(narrow, low)
        if self._whole:
            self.actions_bar.set_compact(narrow)
        self._follow()

    def entry(self) -> QWidget:
        """The widget that takes the focus when F6 reaches this panel."""
        if not self.results.isHidden():
            return self.results.grid
        frame = self.placement.frame
        return frame if frame.isEnabled() and not frame.isHidden() else self.canvas

    # Several pictures

    def is_covered(self) -> bool:
        """Return True if ideas or several pictures lie over the canvas."""
        return not self.ideas.isHidden() or not self.results.isHidden()

    def show_results(self, pictures: Sequence[Picture], shown: int | None = None) -> None:
        """Two to nine pictures side by side, until one is shown. ``shown``: id of the one that has the ring in the history."""
        self.results.show_pictures(pictures, shown)
        self.results.setGeometry(self.canvas.rect())
        self.results.show()
        self.results.raise_()
        self._follow()

    def current_result(self) -> Picture | None:
        """The current one of the pictures that stand side by side: the keys of the canvas act on it. None without them."""
        grid = self.results.grid
        return grid.pictures[grid.current] if not self.results.isHidden() and grid.pictures else None

    def heading(self) -> QWidget | None:
        """The last line above the ideas or the pictures that lie over the canvas; None where there are none."""
        for view in (self.ideas, self.results):
            if not view.isHidden():
                return view.title if view.words.isHidden() else view.words
        return None

    def close_results(self) -> None:
        if not self.results.isHidden():
            self.results.hide()
            self._follow()

    # Four ideas

    def begin_ideas(self, requests: Sequence[GenerationRequest]) -> None:
        """Show empty tiles over the canvas; feed them with ``idea_previewed`` and ``idea_finished``."""
        self.close_results()
        self.ideas.begin(requests)
        self.ideas.setGeometry(self.canvas.rect())
        self.ideas.show()
        self.ideas.raise_()
        self._follow()

    def idea_previewed(self, index: int, event: ScalePreview) -> None:
        self.ideas.show_preview(index, event.image)

    def idea_finished(self, index: int) -> None:
        self.ideas.finish(index)

    def close_ideas(self) -> None:
        if self.ideas.isVisible():
            focused = QApplication.focusWidget()
            had_focus = focused is not None and (focused is self.ideas or self.ideas.isAncestorOf(focused))
            self.ideas.hide()
            self._follow()
            if had_focus:
                self.ideasLeft.emit()

    def ideas_ended(self) -> None:
        """Nothing more is drawn: ideas that never came go away, and when there is none, the picture is back."""
        if self.ideas.isVisible() and not self.ideas.end():
            self.close_ideas()

    def idea_scales(self) -> int:
        """Return the number of scales an idea draws (``until_scale``)."""
        from app.canvas.ideas import coarse_scales

        return coarse_scales(self._grids) if self._grids else 1

    # What the user wants

    @Slot()
    def vary(self) -> None:
        if self.request is not None:
            self.varyRequested.emit(self.request)

    @Slot()
    def _finish(self) -> None:
        if self.request is not None:
            self.finishRequested.emit(self.request)

    @Slot()
    def copy(self) -> None:
        from app.system.sharing import copy_picture

        if self.canvas.has_picture():
            copy_picture(self.canvas.image(), self.file)
            self.copied.emit()

    @Slot()
    def drag_out(self) -> None:
        from app.system.sharing import drag_out

        if self.canvas.has_picture():
            image = self.canvas.image()
            drag_out(self, [self.file] if self.file is not None else [], image, image)

    @Slot()
    def toggle_star(self) -> None:
        """The star of the picture that is shown; of several side by side, of the current one."""
        current = self.current_result()
        if current is not None:
            self.results.grid.starWanted.emit(current)
        if self.actions_bar.isVisible():
            self.actions_bar.toggle_star()

    @Slot()
    def toggle_compare(self) -> None:
        self._compare(not self.canvas.comparing())

    def leave_compare(self) -> bool:
        """Show the picture alone again; returns False when it was not compared."""
        comparing = self.canvas.comparing()
        if comparing:
            self._compare(False)
        return comparing

    def compare_with(self, image: QImage) -> None:
        """Compare the picture that is shown with another one of the history."""
        self.canvas.compare_with(image)
        self._follow()

    # Inside

    @Slot(bool)
    def _compare(self, on: bool) -> None:
        self.canvas.set_compare(on)
        self._follow()

    @Slot()
    def _save(self) -> None:
        self.saveRequested.emit(True)

    @Slot()
    def _save_plain(self) -> None:
        self.saveRequested.emit(False)

    @Slot(object)
    def _peek(self, image: object) -> None:
        self.canvas.peek(image)  # type: ignore[arg-type]

    @Slot(int)
    def _redraw(self, keep: int) -> None:
        if self.request is not None and self.bits is not None:
            self.redrawRequested.emit(self.request, self.bits, keep)

    @Slot(object)
    def _chosen(self, request: object) -> None:
        self.close_ideas()
        self.ideaChosen.emit(request)

    @Slot()
    def _close_ideas(self) -> None:
        self.close_ideas()
        self.ideasClosed.emit()

    @Slot()
    def _follow(self, *_: object) -> None:
        """Bring the bar in line with the canvas."""
        if not self._whole:
            return
        from app.canvas.action_bar import BAR_GAP

        bar, canvas, placement = self.actions_bar, self.canvas, self.placement
        free = not self.is_covered()
        placing = placement.is_wanted(free)
        shown = canvas.has_picture() and canvas.state in ("result", "stopped") and free and not placing
        placement.show_stage()
        # Its room is kept while a picture forms, too: nothing jumps when the bar comes.
        with_bar = shown or placing or (free and canvas.state == "forming")
        canvas.set_bottom_space(BAR_GAP + bar.sizeHint().height() if with_bar else 0)
        placement.follow(placing)
        bar.set_place(placement.can_place())
        bar.set_vary(self.request is not None)
        bar.set_saved(self.file is not None, unfinished=canvas.state == "stopped")
        bar.set_compare(canvas.comparing(), canvas.can_compare())
        bar.set_redraw(self.strip.model.can_redraw, self.strip.model.sentence())
        bar.setVisible(shown)
        self.strip.setVisible(free)  # several pictures have no scales of their own, and those of one would be a lie
        self._place()
        self.followed.emit()

    def enable_edits(self, *, region: bool, cut_out: bool) -> None:
        """Switch off what cannot be done with the picture now: a button that did nothing would say that it can."""
        self.strip.region_button.setEnabled(region)
        self.actions_bar.enable_edits(region=region, cut_out=cut_out)

    @Slot()
    def _place(self) -> None:
        if not self._whole:
            return
        from app.canvas.action_bar import BAR_GAP

        canvas = self.canvas
        self.ideas.setGeometry(canvas.rect())
        self.results.setGeometry(canvas.rect())
        self.placement.lay_out()
        for floating in (self.actions_bar, self.placement.bar):
            floating.set_width(canvas.width() - 16)
        bar = self.placement.bar if self.actions_bar.isHidden() else self.actions_bar
        if bar.isHidden():
            canvas.set_bar_rect(QRect())
            return
        size = bar.sizeHint()
        size = QSize(min(size.width(), canvas.width() - 16), size.height())
        bar.resize(size)
        rect = canvas.picture_rect()
        y = min(round(rect.bottom()) + BAR_GAP, canvas.height() - size.height() - BAR_GAP)
        bar.move(QPoint((canvas.width() - size.width()) // 2, max(0, y)))
        canvas.set_bar_rect(bar.geometry())

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            QTimer.singleShot(0, self, self._follow)  # when the bar has its new words, and with them its width
        super().changeEvent(event)

    def _announce(self, text: str) -> None:
        from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent

        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self.canvas, text))


def _small(picture: QImage) -> np.ndarray:
    """At most 512 pixels a side, as previews are: RGB uint8 (H, W, 3)."""
    if max(picture.width(), picture.height()) > 512:
        picture = picture.scaled(
            512, 512, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
        )
    return to_array(picture)
