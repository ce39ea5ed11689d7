"""``--region`` and ``--photo`` of ``generate``: the place of a picture, and the way back into a large photo."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from engine.bundle.manifest import BundleManifest
from engine.cli.terminal import progress
from engine.encoders.placed import region_around
from engine.errors import InputError, RegionError
from engine.events import Finished
from engine.into_photo import PhotoAtHand, into_its_photo
from engine.photo.load import Photo, load_photo
from engine.photo.mask_file import read_mask
from engine.photo.picture_file import read_picture_file
from engine.photo.place import as_place, place_in_region, place_in_window, region_of_photo
from engine.placement import Placement
from engine.region import Region
from engine.request import GenerationRequest
from engine.sentence import Sentence

Finish = Callable[[Finished], Finished]


def as_it_is(finished: Finished) -> Finished:
    """The way of a picture that goes back into nothing."""
    return finished


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
) -> tuple[GenerationRequest, Finish]:
    """The request with its region, and the way of what is drawn back into the photo or the picture that the region is of.

    Raises:
        InputError: region and picture do not fit each other, or the model.
    """
    file = args.photo or args.source
    if args.photo is None and args.region is None and request.region is None:
        return request, as_it_is
    photo = as_place(load_photo(file))
    for note in photo.notes:
        progress.note(note)
    if args.photo is not None or (args.region is not None and _is_photo(request)):
        request = _in_photo(args, photo, request, manifest)
    elif args.region is not None:
        earlier = read_picture_file(file)
        region = Region(read_mask(args.region, photo, RegionError.title), photo.rgb, dpi=photo.dpi)
        request = replace(request, region=region, kept=earlier.bits, size=(photo.width, photo.height))
        placed = manifest.placed_content is not None and args.place is None
        if placed and request.subject is not None and not request.shows_subject_of(earlier.request):
            request = replace(request, placement=place_in_region(request.subject, region))
    assert request.region is not None
    if args.keep_scales:
        request = replace(request, region=replace(request.region, whole=args.keep_scales))
    return request, partial(into_its_photo, photo=PhotoAtHand(photo.rgb, photo.digest, file), manifest=manifest)


def _is_photo(request: GenerationRequest) -> bool:
    """Return True if the picture of a request is a large photo that something was put into: a photo as any other."""
    return request.region is not None and request.region.window is not None


def _in_photo(
    args: argparse.Namespace, photo: Photo, request: GenerationRequest, manifest: BundleManifest
) -> GenerationRequest:
    subject = request.subject
    placed = Placement.parse(args.place) if args.place is not None else None
    if placed is not None and manifest.placed_content is None:
        raise InputError(
            Sentence("{manifest} cannot be told where the subject stands.", manifest=manifest.title),
            Sentence("Mark the region with --region alone."),
        )
    if args.region is not None:
        mask = read_mask(args.region, photo, RegionError.title)
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
