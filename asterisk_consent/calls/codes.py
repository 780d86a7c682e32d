"""Takes in what somebody dialled during the call to end its recording (GDPR art. 7(3), 21(1)).

Rule: such a code withdraws, whoever of the two dialled it, and nobody is asked why. The dialplan stops the recording by
itself and leaves a file beside it; that file is removed only once the withdrawal is entered, so none is lost, whether
the service is away, killed, or cannot write now. Everything here blocks, and may be called from several threads.
"""

import threading
from collections.abc import Iterator
from pathlib import Path

import structlog

from asterisk_consent.errors import AudioError, ConsentError
from asterisk_consent.ledger.read import find_call, find_recording
from asterisk_consent.ledger.standing import standing_of
from asterisk_consent.model import RecordingId, Right
from asterisk_consent.rights.requests import Asking, Requests, Way
from asterisk_consent.vault.names import CODES, code_in_spool, code_path

log = structlog.get_logger(__name__)

DIALLED_BY = {
    "withdraw": "who called, by a code during the call",
    "stop": "who answered, by a code during the call",
}
"""Who asked, by the code."""


class DialledCodes:
    """What lies in the spool of codes that were dialled.

    :param requests: takes the withdrawals.
    """

    def __init__(self, requests: Requests, spool: Path) -> None:
        self._requests = requests
        self._spool = spool
        self._taking = threading.Lock()

    def drops(self, recording_id: RecordingId, call_id: str) -> bool:
        """Tell whether the audio of a recording is to go instead of being kept; a code just dialled counts.

        :raises ConsentError: that cannot be told now.
        """
        self.take(recording_id)
        return self._requests.drops(call_id)

    def take_all(self) -> None:
        """Take in every code in the spool; one that cannot be taken in now is logged, and keeps no other back."""
        for recording_id in sorted(set(self._waiting())):
            try:
                self.take(recording_id)
            except ConsentError as error:
                log.error("codes.not_taken_in", recording_id=recording_id, error=str(error))

    def take(self, recording_id: RecordingId) -> None:
        """Enter the withdrawal of a recording if a code was dialled for it, once, and remove the code's file.

        :raises LedgerError: it cannot be entered now.
        :raises AudioError: the file cannot be looked at or removed.
        """
        with self._taking:
            for code in CODES:
                path = code_path(recording_id, code, self._spool)
                try:
                    if path.exists():
                        self._enter(recording_id, code)
                        path.unlink(missing_ok=True)
                except OSError as error:
                    raise AudioError(
                        f"a code that was dialled cannot be taken in: {error.strerror}",
                        where=str(path),
                        remedy="The service's user must be able to write in the spool",
                    ) from error

    def _enter(self, recording_id: RecordingId, code: str) -> None:
        """Enter the withdrawal, unless it is entered, or its call is erased already."""
        ledger = self._requests.held.ledger
        row = find_recording(ledger, recording_id)
        call = find_call(ledger, row.call_id) if row is not None else None
        if call is None:
            log.warning("codes.of_no_recording", recording_id=recording_id)
            return
        asked = standing_of(ledger, call.call_id).requests
        if any(request.way == Way.CODE and not request.lifted_seq for request in asked):
            return
        asking = Asking(
            right=Right.WITHDRAWAL,
            asked_by=DIALLED_BY[code],
            identified_by="on the recorded call itself",
            person="the dialplan",
            way=Way.CODE,
        )
        self._requests.enter(asking, call.call_id)
        log.info("codes.withdrawn", recording_id=recording_id, code=code)

    def _waiting(self) -> Iterator[RecordingId]:
        try:
            for path in self._spool.iterdir():
                found = code_in_spool(path)
                if found is not None:
                    yield found
        except OSError as error:
            log.error("codes.not_looked_for", error=error.strerror)
