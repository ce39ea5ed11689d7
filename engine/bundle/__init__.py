"""Bundles: what a model consists of on the disk. The face; every name is loaded on first use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.faces import face

if TYPE_CHECKING:
    from engine.bundle.conversion_report import find_reports as find_reports
    from engine.bundle.library import DEFAULT_BUNDLE as DEFAULT_BUNDLE
    from engine.bundle.library import FoundBundle as FoundBundle
    from engine.bundle.library import choose_models_folder as choose_models_folder
    from engine.bundle.library import find_bundles as find_bundles
    from engine.bundle.library import models_folder as models_folder
    from engine.bundle.library import resolve_bundle as resolve_bundle
    from engine.bundle.manifest import BundleManifest as BundleManifest
    from engine.bundle.manifest import read_manifest as read_manifest
    from engine.bundle.published import published_manifest as published_manifest
    from engine.bundle.records import Language as Language
    from engine.bundle.records import SceneEntry as SceneEntry
else:
    __getattr__, __dir__, __all__ = face(
        __name__,
        {
            "engine.bundle.conversion_report": ("find_reports",),
            "engine.bundle.library": (
                "DEFAULT_BUNDLE",
                "FoundBundle",
                "choose_models_folder",
                "find_bundles",
                "models_folder",
                "resolve_bundle",
            ),
            "engine.bundle.manifest": ("BundleManifest", "read_manifest"),
            "engine.bundle.published": ("published_manifest",),
            "engine.bundle.records": ("Language", "SceneEntry"),
        },
    )
