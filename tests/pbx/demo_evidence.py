"""What is found after the calls of the demo: entries, files and when they appeared, audio, traces of numbers.

Rule: read as somebody else would, from the files and with the commands; nothing is asked of the service.
"""

import os
import subprocess
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from asterisk_consent.ledger import Decision, Kind
from asterisk_consent.ledger.read import CallRow, list_calls
from asterisk_consent.vault.wav import open_wav
from tests.pbx.demo_callers import Caller, Role
from tests.pbx.demo_repertoire import Repertoire
from tests.pbx.demo_watch import Watch
from tests.pbx.demo_withdrawal import WITHDRAWS, Withdrawal, withdraw
from tests.pbx.development import DevelopmentPbx
from tests.pbx.scenarios.evidence import Entry, files_holding, read_entries
from tests.pbx.scenarios.policy_round import OFF_CALLS
from tests.pbx.settings import PROJECT, CannotSetUpError


@dataclass(frozen=True, slots=True, kw_only=True)
class Audio:
    """What was handed out: the two sides of a conversation."""

    caller: NDArray[Any]
    agent: NDArray[Any]
    rate: int

    @property
    def duration_s(self) -> float:
        """Its length."""
        return len(self.caller) / self.rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What was found after the calls.

    :param rows: what the ledger shows of the demo's calls.
    :param decisions: what is sealed of them, opened with the identities of their controllers, by call id.
    :param announcements: the digest in the entry of each call, by call id.
    :param kinds: how many entries of each kind were made meanwhile.
    :param first_seen_at: names of files seen in the spool or new in the vault, and the monotonic moment they
        were first seen.
    :param audio: what was handed out, by recording id.
    :param heard_in: the languages whose information a caller heard, by the caller's name.
    :param traces: names of callers whose number or name lies readable in a file of the service or in the spool.
    :param withdrawal: what came of it when one of them withdrew afterwards; ``None`` where the call was not found.
    :param off_calls: how many calls the PBX counted, without telling whose, as none of ours.
    """

    rows: Sequence[CallRow]
    decisions: Mapping[str, Decision]
    announcements: Mapping[str, str]
    kinds: Mapping[Kind, int]
    first_seen_at: Mapping[str, float]
    left_in_spool: Sequence[str]
    audio: Mapping[str, Audio]
    heard_in: Mapping[str, tuple[str, ...]]
    traces: frozenset[str]
    withdrawal: Withdrawal | None
    off_calls: int
    verify_status: int
    verify_text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """Where things stood before the calls."""

    last_seq: int
    off_calls: int

    @classmethod
    def of(cls, pbx: DevelopmentPbx) -> Self:
        """Look at it now."""
        entries = read_entries(pbx.settings).all
        return cls(
            last_seq=entries[-1].header.seq if entries else 0, off_calls=pbx.asterisk.global_number(OFF_CALLS)
        )


def collect(
    pbx: DevelopmentPbx,
    callers: Sequence[Caller],
    repertoire: Repertoire,
    before: Before,
    watch: Watch,
) -> tuple[Evidence, list[Path]]:
    """Look at everything after the calls; return it, and the recordings as files to listen to.

    :raises CannotSetUpError: a recording cannot be handed out.
    """
    entries = [entry for entry in read_entries(pbx.settings).all if entry.header.seq > before.last_seq]
    rows = [row for row in list_calls(pbx.settings.data / "ledger.sqlite") if row.seq > before.last_seq]
    files = _hand_out(pbx, rows)
    decisions = {
        entry.header.call_id: entry.payload for entry in entries if isinstance(entry.payload, Decision)
    }
    withdrawal = _withdraw(pbx, rows, decisions, callers)
    verified = _run(pbx, "ledger", "verify")
    evidence = Evidence(
        rows=rows,
        decisions=decisions,
        announcements=_announcements(entries),
        kinds=Counter(entry.header.kind for entry in entries),
        first_seen_at=watch.first_seen_at,
        left_in_spool=watch.left_in_spool(),
        audio={name: _audio(PROJECT / file) for name, file in files.items()},
        heard_in={
            caller.name: repertoire.heard_in(caller.role.policy, caller.told) if caller.told else ()
            for caller in callers
        },
        traces=_traces(pbx, [caller.role for caller in callers]),
        withdrawal=withdrawal,
        off_calls=pbx.asterisk.global_number(OFF_CALLS) - before.off_calls,
        verify_status=verified.returncode,
        verify_text=(verified.stdout + verified.stderr).partition("\n")[0].strip(),
    )
    return evidence, list(files.values())


def _withdraw(
    pbx: DevelopmentPbx,
    rows: Sequence[CallRow],
    decisions: Mapping[str, Decision],
    callers: Sequence[Caller],
) -> Withdrawal | None:
    number = next(caller.role.caller_id for caller in callers if caller.name == WITHDRAWS)
    recorded = [row for row in rows if row.recording is not None and row.recording.sha256]
    theirs = [row for row in recorded if row.call_id in decisions and decisions[row.call_id].caller == number]
    if not theirs:
        return None
    others = [row for row in recorded if row is not theirs[0]]
    return withdraw(partial(_run, pbx), pbx.settings, theirs[0], others)


def _announcements(entries: Iterable[Entry]) -> dict[str, str]:
    """The digest of what was announced, by call id, of every decision."""
    headers = (entry.header for entry in entries)
    return {header.call_id: header.announcement for header in headers if header.kind.startswith("decision.")}


def _traces(pbx: DevelopmentPbx, roles: Iterable[Role]) -> frozenset[str]:
    places = [pbx.settings.data, pbx.settings.log / "service.log", pbx.settings.spool]
    return frozenset(
        role.name
        for role in roles
        if any(
            files_holding(each.encode(), places) for each in (role.caller_id[3:], f"{role.name} Voorbeeld")
        )
    )


def _hand_out(pbx: DevelopmentPbx, rows: list[CallRow]) -> dict[str, Path]:
    """Export the recordings as a person would, with a reason and a recipient; return the files by recording."""
    home = pbx.settings.home
    directory = (home.relative_to(PROJECT) if home.is_relative_to(PROJECT) else home) / "demo"
    (PROJECT / directory).mkdir(exist_ok=True)
    files: dict[str, Path] = {}
    for row in rows:
        if row.recording is None or not row.recording.sha256:
            continue
        recording_id = row.recording.recording_id
        files[recording_id] = file = directory / f"{row.policy}-{recording_id[:8]}.wav"
        arguments = ["recordings", "export", recording_id, "--reason", "to hear what the demo recorded"]
        arguments += ["--to", "whoever ran the demo", "-o", str(file)]
        done = _run(pbx, *arguments)
        if done.returncode:
            raise CannotSetUpError(f"recordings export ended with {done.returncode}: {done.stderr.strip()}")
    for path in (PROJECT / directory, *(PROJECT / file for file in files.values())):
        os.chown(path, pbx.settings.developer_uid, -1)
    return files


def _run(pbx: DevelopmentPbx, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the real command line, as the person who runs the demo."""
    command = [str(pbx.settings.program), "--config", str(pbx.settings.config_file), *arguments]
    return subprocess.run(
        command, cwd=PROJECT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )


def _audio(file: Path) -> Audio:
    wave = open_wav(file, channels=2)
    both = np.concatenate([np.zeros((0, 2), dtype=np.int16), *wave.blocks(wave.rate)])
    return Audio(caller=both[:, 0], agent=both[:, 1], rate=wave.rate)
