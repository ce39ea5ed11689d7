"""A photo, a segmenter that answers at once, and a canvas to paint on."""

from __future__ import annotations

import numpy as np
import pytest

from app.editor.mask_canvas import MaskCanvas
from app.mask.document import MaskDocument
from app.mask.mask_session import MaskSession
from app.mask.pyramid import Pyramid
from app.mask.worker import MaskService
from engine.photo.hints import Box, SubjectProposal
from engine.photo.load import Photo, photo_from_pixels
from tests.app.mask.fakes import HEIGHT, WIDTH, FakeSegmenter, disc


@pytest.fixture(scope="session")
def photo() -> Photo:
    ys, xs = np.mgrid[:HEIGHT, :WIDTH]
    return photo_from_pixels(np.dstack([xs % 256, ys % 256, (xs + ys) % 256]).astype(np.uint8), name="test.png")


@pytest.fixture
def segmenter() -> FakeSegmenter:
    return FakeSegmenter()


@pytest.fixture
def service(qapp, segmenter):
    service = MaskService(lambda: segmenter)
    yield service
    segmenter.gate.set()
    service.close()


@pytest.fixture
def session(service, photo):
    proposal = SubjectProposal("thing", (Box(210, 110, 390, 290, 0.96, "thing"),), disc(), 0.96)
    session = MaskSession(photo, Pyramid(photo.rgb), MaskDocument(disc()), service, proposal)
    yield session
    session.release()


@pytest.fixture
def canvas(qtbot, session):
    canvas = MaskCanvas(padding=20)
    qtbot.addWidget(canvas)
    canvas.resize(640, 440)  # the photo at 100 %
    canvas.set_session(session)
    canvas.show()
    qtbot.waitExposed(canvas)
    canvas.setFocus()
    return canvas
