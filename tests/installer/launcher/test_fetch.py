"""Fetching: goes on where it was cut off, pauses, stops, and never keeps a file that is not what it should be."""

from __future__ import annotations

import hashlib
import io
import os
import ssl
import threading

import pytest

from installer.launcher import fetch
from installer.launcher.errors import SetupFailed, Stopped
from installer.launcher.fetch import Control, Fetcher, RemoteFile, read_plan
from installer.launcher.locks import Package
from installer.launcher.network import Network

DATA = os.urandom(3_000_000)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr(fetch.time, "sleep", lambda seconds: None)


@pytest.fixture
def wanted(index):
    index.files["thing.whl"] = DATA
    return RemoteFile("thing.whl", f"{index.url}/files/thing.whl", len(DATA), hashlib.sha256(DATA).hexdigest())


def fetcher(tmp_path, control=None, tell=lambda *_: None):
    return Fetcher(tmp_path / "files", Network(), control or Control(), tell)


def test_it_goes_on_at_the_byte_where_the_connection_ended(tmp_path, index, wanted):
    index.cut = [1_000_000, 700_000]
    progress = []
    fetcher(tmp_path, tell=lambda done, total, left: progress.append((done, total))).fetch([wanted])
    assert (tmp_path / "files/thing.whl").read_bytes() == DATA
    assert [asked for _, asked in index.asked] == ["", "bytes=1000000-", "bytes=1700000-"]
    assert progress[-1] == (len(DATA), len(DATA)) and [done for done, _ in progress] == sorted(
        done for done, _ in progress
    )


def test_a_start_after_a_kill_goes_on_too_and_a_whole_file_is_not_asked_for(tmp_path, index, wanted):
    (tmp_path / "files").mkdir()
    (tmp_path / "files/thing.whl.part").write_bytes(DATA[:123_456])
    fetcher(tmp_path).fetch([wanted])
    assert index.asked == [("/files/thing.whl", "bytes=123456-")]
    fetcher(tmp_path).fetch([wanted])
    assert len(index.asked) == 1


class Answer(io.BytesIO):
    """A server's answer to the request for the rest of a file."""

    status = 206

    def read1(self, size: int = -1) -> bytes:
        return self.read(size)


def test_answers_without_a_byte_are_given_up(tmp_path, wanted, monkeypatch):
    """A proxy that cuts every connection was asked again without an end and without a pause."""
    (tmp_path / "files").mkdir()
    (tmp_path / "files/thing.whl.part").write_bytes(DATA[:1000])
    here, asked = fetcher(tmp_path), []

    def open_empty(*_, **__) -> Answer:
        asked.append("")
        assert len(asked) < 50, "without an end"
        return Answer()

    monkeypatch.setattr(here._opener, "open", open_empty)
    with pytest.raises(SetupFailed, match=r"127\.0\.0\.1 cannot be reached") as failure:
        here.fetch([wanted])
    assert failure.value.kind == "network" and len(asked) == fetch.TRIES
    assert (tmp_path / "files/thing.whl.part").stat().st_size == 1000


def test_an_encrypted_connection_that_breaks_is_no_matter_of_the_disk(tmp_path, index, wanted, monkeypatch):
    class Broken(Answer):
        status = 200

        def read1(self, size: int = -1) -> bytes:
            found = super().read1(400_000)
            if found:
                return found
            raise ssl.SSLError(1, "decryption failed or bad record mac")

    here = fetcher(tmp_path)
    answers, real = [Broken(DATA[:900_000])], here._opener.open
    monkeypatch.setattr(
        here._opener, "open", lambda *given, **named: answers.pop() if answers else real(*given, **named)
    )
    here.fetch([wanted])
    assert (tmp_path / "files/thing.whl").read_bytes() == DATA
    assert [asked for _, asked in index.asked] == ["bytes=900000-"]


def test_a_server_without_ranges_sends_everything_again(tmp_path, index, wanted):
    index.ranges, index.cut = False, [500_000]
    fetcher(tmp_path).fetch([wanted])
    assert (tmp_path / "files/thing.whl").read_bytes() == DATA


