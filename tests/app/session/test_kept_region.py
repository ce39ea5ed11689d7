"""The region of the panel over a restart."""

from __future__ import annotations

import numpy as np

from app.session.kept_region import KeptRegion
from app.store.assets import AssetStore
from engine import Region


def test_the_region_that_was_asked_for_last_is_kept_whichever_is_written_first(tmp_path, monkeypatch):
    writing = []
    monkeypatch.setattr(
        "app.system.background.run", lambda work, *given, done, failed: writing.append((work, given, done))
    )
    kept, picture = KeptRegion(AssetStore(tmp_path)), np.zeros((8, 8, 3), np.uint8)
    masks = np.zeros((2, 8, 8), np.uint8)
    masks[0, :4] = masks[1, 4:] = 255
    regions = [Region(mask, picture) for mask in masks]
    for region in regions:
        kept.keep(region)
    for work, given, done in reversed(writing):
        done(work(*given))
    assert kept.described(regions[1]) is not None and kept.described(regions[0]) is None
