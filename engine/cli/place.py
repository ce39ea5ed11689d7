"""``--region`` and ``--photo`` of ``generate``: the place of a picture, and the way back into a large photo."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace

import numpy as np

from engine.bundle.manifest import BundleManifest
from engine.encoders.placed import region_around, subject_alpha
from engine.errors import InputError
from engine.photo.load import load_photo
from engine.photo.mask_file import read_mask
from engine.photo.picture_file import read_picture_file
from engine.photo.place import place_in_region, place_in_window, put_back, region_of_photo
from engine.placement import Placement
from engine.region import Region
from engine.request import GenerationRequest
from engine.sentence import Sentence

_TITLE = Sentence("The region cannot be used")


@dataclass(frozen=True, eq=False)
class Place:
    """The photo that a drawn picture goes back into.

    Attributes:
        photo: RGB uint8 (H, W, 3), the photo at full resolution.
        manifest: of the model that draws.
    """

    photo: np.ndarray
    manifest: BundleManifest

    def finish(self, picture: np.ndarray, request: GenerationRequest) -> np.ndarray:
        """The picture at its place in the photo."""
        if request.region is None:
            return picture
        alpha = subject_alpha(request, self.manifest.place(request), request.region.size)
        return put_back(self.photo, picture, request.region, self.manifest.tokenizer.feather, alpha)


def check_place(args: argparse.Namespace) -> None:
    """Check the options by themselves."""
    if args.region is not None and args.source is None and args.photo is None:
        raise InputError(
            Sentence("--region needs the picture it belongs to."),
            Sentence("Name it with --from, or a photo with --photo."),
        )
    if args.photo is not None and args.region is None and args.place is None:
        raise InputError(
            Sentence("Nothing says where in the photo the subject goes."),
            Sentence("Mark it with --region mask.png, or with --place X,Y,SIZE."),
        )
    if args.keep_scales is not None and args.source is None and args.photo is None:
        raise InputError(Sentence("--keep-scales needs the picture they come from."), Sentence("Name it with --from."))


def take_place(
    args: argparse.Namespace, request: GenerationRequest, manifest: BundleManifest
) -> tuple[GenerationRequest, Place | None]:
    """The request with its region, and the photo that the drawn picture goes back into, if it is a part of one.

    Raises:
        InputError: region and picture do not fit each other, or the model.
    """
    whole = args.keep_scales or 0
    photo = None
    if args.photo is not None:
        photo = load_photo(args.photo)
        request = _in_photo(args, request, manifest)
    elif args.region is not None:
        picture = load_photo(args.source)
        request = replace(
            request,
            region=Region(read_mask(args.region, picture, _TITLE), picture.rgb),
            kept=read_picture_file(args.source).bits,
            size=(picture.width, picture.height),
        )
    if request.region is None:
        return request, None
    if whole:
        request = replace(request, region=replace(request.region, whole=whole))
    if request.region is not None and request.region.window is not None:
        photo = photo or load_photo(args.source)
        return request, Place(photo.rgb, manifest)
    return request, None


def _in_photo(args: argparse.Namespace, request: GenerationRequest, manifest: BundleManifest) -> GenerationRequest:
    photo, subject = load_photo(args.photo), request.subject
    placed = Placement.parse(args.place) if args.place is not None else None
    if placed is not None and manifest.placed_content is None:
        raise InputError(
            Sentence("{manifest} cannot be told where the subject stands.", manifest=manifest.title),
            Sentence("Mark the region with --region alone."),
        )
    if args.region is not None:
        mask = read_mask(args.region, photo, _TITLE)
    elif placed is not None and subject is not None:
        mask = region_around(subject, placed, photo.width, photo.height)
    else:
        raise InputError(
            Sentence("Without a subject, --place says nothing."), Sentence("Mark the region with --region mask.png.")
        )
    sizes = manifest.sizes if request.size is None or not args.size else (request.size,)
    region = region_of_photo(photo, mask, sizes)
    if placed is not None:
        placed = place_in_window(placed, region.window)
    elif manifest.placed_content is not None and subject is not None:
        placed = place_in_region(subject, region)
    return replace(request, region=region, kept=None, placement=placed, size=region.size)
