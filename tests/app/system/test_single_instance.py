"""One window per user: the second start hands its photos over."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from PySide6.QtNetwork import QLocalSocket

from app.system.single_instance import SingleInstance

ROOT = Path(__file__).resolve().parents[3]


def test_the_second_start_hands_its_photos_to_the_first(qtbot, tmp_path):
    first, second = SingleInstance(tmp_path), SingleInstance(tmp_path)
    assert first.claim() and not second.claim()
    # Another process, as it really is: waiting for the answer would hold the lock of this one's interpreter.
    code = (
        "import sys; from pathlib import Path; from PySide6.QtCore import QCoreApplication as A; a = A([]);"
        "from app.system.single_instance import SingleInstance as S; sys.exit(not S(Path(sys.argv[1])).hand_over([Path('a.png')]))"
    )
    with qtbot.waitSignal(first.received, timeout=20_000) as caught:
        start = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT)
    qtbot.waitUntil(lambda: start.poll() is not None, timeout=20_000)
    assert start.returncode == 0
    assert caught.args[0] == [ROOT / "a.png"]
    first.release()
    assert second.claim()
    second.release()


def test_a_first_start_that_is_still_building_its_window_is_waited_for(qtbot, tmp_path):
    first = SingleInstance(tmp_path)
    assert first.claim()
    code = (
        "import sys; from pathlib import Path; from PySide6.QtCore import QCoreApplication as A; a = A([]);"
        "from app.system.single_instance import SingleInstance as S; s = S(Path(sys.argv[1])); print('now', flush=True);"
        "sys.exit(not s.hand_over([Path('a.png')], timeout_ms=300))"
    )
    start = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE)
    with qtbot.waitSignal(first.received, timeout=20_000):
        assert start.stdout is not None
        with start.stdout as output:
            assert output.readline() == b"now\n"
        time.sleep(1)  # no event is served
    qtbot.waitUntil(lambda: start.poll() is not None, timeout=20_000)
    assert start.returncode == 0
    first.release()


def test_instances_of_different_data_folders_do_not_meet(qapp, tmp_path):
    first, other = SingleInstance(tmp_path / "a"), SingleInstance(tmp_path / "b")
    assert first.claim() and other.claim()
    first.release()
    other.release()


def test_nobody_answers_when_there_is_nobody(qapp, tmp_path):
    assert not SingleInstance(tmp_path).hand_over([Path("a.png")], timeout_ms=200)


def test_damaged_messages_are_dropped_and_the_next_one_is_heard(qtbot, tmp_path):
    first = SingleInstance(tmp_path)
    assert first.claim()
    heard = []
    first.received.connect(heard.append)
    for message in (b"[1, 2", b"{}\n", b"not json\n", b"x" * 70_000):
        socket = QLocalSocket()
        socket.connectToServer(first.name)
        assert socket.waitForConnected(1_000)
        socket.write(message)
        socket.flush()
        qtbot.wait(30)
        socket.abort()
    socket = QLocalSocket()
    socket.connectToServer(first.name)
    assert socket.waitForConnected(1_000)
    socket.write(b'["/tmp/b.png"]\n')
    socket.flush()
    qtbot.waitUntil(lambda: heard == [[], [Path("/tmp/b.png")]], timeout=5_000)  # {} names no files
    first.release()
