"""Photos and masks in, pictures out. The face; every name is loaded on first use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.faces import face

if TYPE_CHECKING:
    from engine.photo.enlarge import save_larger as save_larger
    from engine.photo.foreground import foreground_colours as foreground_colours
    from engine.photo.framing import cut_out as cut_out
    from engine.photo.framing import mask_digest as mask_digest
    from engine.photo.framing import on_white as on_white
    from engine.photo.framing import without_white as without_white
    from engine.photo.hints import Box as Box
    from engine.photo.hints import Click as Click
    from engine.photo.hints import Hint as Hint
    from engine.photo.hints import Stroke as Stroke
    from engine.photo.hints import SubjectProposal as SubjectProposal
    from engine.photo.load import Photo as Photo
    from engine.photo.load import load_photo as load_photo
    from engine.photo.load import photo_from_pixels as photo_from_pixels
    from engine.photo.mask_file import read_mask as read_mask
    from engine.photo.mask_file import write_mask as write_mask
    from engine.photo.mask_ops import SOLID as SOLID
    from engine.photo.mask_ops import adjusted as adjusted
    from engine.photo.mask_ops import edge_reach as edge_reach
    from engine.photo.mask_ops import feather as feather
    from engine.photo.mask_ops import fill_holes as fill_holes
    from engine.photo.mask_ops import grow as grow
    from engine.photo.mask_ops import largest_part as largest_part
    from engine.photo.mask_ops import mask_problem as mask_problem
    from engine.photo.mask_ops import parts as parts
    from engine.photo.notes import photo_notes as photo_notes
    from engine.photo.own_colours import OwnColours as OwnColours
    from engine.photo.own_colours import read_own_colours as read_own_colours
    from engine.photo.picture_file import SUFFIXES as SUFFIXES
    from engine.photo.picture_file import carries_request as carries_request
    from engine.photo.picture_file import read_picture_file as read_picture_file
    from engine.photo.picture_file import save_picture as save_picture
    from engine.photo.picture_file import save_plain as save_plain
    from engine.photo.place import as_place as as_place
    from engine.photo.place import place_in_region as place_in_region
    from engine.photo.place import place_in_window as place_in_window
    from engine.photo.place import region_of_photo as region_of_photo
    from engine.photo.refusals import MAX_PIXELS as MAX_PIXELS
    from engine.photo.sheet import Table as Table
    from engine.photo.sheet import arrange as arrange
    from engine.photo.sheet import draw_sheet as draw_sheet
else:
    __getattr__, __dir__, __all__ = face(
        __name__,
        {
            "engine.photo.enlarge": ("save_larger",),
            "engine.photo.foreground": ("foreground_colours",),
            "engine.photo.framing": ("cut_out", "mask_digest", "on_white", "without_white"),
            "engine.photo.hints": ("Box", "Click", "Hint", "Stroke", "SubjectProposal"),
            "engine.photo.load": ("Photo", "load_photo", "photo_from_pixels"),
            "engine.photo.mask_file": ("read_mask", "write_mask"),
            "engine.photo.mask_ops": (
                "SOLID",
                "adjusted",
                "edge_reach",
                "feather",
                "fill_holes",
                "grow",
                "largest_part",
                "mask_problem",
                "parts",
            ),
            "engine.photo.refusals": ("MAX_PIXELS",),
            "engine.photo.notes": ("photo_notes",),
            "engine.photo.own_colours": ("OwnColours", "read_own_colours"),
            "engine.photo.picture_file": (
                "SUFFIXES",
                "carries_request",
                "read_picture_file",
                "save_picture",
                "save_plain",
            ),
            "engine.photo.place": ("as_place", "place_in_region", "place_in_window", "region_of_photo"),
            "engine.photo.sheet": ("Table", "arrange", "draw_sheet"),
        },
    )
