"""A ledger, keys, identities and recordings of a few calls, sealed as the service seals them."""

import time
from dataclasses import dataclass
from pathlib import Path

import msgspec

from asterisk_consent.ledger import Kind, Ledger, NewEntry, Recording
from asterisk_consent.ledger.connection import reading
from asterisk_consent.ledger.entry import Header, read_header
from asterisk_consent.ledger.opening import open_call
from asterisk_consent.ledger.payload import Access, Export, Request
from asterisk_consent.model import RecordingId, Right
from asterisk_consent.rights.access import Places, opener_of
from asterisk_consent.vault.call_keys import CallKey
from asterisk_consent.vault.identities import add_identity
from asterisk_consent.vault.proof_keys import ProofKeys, call_identities
from asterisk_consent.vault.store import close_recording, empty_spool
from tests.ledger.entries import CONTROLLER, decision, hex_id
from tests.vault.keyring import Keyring, give_keys
from tests.vault.tones import write_call

RECORDED, RESTRICTED, UNKNOWN = hex_id(1), hex_id(2), hex_id(99)
READS = (Kind.PROOF_OPENED, Kind.RECORDING_OPENED, Kind.RECORDING_EXPORTED)
REASON = "complaint of +442079460123"
"""A reason may name somebody: it is for the ledger alone."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where everything of one installation is."""

    root: Path

    @property
    def ledger(self) -> Path:
        return self.root / "ledger/ledger.sqlite"

    @property
    def keys(self) -> Path:
        return self.root / "keys"

    @property
    def vault(self) -> Path:
        return self.root / "vault"

    @property
    def spool(self) -> Path:
        return self.root / "spool"

    @property
    def identities(self) -> Path:
        return self.root / "identities"

    @property
    def places(self) -> Places:
        return Places(ledger=self.ledger, keys=self.keys)

    def make(self) -> None:
        """Make the directories, and the keys of the controller."""
        for directory in (self.ledger.parent, self.keys, self.vault, self.spool):
            directory.mkdir()
        self.make_keys()

    def make_keys(self) -> None:
        """Make the keys of the controller, as root does with ``init``."""
        give_keys(CONTROLLER, self.keys)
        add_identity(CONTROLLER, self.identities, [Keyring(self.keys).here.secret])

    async def enter(self, *entries: NewEntry) -> None:
        """Append as the service does, and close the ledger."""
        sealer = ProofKeys(self.keys)
        ledger = await Ledger.open(self.ledger, sealer=sealer, min_free_bytes=0)
        for entry in entries:
            await ledger.append(entry)
        await ledger.close()
        sealer.close()

    async def fill(self) -> None:
        """Enter a recorded call, and one that somebody had restricted."""
        await self.enter(*self.calls())

    def calls(self) -> list[NewEntry]:
        """Seal the recording, and return what is entered of the calls."""
        return [decision(1, recording=1), self._ended(), decision(2), _restriction()]

    def headers(self) -> list[Header]:
        """Every header of the ledger."""
        with reading(self.ledger) as connection:
            rows = connection.execute("SELECT header FROM chain ORDER BY seq").fetchall()
        return [read_header(header) for (header,) in rows]

    def reads(self) -> list[Kind]:
        """What was entered of somebody's reading."""
        return [header.kind for header in self.headers() if header.kind in READS]

    def accesses(self, call_id: str = RECORDED) -> list[Access | Export]:
        """Open what was entered of somebody's reading one call."""
        keys = call_identities(call_id, keys=self.keys, identities=(Keyring(self.keys).here,))
        opened = [entry.payload for entry in open_call(self.ledger, call_id, opener_of(keys))]
        return [payload for payload in opened if isinstance(payload, Access | Export)]

    def _ended(self) -> NewEntry:
        recording = RecordingId(RECORDED)
        write_call(self.spool, recording=recording)
        key = CallKey(keys=self.keys, call_id=RECORDED, controller=CONTROLLER)
        closed = close_recording(recording, self.spool, self.vault, key)
        empty_spool(recording, self.spool)
        payload = Recording(
            recording_id=recording,
            started_at=int(time.time()),
            duration_ms=closed.duration_ms,
            sha256=closed.sha256,
            size=closed.size,
        )
        return NewEntry(stream=CONTROLLER, kind=Kind.RECORDING_VERIFIED, call_id=RECORDED, payload=payload)


def _restriction() -> NewEntry:
    payload = Request(
        right=Right.RESTRICTION,
        way="command",
        reference="12345678",
        asked_by="caller",
        identified_by="receipt",
        person="root",
    )
    return NewEntry(stream=CONTROLLER, kind=Kind.REQUEST_ENTERED, call_id=RESTRICTED, payload=payload)


def request_line(**fields: object) -> bytes:
    """A request for the proof of the recorded call, some of its fields otherwise."""
    whole = {"version": 1, "call_id": RECORDED, "kind": "proof.opened", "reason": REASON} | fields
    return msgspec.json.encode(whole) + b"\n"
