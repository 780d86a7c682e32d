"""Takes a checkpoint whenever there is news, and brings the newest one to each witness, in threads of their own.

Rule: neither the event loop, nor a call, nor the end of the service waits for any of it longer than it says: the
threads die with the process. Only the newest checkpoint is brought, since it covers all before it. What fails is
logged once until it works again, and tried again.
"""

import os
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import structlog

from asterisk_consent.errors import ConsentError, LedgerError, WitnessUnavailableError
from asterisk_consent.ledger.checkpoint import Checkpoint, SigningKey
from asterisk_consent.ledger.checkpoints import covered, take_checkpoint
from asterisk_consent.ledger.keyfile import has_key, load_key, make_key
from asterisk_consent.ledger.sent import note_sent
from asterisk_consent.ledger.witness import Witness

log = structlog.get_logger(__name__)

EVERY_S = 60.0
"""Time between two checkpoints; also how long to wait before something that failed is tried again."""
END_WITHIN_S = 5.0


class _Told:
    """Whether a failure was told already; says so again only after it has worked in between."""

    def __init__(self, failed: str, works: str) -> None:
        self._failed, self._works = failed, works
        self._silent = False

    def failure(self, error: ConsentError) -> None:
        if not self._silent:
            log.error(self._failed, error=str(error))
        self._silent = True

    def success(self, where: str) -> None:
        if self._silent:
            log.info(self._works, where=where)
        self._silent = False


class Courier:
    """Brings checkpoints to one witness.

    :param ledger: whose checkpoints they are; beside it is noted what arrived. ``None`` notes nothing.
    """

    def __init__(
        self,
        witness: Witness,
        *,
        ledger: Path | None = None,
        retry_s: float = EVERY_S,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._witness = witness
        self._ledger = ledger
        self._retry_s = retry_s
        self._monotonic = monotonic
        self._changed = threading.Condition()
        self._newest: Checkpoint | None = None
        self._ending = False
        self._told = _Told("checkpoint.not_sent", "checkpoint.sent_again")
        self._told_note = _Told("checkpoint.not_noted", "checkpoint.noted_again")
        self._thread = threading.Thread(target=self._run, name=f"courier-{witness.name}", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def bring(self, checkpoint: Checkpoint) -> None:
        """Hand over the newest checkpoint; one that still waits is forgotten."""
        with self._changed:
            self._newest = checkpoint
            self._changed.notify()

    def end(self) -> None:
        """Bring what is waiting, at once, and end; returns before that."""
        with self._changed:
            self._ending = True
            self._changed.notify()

    def join(self, timeout_s: float) -> None:
        """Wait for the end, not longer than that."""
        self._thread.join(timeout_s)

    def _run(self) -> None:
        due_at = self._monotonic()
        while True:
            with self._changed:
                while not self._ending and (self._newest is None or self._monotonic() < due_at):
                    self._changed.wait(None if self._newest is None else max(0.0, due_at - self._monotonic()))
                checkpoint, self._newest, last = self._newest, None, self._ending
            if checkpoint is not None:
                brought = self._take(checkpoint)
                due_at = self._monotonic() + (self._witness.every_s if brought else self._retry_s)
                with self._changed:
                    if not brought and self._newest is None:
                        self._newest = checkpoint
            if last:
                return

    def _take(self, checkpoint: Checkpoint) -> bool:
        try:
            self._witness.take(checkpoint)
        except WitnessUnavailableError as error:
            self._told.failure(error)
            return False
        self._told.success(self._witness.name)
        self._note(checkpoint)
        return True

    def _note(self, checkpoint: Checkpoint) -> None:
        if self._ledger is None:
            return
        try:
            note_sent(self._ledger, self._witness.name, checkpoint)
        except LedgerError as error:
            self._told_note.failure(error)
        else:
            self._told_note.success(self._witness.name)


class Checkpoints:
    """Takes the ledger's checkpoints while the service runs.

    :param ledger: path of the ledger, which must be there.
    :param key: path of the signing key, made where there is none.
    """

    def __init__(
        self,
        ledger: Path,
        *,
        key: Path,
        witnesses: Sequence[Witness],
        every_s: float = EVERY_S,
        clock: Callable[[], float] = time.time,
        randomness: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self._ledger = ledger
        self._key_path = key
        self._couriers = [Courier(witness, ledger=ledger, retry_s=every_s) for witness in witnesses]
        self._every_s = every_s
        self._clock = clock
        self._randomness = randomness
        self._ending = threading.Event()
        self._told = _Told("checkpoint.not_taken", "checkpoint.taken_again")
        self._thread = threading.Thread(target=self._run, name="checkpoints", daemon=True)

    def start(self) -> None:
        """Start taking checkpoints, the first one at once."""
        if not self._couriers:
            log.warning("checkpoint.stays_here", remedy="Set [checkpoints] directory, mail_to or syslog")
        for courier in self._couriers:
            courier.start()
        self._thread.start()

    def end(self, within_s: float = END_WITHIN_S) -> None:
        """Take the last one, bring it to every witness, and end; blocks, not longer than that."""
        give_up_at = time.monotonic() + within_s
        self._ending.set()
        self._thread.join(within_s)
        for courier in self._couriers:
            courier.join(max(0.0, give_up_at - time.monotonic()))

    def _run(self) -> None:
        while not self._ending.is_set():
            self._take()
            self._ending.wait(self._every_s)
        self._take()
        for courier in self._couriers:
            courier.end()

    def _take(self) -> None:
        try:
            key, before = self._key(), covered(self._ledger)
            if before.key and before.key != key.public:
                log.error("checkpoint.key_changed", before=before.key, now=key.public)
            if before.key != key.public or before.seq < before.head:
                taken = take_checkpoint(self._ledger, key, clock=self._clock, randomness=self._randomness)
                for courier in self._couriers:
                    courier.bring(taken)
        except LedgerError as error:
            self._told.failure(error)
        else:
            self._told.success(str(self._ledger))

    def _key(self) -> SigningKey:
        if not has_key(self._key_path):
            make_key(self._key_path, randomness=self._randomness)
            log.info("checkpoint.key_made", where=str(self._key_path))
        return load_key(self._key_path)