def test_half_a_file_that_is_damaged_is_fetched_anew_once(tmp_path, index, wanted):
    (tmp_path / "files").mkdir()
    (tmp_path / "files/thing.whl.part").write_bytes(b"x" * 1000)
    fetcher(tmp_path).fetch([wanted])
    assert (tmp_path / "files/thing.whl").read_bytes() == DATA
    index.files["thing.whl"] = DATA[:-1] + bytes([DATA[-1] ^ 1])
    (tmp_path / "files/thing.whl").unlink()
    with pytest.raises(SetupFailed, match="damaged") as failure:
        fetcher(tmp_path).fetch([wanted])
    assert failure.value.kind == "network" and not (tmp_path / "files/thing.whl").exists()


def test_a_longer_file_than_the_list_has_is_said_to_be_another_one(tmp_path, index, wanted):
    """As of a network that answers every request with its own page: it was fetched again without an end."""
    index.files["thing.whl"] = DATA + os.urandom(2_000_000)
    most = []
    with pytest.raises(SetupFailed, match="arrives damaged"):
        fetcher(tmp_path, tell=lambda done, *_: most.append(done)).fetch([wanted])
    assert len(index.asked) == 2 and max(most) <= len(DATA) + fetch.CHUNK, "no disk is filled with it"
    assert not list((tmp_path / "files").iterdir())


def test_a_file_that_is_gone_and_a_server_that_is_not_there(tmp_path, index, wanted):
    del index.files["thing.whl"]
    with pytest.raises(SetupFailed, match="error 404"):
        fetcher(tmp_path).fetch([wanted])
    nowhere = RemoteFile("thing.whl", "http://127.0.0.1:9/thing.whl", 10, "0" * 64)
    with pytest.raises(SetupFailed, match=r"127\.0\.0\.1 cannot be reached"):
        fetcher(tmp_path).fetch([nowhere])


def test_pause_and_stop_keep_what_has_arrived(tmp_path, index, wanted):
    control = Control()
    arrived = threading.Event()

    def tell(done: int, total: int, left: float | None) -> None:
        if done > 500_000 and not arrived.is_set():
            control.pause()
            arrived.set()

    errors: list[BaseException] = []

    def work() -> None:
        try:
            fetcher(tmp_path, control, tell).fetch([wanted])
        except Stopped as stopped:
            errors.append(stopped)

    thread = threading.Thread(target=work)
    thread.start()
    assert arrived.wait(10)
    threading.Event().wait(0.1)
    size = (tmp_path / "files/thing.whl.part").stat().st_size
    threading.Event().wait(0.2)
    assert (tmp_path / "files/thing.whl.part").stat().st_size == size < len(DATA)
    control.stop()
    thread.join(10)
    assert errors and not thread.is_alive()
    fetcher(tmp_path).fetch([wanted])
    assert (tmp_path / "files/thing.whl").read_bytes() == DATA and index.asked[-1][1] == f"bytes={size}-"


def test_a_full_disk_is_said(tmp_path, wanted, monkeypatch):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Fetcher, "_stream", full)
    with pytest.raises(SetupFailed, match="No space left") as failure:
        fetcher(tmp_path).fetch([wanted])
    assert failure.value.kind == "disk"


def test_the_index_may_only_offer_files_of_the_list():
    text = """
[[packages]]
name = "thing"
wheels = [{ url = "https://example.org/thing-1.0-py3-none-any.whl", size = 5, hashes = { sha256 = "%s" } }]
"""
    package = Package("thing", "1.0", frozenset({"a" * 64}))
    (file,) = read_plan(text % ("a" * 64), [package])
    assert (file.name, file.size) == ("thing-1.0-py3-none-any.whl", 5)
    with pytest.raises(SetupFailed, match=r"no file of thing 1\.0"):
        read_plan(text % ("b" * 64), [package])


def test_time_left_is_told_only_when_it_can_be(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(fetch.time, "monotonic", lambda: now[0])
    rate = fetch.Rate()
    assert rate.seconds_left(100) is None
    for done in (0, 10, 20):
        rate.add(done)
        now[0] += 1
    assert rate.seconds_left(100) == pytest.approx(8)
    rate.clear()
    assert rate.seconds_left(100) is None
