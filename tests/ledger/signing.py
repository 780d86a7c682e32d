"""Keys for the tests: always the same ones, and nobody's."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from asterisk_consent.ledger.checkpoint import SigningKey


def signing_key(number: int) -> SigningKey:
    """Return the key of that number."""
    return SigningKey(Ed25519PrivateKey.from_private_bytes(number.to_bytes(32, "big")))


ORDER = 2**252 + 27742317777372353535851937790883648493
"""Of the group that Ed25519 signs in (RFC 8032, section 5.1)."""
