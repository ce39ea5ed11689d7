"""Fixtures of the mask, for the widgets that show and change it."""

from tests.app.mask.conftest import canvas, photo, segmenter, service, session

__all__ = ["canvas", "photo", "segmenter", "service", "session"]
