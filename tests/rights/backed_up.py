"""Backups of a ledger and of its keys, kept outside of the place that they are of, and their restoring."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from asterisk_consent.ledger import Kind, find_call
from asterisk_consent.ledger.backup import back_up
from asterisk_consent.ledger.checkpoint import Checkpoint, SigningKey
from asterisk_consent.ledger.checkpoints import take_checkpoint
from asterisk_consent.ledger.file import LedgerFile
from asterisk_consent.ledger.history import checkpoint_keys, ledger_id
from asterisk_consent.ledger.payload import read_payload
from asterisk_consent.model import Right
from asterisk_consent.rights.access import Places, open_entries
from asterisk_consent.rights.access import Wanted as Opening
from asterisk_consent.rights.restoring import RestoreReport, Wanted, restore
from asterisk_consent.vault.age import Identity
from asterisk_consent.vault.key_backup import VERSION, KeyBackup, back_up_keys
from tests.ledger.signing import signing_key
from tests.rights.kept_calls import NAME, NUMBER, KeptCalls, withdrawal
from tests.vault.keyring import Keyring

LIFE_S = 30 * 86_400


@dataclass(frozen=True, slots=True)
class BackedUp:
    """Where the backups are."""

    ledger: Path
    keys: Path


def back_up_all(kept: KeptCalls, elsewhere: Path) -> BackedUp:
    """Back up ledger and keys as they are now."""
    elsewhere.mkdir(exist_ok=True)
    name_signing_key(kept)
    found = BackedUp(elsewhere / "ledger.backup", elsewhere / "keys.backup")
    back_up(kept.held.ledger, found.ledger)
    back_up_keys_of(kept, found.keys)
    return found


def name_signing_key(kept: KeptCalls) -> None:
    """Let the chain name the key that signs, as the service does when it starts."""
    if signing_key(1).public not in checkpoint_keys(kept.held.ledger):
        take_checkpoint(kept.held.ledger, signing_key(1), clock=kept.clock)


def back_up_keys_of(
    kept: KeptCalls, output: Path, *, of_ledger: str = "", signer: SigningKey | None = None
) -> None:
    """Back up the keys as they are now."""
    now = int(kept.clock.now)
    head = KeyBackup(
        version=VERSION,
        ledger_id=of_ledger or ledger_id(kept.held.ledger),
        made_at=now,
        ends_at=now + LIFE_S,
    )
    with output.open("xb") as file:
        back_up_keys(kept.held.keys, file, head, signer or signing_key(1))


def restored(
    kept: KeptCalls,
    backup: Path,
    *,
    keys: Path | None = None,
    erasures: tuple[Path, ...] = (),
    checkpoints: tuple[Checkpoint, ...] = (),
    even_so: str = "",
) -> RestoreReport:
    """Restore a backup."""
    wanted = Wanted(
        backup=backup,
        person="root",
        key_backup=keys,
        erasures=erasures,
        checkpoints=checkpoints,
        even_so=even_so,
    )
    return restore(wanted, kept.held)


def erase(kept: KeptCalls, call_id: str, right: Right = Right.ERASURE) -> None:
    """Carry out what somebody asks for."""
    answer = kept.requests.carry_out(kept.requests.enter(withdrawal(right=right), call_id))
    assert answer is not None
    assert answer.settled


def identities(kept: KeptCalls) -> tuple[Identity, ...]:
    """What opens everything of the controller."""
    return (Keyring(kept.held.keys).here,)


def opens(kept: KeptCalls, call_id: str) -> bool:
    """Tell whether the controller can read what was entered about a call."""
    shown = Opening(call_id=call_id, kind=Kind.PROOF_OPENED, person="m", reason="r")
    places = Places(ledger=kept.held.ledger, keys=kept.held.keys)
    entries, _ = open_entries(shown, places=places, identities=identities(kept))
    return any(NAME in entry.text.decode() for entry in entries)


def secrets_of(kept: KeptCalls, call_id: str) -> list[bytes]:
    """Everything of a call that must be in no file once it is erased: who it was, salts, wrapped keys, receipt."""
    places = Places(ledger=kept.held.ledger, keys=kept.held.keys)
    shown = Opening(call_id=call_id, kind=Kind.PROOF_OPENED, person="m", reason="r")
    entries, _ = open_entries(shown, places=places, identities=identities(kept))
    salts = [entry.salt for entry in entries if entry.salt]
    with closing(sqlite3.connect(kept.held.keys / "proof.sqlite")) as connection:
        wrapped = connection.execute("SELECT wrapped FROM key WHERE call_id = ?", (call_id,)).fetchall()
    audio = (kept.held.keys / call_id[:2] / f"{call_id}.audio.age").read_bytes()
    call = find_call(kept.held.ledger, call_id)
    assert call is not None
    who = (NUMBER.encode(), NUMBER[3:].encode(), NAME.encode(), call.subject.encode(), call.receipt.encode())
    # The end of what age wrote is its own for each key.
    return [*who, *salts, *(each[0][-60:] for each in wrapped), audio[-60:]]


def entered(ledger: Path) -> list[object]:
    """What the entries of the kind say."""
    with closing(sqlite3.connect(ledger)) as connection:
        query = (
            "SELECT p.body FROM chain c JOIN payload p USING (seq) WHERE instr(c.header, 'ledger.restored')"
        )
        return [read_payload(body) for (body,) in connection.execute(query)]


def other_ledger(directory: Path) -> Path:
    """A ledger that has just begun."""
    path = directory / "other.sqlite"
    LedgerFile(path).create(at=0, randomness=lambda count: b"o" * count)
    return path
