"""The evidence: an append-only, hash-chained ledger in one SQLite file, and tables for reading made from it.

Rule: other folders use what is named here; SQL, rows and connections stay inside.
"""

from asterisk_consent.ledger.append import append_from_outside
from asterisk_consent.ledger.chain import Head, Problem
from asterisk_consent.ledger.commit import Committed
from asterisk_consent.ledger.entry import SYSTEM_STREAM, Kind, NewEntry, decision_kind
from asterisk_consent.ledger.payload import (
    Approval,
    Bypass,
    Decision,
    Erased,
    Export,
    Moment,
    Passed,
    Recording,
    Service,
    Side,
    Spoken,
    decision_payload,
)
from asterisk_consent.ledger.read import (
    ApprovalRow,
    CallRow,
    RecordingRow,
    approvals,
    find_call,
    find_recording,
    list_calls,
    recordings,
)
from asterisk_consent.ledger.store import Ledger
from asterisk_consent.ledger.verify import VerifyReport, rebuild, verify

__all__ = [
    "SYSTEM_STREAM",
    "Approval",
    "ApprovalRow",
    "Bypass",
    "CallRow",
    "Committed",
    "Decision",
    "Erased",
    "Export",
    "Head",
    "Kind",
    "Ledger",
    "Moment",
    "NewEntry",
    "Passed",
    "Problem",
    "Recording",
    "RecordingRow",
    "Service",
    "Side",
    "Spoken",
    "VerifyReport",
    "append_from_outside",
    "approvals",
    "decision_kind",
    "decision_payload",
    "find_call",
    "find_recording",
    "list_calls",
    "rebuild",
    "recordings",
    "verify",
]
