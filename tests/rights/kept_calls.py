"""Calls that were recorded, sealed and kept for real, under an approved policy; and a clock of the test's own."""

from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import msgspec

from asterisk_consent.config import load_policy
from asterisk_consent.ledger import Decision, Kind, NewEntry, Recording, append_from_outside
from asterisk_consent.ledger.store import Ledger
from asterisk_consent.model import Outcome, RecordingId, Right
from asterisk_consent.rights.erasing import Holdings
from asterisk_consent.rights.requests import Asking, Requests
from asterisk_consent.rights.sweeping import sweep
from asterisk_consent.vault.call_keys import CallKey
from asterisk_consent.vault.identities import add_identity
from asterisk_consent.vault.proof_keys import ProofKeys
from asterisk_consent.vault.store import close_recording, empty_spool
from tests.calls.approved_place import ApprovedPlace
from tests.ledger.entries import decision, hex_id
from tests.vault.keyring import Keyring
from tests.vault.tones import write_call

NUMBER = "+442079460123"
NAME = "Anna Voorbeeld"
BEGAN_AT = datetime(2027, 1, 15, 9, 0, tzinfo=UTC)


@dataclass
class Clock:
    """A clock that stands until it is set; UTC seconds."""

    now: float = BEGAN_AT.timestamp()

    def __call__(self) -> float:
        return self.now


@dataclass
class KeptCalls:
    """A ledger, a vault and keys with calls in them."""

    place: ApprovedPlace
    clock: Clock = field(default_factory=Clock)

    @classmethod
    async def begin(cls, directory: Path, *policies: str) -> Self:
        """Begin with these policies approved."""
        place = await ApprovedPlace(directory).begin()
        for name in policies:
            place.put(name)
            place.approve(name)
        kept = cls(place)
        for name in policies:
            add_identity(
                kept.controller(name), place.config.identities, [Keyring(place.config.keys).here.secret]
            )
        return kept

    @property
    def held(self) -> Holdings:
        """Where everything is."""
        config = self.place.config
        return Holdings(
            ledger=config.ledger_path,
            spool=config.spool,
            vault=config.vault,
            keys=config.keys,
            key_backups_days=30,
            clock=self.clock,
        )

    @property
    def requests(self) -> Requests:
        """What carries out requests."""
        return Requests(held=self.held)

    def controller(self, policy: str) -> str:
        """The controller of a policy."""
        return load_policy(self.place.file_of(policy)).policy.controller.id

    def trust_the_clock(self) -> None:
        """Let somebody vouch for it: what was entered before by the machine's own clock lies years away."""
        sweep(self.held, clock_confirmed_by="somebody")

    def append(self, entry: NewEntry) -> int:
        """Append an entry, sealed for real."""
        config = self.place.config
        with closing(ProofKeys(config.keys)) as sealer:
            return append_from_outside(config.ledger_path, entry, sealer=sealer, clock=self.clock).seq

    def decide(
        self,
        number: int,
        *,
        policy: str = "p1-nl",
        purposes: tuple[str, ...] = ("training",),
        outcome: Outcome = Outcome.GIVEN,
        caller: str = NUMBER,
        receipt: str = "",
        began_at: datetime = BEGAN_AT,
    ) -> str:
        """Enter the decision of a call, its recording allowed where the outcome allows one; return its id."""
        entry = decision(number, outcome, recording=number if outcome.allows_recording else None)
        assert isinstance(entry.payload, Decision)
        payload = msgspec.structs.replace(
            entry.payload,
            started_at=int(began_at.timestamp()),
            purposes=purposes if outcome.allows_recording else (),
            caller=caller if outcome.allows_recording else None,
        )
        if receipt:
            payload = msgspec.structs.replace(payload, receipt=receipt)
        self.append(replace(entry, stream=self.controller(policy), policy=policy, payload=payload))
        return entry.call_id

    def record(self, number: int, *, policy: str = "p1-nl") -> None:
        """Record a call for real: two tones through the spool into the vault, and its end."""
        config, recording = self.place.config, RecordingId(hex_id(number))
        write_call(config.spool, recording=recording)
        key = CallKey(keys=config.keys, call_id=hex_id(number), controller=self.controller(policy))
        closed = close_recording(recording, config.spool, config.vault, key)
        end = Recording(
            recording_id=recording,
            started_at=int(self.clock.now),
            duration_ms=closed.duration_ms,
            sha256=closed.sha256,
            size=closed.size,
        )
        self.append(
            NewEntry(
                stream=self.controller(policy),
                kind=Kind.RECORDING_VERIFIED,
                call_id=hex_id(number),
                payload=end,
            )
        )
        empty_spool(recording, config.spool)

    def recorded(self, number: int, **decided: object) -> str:
        """Decide and record a call."""
        call_id = self.decide(number, **decided)  # type: ignore[arg-type]  # as decide takes them
        self.record(number, policy=str(decided.get("policy", "p1-nl")))
        return call_id

    def files(self) -> list[Path]:
        """Every file there is, the policies and announcements left out."""
        config = self.place.config
        home = config.ledger_path.parent
        ours = {config.policies, config.prompts, config.identities}
        return [path for path in home.rglob("*") if path.is_file() and not ours & set(path.parents)]

    def holds_bytes(self, *needles: bytes) -> list[str]:
        """Name the files in which any of these bytes lies."""
        return [path.name for path in self.files() if any(needle in path.read_bytes() for needle in needles)]

    async def service(self) -> Ledger:
        """Open the ledger as the service does."""
        return await Ledger.open(
            self.place.config.ledger_path, sealer=ProofKeys(self.place.config.keys), clock=self.clock
        )


def withdrawal(*, identified_by: str = "called back", right: Right = Right.WITHDRAWAL) -> Asking:
    """What somebody asks for."""
    return Asking(right=right, asked_by="the caller", identified_by=identified_by, person="m.jansen")
