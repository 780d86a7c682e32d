"""A checkpoint: a signed statement that at some moment the chain had this hash at this entry.

Rule: the form is described in ``docs/reference/storage.md`` closely enough to check one without this program. Kept
where nobody with rights to the ledger can reach it, a checkpoint shows a tail cut off and a history written anew;
kept beside the ledger it shows neither. Ed25519 as in RFC 8032; every use starts with a text of its own.
"""

from collections.abc import Mapping
from typing import Annotated

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec import Meta

from asterisk_consent.errors import LedgerBrokenError

CHECKPOINT_VERSION = 1
KEY_BYTES = 32

_DOMAIN = b"asterisk-consent ledger checkpoint 1\n"
_KEY_DOMAIN = b"asterisk-consent ledger checkpoint key 1\n"

_Id = Annotated[str, Meta(pattern=r"^[0-9a-f]{32}\Z")]
_Digest = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
_Signature = Annotated[str, Meta(pattern=r"^[0-9a-f]{128}\Z")]
_Counted = Annotated[int, Meta(ge=1)]


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is signed, field by field in this order, and the signature last; ``at`` in UTC seconds."""

    version: int
    ledger_id: _Id
    number: _Counted
    seq: _Counted
    hash: _Digest
    at: Annotated[int, Meta(ge=0)]
    key: _Digest
    signature: _Signature


_DECODER = msgspec.json.Decoder(Checkpoint)
_ENCODER = msgspec.json.Encoder()


class SigningKey:
    """The private half of a checkpoint key; says its public half, signs, and shows nothing of itself."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.public = private.public_key().public_bytes_raw().hex()

    def sign(self, message: bytes) -> str:
        """Return the signature, hexadecimal."""
        return self._private.sign(message).hex()


def sign_checkpoint(
    key: SigningKey, *, ledger_id: str, number: int, seq: int, digest: bytes, at: int
) -> Checkpoint:
    """Make the checkpoint of the entry ``seq`` with hash ``digest``."""
    unsigned = Checkpoint(
        version=CHECKPOINT_VERSION,
        ledger_id=ledger_id,
        number=number,
        seq=seq,
        hash=digest.hex(),
        at=at,
        key=key.public,
        signature="",
    )
    return msgspec.structs.replace(unsigned, signature=key.sign(signed_bytes(unsigned)))


def signed_bytes(checkpoint: Checkpoint) -> bytes:
    """Return what the signature covers: every other field, as JSON without spaces, in their order."""
    names = [name for name in checkpoint.__struct_fields__ if name != "signature"]
    return _DOMAIN + _ENCODER.encode({name: getattr(checkpoint, name) for name in names})


def possession_bytes(ledger_id: str) -> bytes:
    """Return what a key signs when it is entered: that its holder means this ledger."""
    return _KEY_DOMAIN + ledger_id.encode("ascii", "backslashreplace")


def checkpoint_line(checkpoint: Checkpoint) -> str:
    """Return a checkpoint as one line of JSON."""
    return _ENCODER.encode(checkpoint).decode()


def checkpoint_text(checkpoint: Checkpoint) -> str:
    """Return a checkpoint as the JSON text of a file, one field a line."""
    return msgspec.json.format(_ENCODER.encode(checkpoint), indent=2).decode() + "\n"


def read_checkpoint(raw: bytes | str) -> Checkpoint:
    """Read the text of a checkpoint, however it is spaced; its signature is not checked here.

    :raises LedgerBrokenError: it is no checkpoint, or one of a later release.
    """
    try:
        checkpoint = _DECODER.decode(raw)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise LedgerBrokenError(f"this is no checkpoint ({error})") from error
    if checkpoint.version != CHECKPOINT_VERSION:
        raise LedgerBrokenError(f"checkpoint version {checkpoint.version} is unknown to this release")
    return checkpoint


def signature_holds(key: str, message: bytes, signature: str) -> bool:
    """Tell whether the key, hexadecimal, signed the message."""
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(bytes.fromhex(signature), message)
    except (InvalidSignature, ValueError):
        return False
    return True


def fault_of(checkpoint: Checkpoint, *, ledger_id: str, digest: bytes | None, keys: Mapping[str, int]) -> str:
    """Return what is wrong between a checkpoint and a chain, empty where the chain extends it.

    :param digest: the chain's hash at the checkpoint's entry, ``None`` where the chain ends before.
    :param keys: the keys that the chain names, each with the entry that named it first.
    """
    name = f"checkpoint {checkpoint.number}"
    if not signature_holds(checkpoint.key, signed_bytes(checkpoint), checkpoint.signature):
        return f"{name}: its signature is wrong"
    if checkpoint.ledger_id != ledger_id:
        return f"{name} is of another ledger, {checkpoint.ledger_id}"
    if digest is None:
        return f"{name} was made at entry {checkpoint.seq}, which is missing: the end is cut off"
    if checkpoint.hash != digest.hex():
        return f"{name} has another hash for entry {checkpoint.seq}: this history is another"
    if keys.get(checkpoint.key, checkpoint.seq + 1) > checkpoint.seq:
        return f"{name}: the chain does not name its key {checkpoint.key}"
    return ""
