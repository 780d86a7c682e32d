"""What the product leaves behind, read as somebody else would: entries, files, announcements.

Rule: nothing here asks the service; the ledger is read from its file, what is sealed in it opened with the identities
of its controllers, and the directories as they are.
"""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Self

from asyncinotify import Inotify, Mask

from asterisk_consent.calls.loading import announcement_directory
from asterisk_consent.ledger import Decision, Kind, Recording, RecordingRow, recordings
from asterisk_consent.ledger.connection import reading
from asterisk_consent.ledger.entry import Header, read_header
from asterisk_consent.ledger.index import DecisionIndex, Index
from asterisk_consent.ledger.opening import open_entry
from asterisk_consent.ledger.payload import Payload
from asterisk_consent.policy import parse_policy
from asterisk_consent.prompts.rendered import PromptSet, load_prompt_set
from asterisk_consent.vault.age import Identity, unseal
from asterisk_consent.vault.identities import identity_path, load_identities
from asterisk_consent.vault.proof_keys import call_identities
from tests.pbx.settings import Settings

_END = "end-of-watch"
ENDS = (Kind.RECORDING_VERIFIED, Kind.RECORDING_FAILED, Kind.RECORDING_NOT_STARTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """What a policy says in one language: the sound of each part, and how long the parts are."""

    spoken: PromptSet

    @property
    def information_s(self) -> float:
        """The information."""
        return self.part_s("information")

    @property
    def question_s(self) -> float:
        """The question; 0 where nothing is asked."""
        return self.part_s("question")

    @property
    def whole_s(self) -> float:
        """Both parts."""
        return self.information_s + self.question_s

    def part_s(self, part: str) -> float:
        """How long a part is; 0 where there is none."""
        return self.spoken.parts[part].duration_ms / 1000 if part in self.spoken.parts else 0.0

    def sound(self, part: str) -> Path:
        """The file of a part."""
        return self.spoken.parts[part].path_without_suffix.with_suffix(".wav")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of the ledger; no payload where it was erased."""

    header: Header
    payload: Payload | Index | None


@dataclass(frozen=True, slots=True)
class Entries:
    """The ledger at one moment."""

    all: tuple[Entry, ...]

    def decisions(self, channel: str) -> list[Decision]:
        """Every decision that was entered for a channel."""
        found = (entry.payload for entry in self.all)
        return [payload for payload in found if isinstance(payload, Decision) and payload.channel == channel]

    def header(self, channel: str) -> Header:
        """The header of the one decision of a channel."""
        decision = self.decision(channel)
        return next(entry.header for entry in self.all if entry.payload is decision)

    def decision(self, channel: str) -> Decision:
        """The one decision of a channel."""
        found = self.decisions(channel)
        assert len(found) == 1, f"{len(found)} decisions for one call: {found}"
        return found[0]

    def all_ends(self) -> list[tuple[Kind, Recording]]:
        """Every end of a recording, in order."""
        return [
            (entry.header.kind, entry.payload)
            for entry in self.all
            if entry.header.kind in ENDS and isinstance(entry.payload, Recording)
        ]

    def ends(self, recording_id: str | None) -> list[tuple[Kind, Recording]]:
        """Every end that was entered for a recording."""
        return [end for end in self.all_ends() if end[1].recording_id == recording_id]

    def end(self, recording_id: str | None) -> tuple[Kind, Recording]:
        """The one end of a recording."""
        found = self.ends(recording_id)
        assert len(found) == 1, f"{len(found)} ends of recording {recording_id}: {found}"
        return found[0]

    def kinds(self) -> list[Kind]:
        """What happened, in order."""
        return [entry.header.kind for entry in self.all]


def read_entries(settings: Settings) -> Entries:
    """Read the whole ledger, and open what is sealed in it."""
    with reading(settings.data / "ledger.sqlite") as connection:
        rows = connection.execute(
            "SELECT c.header, p.salt, p.body FROM chain c LEFT JOIN payload p ON p.seq = c.seq ORDER BY c.seq"
        ).fetchall()
    keyring = _Keyring(settings)
    return Entries(tuple(keyring.opened(read_header(header), salt, body) for header, salt, body in rows))


@dataclass(slots=True)
class _Keyring:
    """The keys of each call, opened with the first identity of its controller."""

    settings: Settings
    known: dict[str, tuple[Identity, ...]] = field(default_factory=dict)

    def opened(self, header: Header, salt: bytes | None, body: bytes | None) -> Entry:
        if salt is None or body is None:
            return Entry(header=header, payload=None)
        found = open_entry(header, salt, body, lambda sealed: unseal(sealed, self._keys_of(header)))
        index_only = isinstance(found.payload, DecisionIndex)
        return Entry(header=header, payload=_nothing_sealed(found.payload) if index_only else found.payload)

    def _keys_of(self, header: Header) -> tuple[Identity, ...]:
        if header.call_id not in self.known:
            identities = load_identities(identity_path(header.stream, self.settings.identities))
            self.known[header.call_id] = call_identities(
                header.call_id, keys=self.settings.keys, identities=identities
            )
        return self.known[header.call_id]


def _nothing_sealed(index: Payload | Index | None) -> Decision:
    """The decision of a call under no known controller: nothing of it was kept beside its index."""
    assert isinstance(index, DecisionIndex)
    shown = {name: getattr(index, name) for name in index.__struct_fields__ if name != "subject"}
    return Decision(dialled="", **shown)


def open_recordings(settings: Settings) -> list[RecordingRow]:
    """The recordings that have not reached their end."""
    return [row for row in recordings(settings.data / "ledger.sqlite") if not row.state.is_final]


def wait_for_ends(settings: Settings, *, within_s: float = 60.0) -> None:
    """Wait until every recording has reached its end and the spool is empty.

    :raises AssertionError: that does not happen in time.
    """
    give_up_at = time.monotonic() + within_s
    while open_recordings(settings) or list_files(settings.spool):
        left = [(row.recording_id, row.state) for row in open_recordings(settings)]
        spool = list_files(settings.spool)
        assert time.monotonic() < give_up_at, f"without an end after {within_s:g} s: {left}; spool: {spool}"
        time.sleep(0.2)


def list_files(directory: Path) -> set[str]:
    """The names in a directory."""
    return {path.name for path in directory.iterdir()}


def announcement_of(settings: Settings, policy: str = "p1-nl", language: str = "nl") -> Announcement:
    """The announcement of a policy as it stands in its file now."""
    file = settings.policies / f"{policy}.toml"
    version = parse_policy(file.read_text(), file=file.name)
    directory = Path(announcement_directory(settings.prompts, version))
    return Announcement(spoken=load_prompt_set(directory / language))


def files_holding(needle: bytes, places: Iterable[Path]) -> list[Path]:
    """The files at or below the places whose bytes hold ``needle``."""
    files = [
        file
        for place in places
        for file in ([place] if place.is_file() else place.rglob("*"))
        if file.is_file()
    ]
    return [file for file in files if needle in file.read_bytes()]


@dataclass(slots=True)
class SpoolWatch:
    """Notes every file that appears in the spool, and whether an entry allowed it at that moment."""

    settings: Settings
    allowed: set[str] = field(default_factory=set)
    unallowed: set[str] = field(default_factory=set)

    @contextmanager
    def watching(self) -> Iterator[Self]:
        """Watch while the block runs; a file made in a directory beside tells the watcher to stop."""
        with TemporaryDirectory() as beside, Inotify() as inotify:
            inotify.add_watch(self.settings.spool, Mask.CREATE)
            inotify.add_watch(beside, Mask.CREATE)
            watcher = Thread(target=self._watch, args=(inotify,), name="spool-watch", daemon=True)
            watcher.start()
            try:
                yield self
            finally:
                Path(beside, _END).touch()
                watcher.join(timeout=10)

    def _watch(self, inotify: Inotify) -> None:
        for event in inotify:
            name = str(event.name)
            if name == _END:
                return
            recording_id = name.partition("-")[0]
            known = {row.recording_id for row in recordings(self.settings.data / "ledger.sqlite")}
            (self.allowed if recording_id in known else self.unallowed).add(name)
