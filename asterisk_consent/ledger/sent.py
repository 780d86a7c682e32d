"""What is known of what got to each witness: a copy of the last checkpoint, and how far the journal of erasures did.

Rule: it proves nothing, it only tells who looks after the machine whether checkpoints still leave it. One file a
witness, named after the digest of its name, so that a new place begins without a past.
"""

import re
from hashlib import sha256
from pathlib import Path

from asterisk_consent.durable import write_durably
from asterisk_consent.errors import LedgerUnavailableError
from asterisk_consent.ledger.checkpoint import Checkpoint, checkpoint_text, read_checkpoint

_MODE = 0o640
_UNTIL = re.compile(rb"([0-9a-f]{32}) ([0-9]{1,15})\n")


def sent_path(ledger: Path, witness: str) -> Path:
    """Name the file that tells what got to a witness."""
    return ledger.with_name(f"{ledger.name}.sent-{sha256(witness.encode()).hexdigest()[:16]}")


def note_sent(ledger: Path, witness: str, checkpoint: Checkpoint) -> None:
    """Keep that a witness took a checkpoint.

    :raises LedgerUnavailableError: it cannot be written; what was known before stays.
    """
    path = sent_path(ledger, witness)
    try:
        write_durably(path, checkpoint_text(checkpoint).encode(), mode=_MODE)
    except OSError as error:
        raise LedgerUnavailableError(
            f"what was sent cannot be noted ({error.strerror})",
            where=str(path),
            remedy="The checkpoint arrived; only doctor does not know",
        ) from error


def last_sent(ledger: Path, witness: str) -> Checkpoint | None:
    """Return the last checkpoint that got to a witness, ``None`` where none is known of.

    :raises LedgerUnavailableError: the file cannot be read.
    :raises LedgerBrokenError: it holds something else.
    """
    path = sent_path(ledger, witness)
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise LedgerUnavailableError(
            f"what was sent cannot be read ({error.strerror})",
            where=str(path),
            remedy="Run it as root or as the user of the service",
        ) from error
    return read_checkpoint(content)


def note_sent_until(ledger: Path, witness: str, journal: str, end: int) -> None:
    """Keep that a witness got this journal of erasures up to a byte.

    :raises LedgerUnavailableError: it cannot be written; the witness gets the same again.
    """
    path = _sent_until_path(ledger, witness)
    try:
        write_durably(path, f"{journal} {end}\n".encode(), mode=_MODE)
    except OSError as error:
        raise LedgerUnavailableError(
            f"what was sent cannot be noted ({error.strerror})", where=str(path), remedy="Free space"
        ) from error


def sent_until(ledger: Path, witness: str, journal: str) -> int:
    """Return up to which byte a witness got this journal of erasures; 0 where nothing is known of it."""
    try:
        content = _sent_until_path(ledger, witness).read_bytes()
    except OSError:
        return 0
    known = _UNTIL.fullmatch(content)
    return int(known[2]) if known is not None and known[1].decode() == journal else 0


def _sent_until_path(ledger: Path, witness: str) -> Path:
    return sent_path(ledger, witness).with_suffix(".journal")
