"""Names in another encoding, between Qt's addresses and files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QUrl

from app.subject.photo_drops import local_files
from app.system.sharing import file_url, local_file

POSIX = pytest.mark.skipif(os.name == "nt", reason="names are Unicode on Windows")


@POSIX
@pytest.mark.parametrize("name", ["duck.png", "田中 #1?.png", "50 % off.png", "inv\udcf0alid.png"])
def test_an_address_means_its_file_to_the_byte(name):
    file = Path("/photos") / name
    assert local_file(file_url(file)) == file


@POSIX
def test_a_dropped_name_in_another_encoding_is_found():
    data = QMimeData()
    data.setUrls([QUrl.fromEncoded(b"file:///photos/inv%F0alid.png"), QUrl("https://example.org/x.png")])
    assert local_files(data) == [Path("/photos/inv\udcf0alid.png")]
