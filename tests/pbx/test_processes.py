"""Only a process that the harness started is ever ended, and it is found again by who comes later."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pbx.processes import Program
from tests.pbx.settings import CannotSetUpError

SLEEP = [sys.executable, "-c", "import time; print('begun', flush=True); time.sleep(60)"]
STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
open({ready!r}, "w").close()
time.sleep(60)
"""
HALF_ENDED = """
import ctypes, threading, time
threading.Thread(target=time.sleep, args=(60,)).start()
open({ready!r}, "w").close()
ctypes.CDLL(None).pthread_exit(None)
"""
"""Ends its first thread only: the process looks ended, and holds its files and ports."""


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    made = Program("sleeper", run=tmp_path / "run", log=tmp_path / "log")
    yield made
    made.stop()


def start(program: Program, command: list[str] = SLEEP) -> int:
    return program.start(command, env=dict(os.environ), fingerprint="print").pid


def test_a_later_run_finds_what_an_earlier_one_started(program: Program) -> None:
    pid = start(program)
    later = Program("sleeper", run=program.pid_file.parent, log=program.log_file.parent)
    found = later.running()
    assert found is not None
    assert (found.pid, found.fingerprint) == (pid, "print")
    assert program.pid_file.read_text() == f"{pid}\n"


def test_it_is_started_again_from_what_it_was_started_from(program: Program) -> None:
    start(program)
    program.kill()
    assert program.start(SLEEP, env=dict(os.environ)).fingerprint == "print"


def test_stop_ends_it_and_forgets_it(program: Program) -> None:
    start(program)
    assert program.stop()
    assert program.running() is None
    assert not program.pid_file.exists()
    assert not program.stop()


def test_a_process_of_which_a_thread_is_left_still_runs(program: Program, tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    pid = start(program, [sys.executable, "-c", HALF_ENDED.format(ready=str(ready))])
    give_up_at = time.monotonic() + 5.0
    while ") Z " not in Path(f"/proc/{pid}/stat").read_text():
        assert time.monotonic() < give_up_at
        time.sleep(0.01)
    assert program.running() is not None


def test_a_process_with_the_same_id_but_another_start_is_not_ours(program: Program) -> None:
    with subprocess.Popen(SLEEP, stdout=subprocess.DEVNULL) as stranger:
        start(program)
        note = json.loads(program.record.read_text())
        program.kill()
        program.record.write_text(json.dumps({**note, "pid": stranger.pid, "started_ticks": 1}))
        assert not program.stop()
        assert stranger.poll() is None
        stranger.kill()


def test_a_record_of_another_boot_is_not_ours(program: Program) -> None:
    pid = start(program)
    note = json.loads(program.record.read_text())
    program.record.write_text(json.dumps({**note, "boot": "another"}))
    assert program.running() is None
    program.record.write_text(json.dumps(note))
    assert program.running() is not None
    assert note["pid"] == pid


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"pid": "x"}', '{"pid": null}'])
def test_a_damaged_record_names_nobody(program: Program, text: str) -> None:
    program.record.parent.mkdir(parents=True)
    program.record.write_text(text)
    assert program.running() is None


def test_two_of_the_same_are_refused(program: Program) -> None:
    start(program)
    with pytest.raises(CannotSetUpError, match="runs already"):
        start(program)


def test_one_that_does_not_heed_sigterm_is_killed(program: Program, tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    start(program, [sys.executable, "-c", STUBBORN.format(ready=str(ready))])
    while not ready.exists():
        assert program.running() is not None
    program.stop(within_s=0.2)
    assert program.running() is None
