"""Whether a backup of the keys may be brought back: its life is not over, and somebody vouches for its end.

Rule: it was signed, with its stated end, by the key that the ledger's checkpoints are signed with, and the ledger or a
checkpoint kept elsewhere names that key. One whose life is over, or that is not what was signed, is never brought back
(GDPR art. 17(1): what was erased may be opened with it). Without the key of a blind index nobody who objected would be
recognised: the next call would make another key, and they would be recorded.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from asterisk_consent.errors import KeysError, LedgerError
from asterisk_consent.ledger.checkpoint import Checkpoint, signature_holds, signed_bytes
from asterisk_consent.ledger.history import checkpoint_keys, ledger_id
from asterisk_consent.vault.key_backup import holds_member, require_whole
from asterisk_consent.vault.proof_keys import blind_path


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What can name the key that signed: a backup of the ledger, the ledger in its place, checkpoints."""

    backup: Path
    in_place: Path
    checkpoints: Sequence[Checkpoint] = ()


def doubt_about(path: Path, known: Known, *, now: float) -> str:
    """Return why nobody vouches for a backup of the keys; empty where somebody does.

    :param now: UTC seconds.
    :raises KeysError: it is not whole, not what was signed, of another ledger, or its life is over.
    :raises LedgerError: the backup of the ledger cannot be read.
    """
    found = require_whole(path)
    if not signature_holds(found.key, found.signed, found.signature):
        raise KeysError(
            "the backup of the keys is not what was signed when it was made: the end of its life may be another",
            where=str(path),
            remedy="Take another copy",
        )
    own = ledger_id(known.backup)
    if found.head.ledger_id != own:
        raise KeysError("the backup of the keys is of another ledger", where=str(path))
    if found.head.ends_at <= now:
        raise KeysError(
            "the life of this backup of the keys is over: what it would open may have been erased since",
            where=str(path),
            remedy="Destroy it ('ledger backup --prune DIRECTORY'), and restore without it",
        )
    if found.key in _named(known, own):
        return ""
    return f"{path}: neither ledger nor checkpoint names the key that signed the end of its life"


def doubts_about_objections(
    controllers: Iterable[str], *, keys: Path, key_backup: Path | None
) -> Iterator[str]:
    """Say to which controllers nobody's objection would be recognised after a restore.

    :param controllers: those that somebody objects to.
    :raises KeysError: the backup of the keys cannot be read.
    """
    for controller in sorted(set(controllers)):
        path = blind_path(controller, keys)
        comes_back = key_backup is not None and holds_member(key_backup, str(path.relative_to(keys)))
        if not path.exists() and not comes_back:
            yield (
                f"{path} is lost: nobody who objected to '{controller}' would be recognised, and all of them recorded;"
                " a backup of the keys brings it back"
            )


def _named(known: Known, own: str) -> frozenset[str]:
    """Return the keys that checkpoints of this ledger are signed with."""
    given = {each.key for each in known.checkpoints if each.ledger_id == own and _is_signed(each)}
    found = checkpoint_keys(known.backup) | given
    with suppress(LedgerError):
        if known.in_place.exists() and ledger_id(known.in_place) == own:
            found |= checkpoint_keys(known.in_place)
    return found


def _is_signed(checkpoint: Checkpoint) -> bool:
    return signature_holds(checkpoint.key, signed_bytes(checkpoint), checkpoint.signature)
