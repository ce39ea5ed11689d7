"""The rules by which actions of the table of keys are switched on and off."""

from __future__ import annotations

from app.session.state import SessionState
from app.window.cutting import Cutting
from app.window.panels import Panels
from app.window.redrawing import Redrawing


def enabled_actions(panels: Panels, state: SessionState, redrawing: Redrawing, cutting: Cutting) -> dict[str, bool]:
    """Tell of each action whether it can be done now; those that always can are not among them."""
    busy, subject, canvas = state.jobs.busy, state.subject, panels.canvas
    editing, gallery = panels.is_editing(), panels.is_gallery()
    free = not editing and not gallery and not canvas.is_covered()  # nothing lies over the canvas
    picture = free and canvas.canvas.has_picture()
    finished = free and state.result is not None
    chosen = gallery and not editing
    photo = subject is not None and subject.photo is not None
    return {
        "add_photo": not editing and state.may_add_photo,
        "save": finished or chosen,
        "save_plain": finished or chosen,
        "save_2x": finished,
        "save_4x": finished,
        "copy": picture or chosen,
        "stop_after": busy and not state.jobs.last,
        "queue_pause": state.jobs.waiting > 0 or state.jobs.held > 0,
        "vary": picture and canvas.request is not None,
        "redraw": free and canvas.strip.model.can_redraw,
        "redraw_region": free and redrawing.can_redraw(),
        "cut_out": free and cutting.can_cut_out(),
        "into_photo": not busy and not editing and bool(state.cut_outs),
        "ideas": not busy and not editing,
        "list": not editing,
        "side_by_side": not editing,
        "gallery": not editing,
        "compare": free and canvas.canvas.can_compare(),
        "place": free and canvas.placement.can_place(),
        "edit_cutout": photo,
        "export_mask": photo and subject is not None and subject.mask is not None,
        "import_mask": photo,
        "export_cutout": cutting.can_save_subject(),
        "generate": not panels.is_cutting(),
    }


def listed_actions(panels: Panels, state: SessionState, can_stand_side_by_side: bool) -> dict[str, bool]:
    """Tell of actions that are never switched off, because their keys do more than their words say, whether a menu is to offer
    them now."""
    large = panels.is_editing() or (not panels.is_gallery() and panels.canvas.canvas.has_picture())
    return {
        "cancel": state.jobs.busy or state.jobs.waiting > 0,
        "side_by_side": can_stand_side_by_side and not panels.is_editing() and not state.jobs.busy,
        "undo": panels.can_undo(),
        "redo": panels.can_redo(),
        **dict.fromkeys(("fit", "actual_size", "zoom_in", "zoom_out"), large),
    }
