"""The step between a payload's text and the bytes stored for it.

Rule: this is the only place that knows how payloads lie on disk. They lie there as they are; who wants them
unreadable changes these two functions and nothing else.
"""


def seal(plaintext: bytes) -> bytes:
    """Return the bytes to store for a payload."""
    return plaintext


def unseal(body: bytes) -> bytes:
    """Return a payload's text from its stored bytes."""
    return body
