"""A second verifier, written from ``docs/reference/storage.md`` alone: imports nothing of the product.

It checks the chain and its payloads; it says whether all holds, not what is wrong.
"""

import hashlib
import json
from collections.abc import Iterable

HEADER_FIELDS = [
    "version",
    "seq",
    "stream",
    "kind",
    "at",
    "call_id",
    "policy",
    "policy_version",
    "language",
    "announcement",
    "payload_digest",
    "commitment",
]

StoredRow = tuple[int, bytes, bytes, bytes | None, bytes | None]


def digest(domain: str, *parts: bytes) -> bytes:
    """Return SHA-256 over the domain's text, a line feed and the parts."""
    return hashlib.sha256(f"asterisk-consent ledger {domain} 1\n".encode() + b"".join(parts)).digest()


def holds(rows: Iterable[StoredRow], known: tuple[int, bytes] | None = None) -> bool:
    """Tell whether the rows are a whole chain that contains the known entry."""
    previous, seq = bytes(32), 0
    missing: set[int] = set()
    seen = known is None
    for number, header, found, salt, body in rows:
        seq += 1
        fields = json.loads(header)
        if number != seq or list(fields) != HEADER_FIELDS or fields["seq"] != seq or fields["version"] != 1:
            return False
        previous = digest("chain", previous, header)
        if found != previous or (fields["kind"] == "ledger.created") != (seq == 1):
            return False
        if known is not None and known[0] == seq:
            seen = known[1] == found
        if salt is None and body is None:
            missing.add(seq)
            continue
        if salt is None or body is None or digest("payload", body).hex() != fields["payload_digest"]:
            return False
        if digest("commitment", salt, body).hex() != fields["commitment"]:
            return False
        if fields["kind"] == "payload.erased":
            missing.difference_update(json.loads(body)["seqs"])
    return seen and not missing
