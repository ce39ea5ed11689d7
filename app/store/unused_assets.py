"""Photos and masks that nothing refers to any more, removed. Free of Qt; for a background thread.

A photo is needed as long as a picture that was drawn of it is in the history (it can be recalled and its cut-out edited), a
picture of it waits in the queue, or the session has it on the shelf.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

from app.store.assets import AssetStore
from app.store.history_store import HistoryStore
from engine import EchoGenError
from engine.photo import read_picture_file

log = logging.getLogger(__name__)

_READ_AT_ONCE = 500
"""Pictures of earlier programs, which did not note what they refer to, are read from their files: so many in one start."""


def remove_unused(history: HistoryStore, assets: AssetStore, keep: Iterable[str]) -> int:
    """Remove what neither the history nor ``keep`` refers to.

    Nothing is removed while it is not known of every picture what it refers to.

    Args:
        keep: digests that are needed beside those of history and queue.

    Returns:
        how many files went.

    Raises:
        EchoGenError: the history cannot be read or written.
    """
    for picture, file in history.without_assets(_READ_AT_ONCE):
        try:
            found = read_picture_file(file).request.assets
        except (EchoGenError, OSError):  # it cannot be recalled any more
            log.info("what %s was drawn from is not known", file.name, exc_info=True)
            found = ()
        history.set_assets(picture, found)
    if history.without_assets(1):
        return 0
    waiting: set[str] = set()
    for _, request in history.queue.read():
        waiting.update(request.assets)
        if request.region is not None and request.region.window is not None:
            waiting.add(request.region.window.photo)  # which it goes back into
    removed = assets.prune({*keep, *waiting, *history.assets()})
    if removed:
        log.info("%d photos and masks that nothing refers to were removed", removed)
    return removed
