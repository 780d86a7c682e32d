"""What was promised to people: whether terms run out by themselves, and whether what somebody asked is carried out."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from asterisk_consent.config import Config
from asterisk_consent.doctor.finding import Finding, counted, error, ok
from asterisk_consent.errors import RequestRefusedError
from asterisk_consent.ledger.standing import list_requests
from asterisk_consent.rights.clock import refuse_jumped_clock
from asterisk_consent.rights.erasing import Holdings

LATE = timedelta(hours=1)
"""A request that could be carried out is so within seconds, or once the service is back."""


def promise_findings(config: Config, *, now: datetime) -> Iterator[Finding]:
    """Look at what keeps terms from running out, and at requests that wait.

    :raises LedgerError: the ledger cannot be read.
    """
    held = Holdings(ledger=config.ledger_path, spool=config.spool, vault=config.vault, keys=config.keys)
    try:
        refuse_jumped_clock(held, now)
    except RequestRefusedError as doubt:
        yield error(f"{doubt.what}: nothing is erased by itself", config.ledger_path, doubt.remedy)
    else:
        yield ok("terms run out by themselves", config.ledger_path)
    late = [
        request
        for request in list_requests(config.ledger_path)
        if not request.settled_seq
        and not request.lifted_seq
        and max(request.entered_at, request.erase_at) < (now - LATE).timestamp()
    ]
    if late:
        yield error(
            f"{counted(len(late), 'request')} of people not carried out",
            config.ledger_path,
            "See 'asterisk-consent requests list --open'; the service's log says what keeps it from it",
        )
    else:
        yield ok("what people asked for is carried out", config.ledger_path)
