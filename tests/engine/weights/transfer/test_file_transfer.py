"""One file, and a server that does everything wrong: nothing that can be kept is lost, nothing wrong is accepted."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import hashlib
import os
import random
import signal
import ssl
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from engine import files
from engine.errors import CannotWrite, NetworkError
from engine.files import readable
from engine.weights.transfer import disk, file_transfer
from engine.weights.transfer.disk import FileJob, Segment
from engine.weights.transfer.file_transfer import RetryPolicy, fetch
from engine.weights.transfer.requests import make_client
from tests.engine.weights import hub_server as faults
from tests.engine.weights.hub_server import COMMIT, Repository

NAME = "weights.bin"
CONTENT = random.Random(5).randbytes(3 * 2**19 + 12345)


@pytest.fixture
def job(hub, tmp_path):
    hub.repositories["them/net"] = Repository({NAME: CONTENT})
    return FileJob(
        name=NAME,
        url=f"{hub.url}/them/net/resolve/{COMMIT}/{NAME}",
        remote_size=len(CONTENT),
        target=tmp_path / "part" / NAME,
        segments=(Segment(0, len(CONTENT)),),
        sha256=hashlib.sha256(CONTENT).hexdigest(),
    )


def run(job, policy, token=None, stall_seconds=5.0):
    async def go():
        async with make_client(stall_seconds) as client:
            return await fetch(client, job, token, policy)

    return asyncio.run(go())


def assert_arrived(job):
    assert job.target.read_bytes() == CONTENT
    assert not job.part.exists()


def test_a_file_is_open_for_writing_while_the_disk_is_waited_for(hub, job, policy, monkeypatch):
    """Windows refuses to write out a file that is open for reading only: every download would fail there."""
    fcntl = pytest.importorskip("fcntl")
    modes = []
    monkeypatch.setattr(os, "fsync", lambda handle: modes.append(fcntl.fcntl(handle, fcntl.F_GETFL) & os.O_ACCMODE))
    run(job, policy)
    assert modes and os.O_RDONLY not in modes


def test_an_encrypted_connection_that_breaks_is_tried_again(hub, job, policy, monkeypatch):
    """The client hands on what OpenSSL says of a record that arrived damaged; that ended the download as a fault of ours."""
    real, breaks = file_transfer.open_stream, [True]

    @contextlib.asynccontextmanager
    async def open_stream(*given, **named):
        async with real(*given, **named) as response:
            if breaks:
                breaks.clear()
                raise ssl.SSLError(1, "decryption failed or bad record mac")
            yield response

    monkeypatch.setattr(file_transfer, "open_stream", open_stream)
    run(job, policy)
    assert_arrived(job)


def test_a_file_arrives_and_is_counted(hub, job, policy):
    counted = []
    job.on_bytes = counted.append
    assert run(job, policy) == job.sha256
    assert_arrived(job)
    assert sum(counted) == len(CONTENT)
    assert hub.sent(NAME) == len(CONTENT)
    assert run(job, policy) == job.sha256  # there already: nothing is asked
    assert len(hub.asked(NAME)) == 1


def test_cut_at_every_quarter_no_byte_is_sent_twice(hub, job, policy, pauses):
    hub.fail(NAME, *[faults.cut(share) for share in (0.25, 0.5, 0.75)])
    run(job, policy)
    assert_arrived(job)
    assert hub.sent(NAME) == len(CONTENT)
    later = hub.asked(NAME)[1:]
    assert [request.headers["range"] for request in later] == [
        f"bytes={int(len(CONTENT) * share)}-{len(CONTENT) - 1}" for share in (0.25, 0.5, 0.75)
    ]
    assert all(request.headers["if-range"].startswith('"') for request in later)
    assert len(pauses) == 3


@pytest.mark.parametrize("share", [0.0, 0.25, 0.5, 0.75, 0.999])
def test_a_stall_ends_and_goes_on(hub, job, policy, share):
    counted = []
    job.on_bytes = counted.append
    hub.fail(NAME, faults.stall(share))
    run(job, policy, stall_seconds=0.5)
    assert_arrived(job)
    # Counted at our end: on a busy machine the silence may begin while bytes are still in the socket.
    assert sum(counted) == len(CONTENT) and min(counted) > 0
    assert len(hub.asked(NAME)) > 1


@pytest.mark.parametrize("fault", [faults.status(500), faults.status(503), faults.status(429), faults.hang_up])
def test_a_fault_that_passes_is_waited_for(hub, job, policy, pauses, fault):
    hub.fail(NAME, fault, faults.cut(0.5), fault)
    run(job, policy)
    assert_arrived(job)
    assert hub.sent(NAME) <= len(CONTENT) + 4  # the errors' own bodies
    assert len(pauses) == 3


def test_the_server_may_say_how_long_to_wait(hub, job, policy, pauses):
    hub.fail(NAME, faults.status(429, retry_after="17"), faults.status(503, retry_after="100000"))
    run(job, policy)
    assert pauses[0] == 17
    assert pauses[1] == 120


def test_patience_ends_with_a_sentence_and_resuming_keeps_every_byte(hub, job, policy):
    hub.fail(NAME, faults.cut(0.5), *[faults.status(500)] * 3)
    with pytest.raises(
        NetworkError, match=r"the server has a fault of its own \(500\)\. 793 KB of 2 MB is safe"
    ) as caught:
        run(job, policy)
    assert "Resume" in caught.value.step
    run(job, policy)
    assert_arrived(job)
    assert hub.sent(NAME) == len(CONTENT) + 3 * 2


def test_progress_renews_patience(hub, job, policy):
    hub.fail(NAME, *[faults.cut(share / 12) for share in range(1, 12)])
    run(job, policy)
    assert_arrived(job)
    assert hub.sent(NAME) == len(CONTENT)


def test_a_server_that_is_not_there_is_said(job, policy):
    job.url = job.url.replace("//127.0.0.1", "//127.0.0.2").replace(job.url.split(":")[2].split("/")[0], "9")
    with pytest.raises(NetworkError, match=r"cannot be reached\. Nothing was lost"):
        run(job, policy)


# Lengths, ranges, names of versions


@pytest.mark.parametrize("extra", [1, 5000, -1, -5000])
def test_a_file_of_another_length_is_not_taken(hub, job, policy, extra):
    hub.fail(NAME, *[faults.other_length(extra)] * 4)
    with pytest.raises(NetworkError, match="instead of"):
        run(job, policy)
    assert not job.target.exists()
    run(job, policy)  # and when the server is well again, it goes on
    assert_arrived(job)


def test_a_part_does_not_grow_from_a_file_of_another_length(hub, job, policy):
    hub.fail(NAME, faults.cut(0.5), faults.other_length(7), faults.other_length(-7))
    run(job, policy)
    assert_arrived(job)


def test_a_server_that_knows_no_ranges_sends_all_again_and_it_is_compared(hub, job, policy):
    hub.ranges = False
    hub.fail(NAME, faults.cut(0.5))
    run(job, policy)
    assert_arrived(job)
    assert hub.asked(NAME)[2].headers.get("if-range") is None  # asked once more without it


def test_bytes_that_differ_from_the_repeated_ones_are_replaced(hub, job, policy):
    job.part.parent.mkdir(parents=True)
    job.part.write_bytes(CONTENT[:400_000] + b"\0" * 300_000)
    hub.ranges = False
    counted = []
    job.on_bytes = counted.append
    run(job, policy)
    assert_arrived(job)
    assert 700_000 + sum(counted) == len(CONTENT)


def test_a_new_name_for_the_same_version_costs_nothing(hub, job, policy):
    hub.fail(NAME, faults.cut(0.5))

    def rename(handler, content, headers):
        hub.etag_suffix = "-new"
        handler.serve(content, {"etag": '"other"'})

    hub.fail(NAME, rename)
    run(job, policy)
    assert_arrived(job)
    # The answer with the other name is dropped unread; what was sent of it before that was noticed is the socket's buffer.
    assert hub.asked(NAME)[2].headers["range"] == f"bytes={len(CONTENT) // 2}-{len(CONTENT) - 1}"
    assert hub.asked(NAME)[2].sent == len(CONTENT) - len(CONTENT) // 2


@pytest.mark.parametrize("fault", [faults.other_range, faults.compressed, faults.status(418)])
def test_nonsense_is_not_written(hub, job, policy, fault):
    hub.fail(NAME, faults.cut(0.25), fault, fault)
    run(job, policy)
    assert_arrived(job)


def test_416_asks_for_the_whole_file_and_keeps_what_is_right(hub, job, policy):
    hub.fail(NAME, faults.cut(0.5), faults.status(416))
    counted = []
    job.on_bytes = counted.append
    run(job, policy)
    assert_arrived(job)
    assert all(count > 0 for count in counted)  # nothing was given up


def test_a_part_that_is_too_long_is_cut_and_checked(job, policy):
    job.part.parent.mkdir(parents=True)
    job.part.write_bytes(CONTENT + b"more")
    run(job, policy)
    assert_arrived(job)


# Content


def test_wrong_bytes_are_fetched_once_more(hub, job, policy):
    hub.fail(NAME, faults.wrong_bytes(1234))
    run(job, policy)
    assert_arrived(job)


def test_wrong_bytes_are_never_accepted(hub, job, policy):
    hub.fail(NAME, faults.wrong_bytes(0), faults.wrong_bytes(len(CONTENT) - 1))
    with pytest.raises(NetworkError, match="arrived twice with other content"):
        run(job, policy)
    assert list(job.target.parent.iterdir()) == []


def test_wrong_bytes_in_what_was_kept_are_noticed(job, policy):
    job.part.parent.mkdir(parents=True)
    job.part.write_bytes(b"\0" * 100)
    run(job, policy)
    assert_arrived(job)


def test_a_finished_file_that_was_damaged_is_fetched_again(job, policy):
    job.target.parent.mkdir(parents=True)
    job.target.write_bytes(CONTENT[:-1] + b"\0")
    run(job, policy)
    assert_arrived(job)


def test_gits_own_hash_is_checked_where_there_is_no_other(hub, job, policy):
    job.git = hashlib.sha1(f"blob {len(CONTENT)}\0".encode() + CONTENT).hexdigest()
    wanted, job.sha256 = job.sha256, ""
    hub.fail(NAME, faults.wrong_bytes(5))
    assert run(job, policy) == wanted
    assert len(hub.asked(NAME)) == 2


# Redirects and the token


def test_the_token_stays_with_the_server_it_is_for(hub, job, policy):
    other = faults.FakeHub({"them/net": Repository({NAME: CONTENT})})
    try:
        hub.fail(NAME, faults.redirect(f"{other.url}/them/net/resolve/{COMMIT}/{NAME}"))
        run(job, policy, token="secret-token")
        assert_arrived(job)
        assert hub.asked(NAME)[0].headers["authorization"] == "Bearer secret-token"
        assert "authorization" not in other.asked(NAME)[0].headers
    finally:
        other.close()


def test_a_redirect_inside_the_server_keeps_the_token(hub, job, policy):
    hub.fail(NAME, faults.redirect(f"/them/net/resolve/{COMMIT}/{NAME}?signed=1"))
    run(job, policy, token="secret-token")
    assert [request.headers.get("authorization") for request in hub.asked(NAME)] == ["Bearer secret-token"] * 2


@pytest.mark.parametrize("status", [404, 410])
def test_a_file_that_is_gone_is_said_at_once(hub, job, policy, pauses, status):
    hub.fail(NAME, faults.status(status))
    with pytest.raises(NetworkError, match="no longer where it was"):
        run(job, policy)
    assert pauses == []


@pytest.mark.parametrize("url", ["http://example.org/file", "ftp://127.0.0.1/file", "file:///etc/passwd"])
def test_a_redirect_to_an_unsafe_address_is_refused(hub, job, policy, url):
    hub.fail(NAME, faults.redirect(url))
    with pytest.raises(NetworkError, match="unsafe address"):
        run(job, policy)


def test_circles_end(hub, job, policy):
    hub.fail(NAME, *[faults.redirect(job.url)] * 20)
    with pytest.raises(NetworkError, match="in circles"):
        run(job, policy)


def test_a_refusal_is_said_at_once(hub, job, policy, pauses):
    hub.repositories["them/net"].gated = True
    with pytest.raises(NetworkError, match=r"does not give weights\.bin") as caught:
        run(job, policy)
    assert caught.value.title == "The server refuses"
    assert pauses == []
    run(job, policy, token="secret-token")
    assert_arrived(job)


# The disk


def test_a_full_disk_keeps_what_fits(hub, job, policy, monkeypatch):
    capacity = [700_000]
    write = disk.PartWriter._flush

    def flush(writer):
        if writer._length + len(writer._buffer) > capacity[0]:
            del writer._buffer[capacity[0] - writer._length :]
            write(writer)
            raise files.disk_error(job.target.parent, OSError(errno.ENOSPC, "No space left on device"), job.arrived)
        write(writer)

    monkeypatch.setattr(disk.PartWriter, "_flush", flush)
    with pytest.raises(CannotWrite, match=r"is full\. 700 KB is safe") as caught:
        run(job, policy)
    assert caught.value.title == "The disk is full"
    assert job.part.stat().st_size == 700_000
    capacity[0] = 10**9
    run(job, policy)
    assert_arrived(job)
    assert hub.asked(NAME)[1].headers["range"].startswith("bytes=700000-")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux")
def test_the_systems_own_full_disk_is_said(job, policy):
    job.part.parent.mkdir(parents=True)
    job.part.symlink_to("/dev/full")
    with pytest.raises(CannotWrite, match="is full"):
        run(job, policy)


def test_lost_permission_is_said_and_nothing_is_lost(hub, job, policy, monkeypatch):
    hub.fail(NAME, faults.cut(0.5), *[faults.status(500)] * 3)
    with pytest.raises(NetworkError):
        run(job, policy)
    kept = job.part.stat().st_size
    real_open = type(job.part).open

    def denied(path, mode="r", *args, **kwargs):
        if path == job.part and mode != "rb":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return real_open(path, mode, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(type(job.part), "open", denied)
        with pytest.raises(CannotWrite, match=r"Permission denied\. 793 KB is safe"):
            run(job, policy)
    assert job.part.stat().st_size == kept
    run(job, policy)
    assert_arrived(job)


# Ended in the middle


def test_a_cancelled_task_keeps_what_arrived(hub, job, policy):
    hub.slow = 0.001

    async def go():
        async with make_client() as client:
            task = asyncio.create_task(fetch(client, job, None, policy))
            while job.arrived < 500_000:
                await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(go())
    kept = job.part.stat().st_size
    assert kept >= 500_000
    hub.slow = 0.0
    run(job, policy)
    assert_arrived(job)
    assert hub.asked(NAME)[1].headers["range"].startswith(f"bytes={kept}-")


def test_kill_9_keeps_what_arrived(hub, job, policy):
    hub.slow = 0.0005
    code = textwrap.dedent(f"""
        import asyncio
        from pathlib import Path
        from engine.weights.transfer.disk import FileJob, Segment
        from engine.weights.transfer.requests import make_client
        from engine.weights.transfer.file_transfer import RetryPolicy, fetch
        job = FileJob({NAME!r}, {job.url!r}, {len(CONTENT)}, Path({str(job.target)!r}),
                      (Segment(0, {len(CONTENT)}),), sha256={job.sha256!r})
        async def go():
            async with make_client() as client:
                await fetch(client, job, None, RetryPolicy())
        asyncio.run(go())
    """)
    child = subprocess.Popen([sys.executable, "-c", code], cwd=Path.cwd())
    try:
        deadline = time.monotonic() + 60
        while job.arrived < 300_000:
            assert time.monotonic() < deadline and child.poll() is None
            time.sleep(0.005)
    finally:
        child.send_signal(signal.SIGKILL if os.name != "nt" else signal.SIGTERM)
        child.wait(10)
    kept = job.part.stat().st_size
    assert kept >= 300_000
    assert job.part.read_bytes() == CONTENT[:kept]
    assert not job.target.exists()
    hub.slow = 0.0
    run(job, policy)
    assert_arrived(job)
    assert hub.asked(NAME)[1].headers["range"].startswith(f"bytes={kept}-")


# Stretches of a file


def test_stretches_go_on_in_the_right_place(hub, job, policy, tmp_path):
    segments = (Segment(100, 400_000), Segment(700_000, 1), Segment(800_000, 600_000))
    wanted = b"HEAD" + b"".join(CONTENT[s.start : s.start + s.length] for s in segments)
    part = FileJob(NAME, job.url, len(CONTENT), tmp_path / "some.bin", segments, b"HEAD")
    hub.fail(NAME, faults.cut(0.05), faults.hang_up, faults.cut(0.1))
    found = run(part, policy)
    assert part.target.read_bytes() == wanted
    assert found == hashlib.sha256(wanted).hexdigest()
    assert hub.sent(NAME) == len(wanted) - 4


def test_stretches_come_out_of_a_whole_file_too(hub, job, policy, tmp_path):
    hub.ranges = False
    segments = (Segment(1000, 5000), Segment(70_000, 100))
    part = FileJob(NAME, job.url, len(CONTENT), tmp_path / "some.bin", segments, b"HEAD")
    run(part, policy)
    assert part.target.read_bytes() == b"HEAD" + CONTENT[1000:6000] + CONTENT[70_000:70_100]


def test_pauses_grow_up_to_a_limit():
    policy = RetryPolicy(first_pause=1, longest_pause=30)
    assert 0.8 <= policy.pause(1, None) <= 1.2
    assert 3.2 <= policy.pause(3, None) <= 4.8
    assert policy.pause(30, None) <= 36
    assert policy.pause(1, 50.0) == 50


def test_bytes_in_words():
    assert [readable(n) for n in (12, 4_200, 346_345_912, 6_100_000_000)] == ["12 bytes", "4 KB", "346 MB", "6.1 GB"]
