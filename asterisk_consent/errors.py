"""The whole error tree of the product.

Rule: a class exists because somebody catches it differently. Each error says what is wrong, where, and what
to do about it. Errors of libraries (``sqlite3``, ``OSError``, ``aiohttp``, ``json``) are translated where they
arise and never cross a folder.
"""


class ConsentError(Exception):
    """Base of everything the product raises on purpose.

    :param what: what is wrong, one sentence without a full stop.
    :param where: file, line, call id or address it was found at; empty when ``what`` says it.
    :param remedy: what the reader can do about it.
    """

    exit_status = 1

    def __init__(self, what: str, *, where: str = "", remedy: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.remedy = remedy

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        advice = f". {self.remedy}" if self.remedy else ""
        return f"{place}{self.what}{advice}"


class ConfigError(ConsentError):
    """The configuration or a policy cannot be used; carries every problem found, one a line."""

    exit_status = 2


class RequestRefusedError(ConsentError):
    """A person asked for something the policy or the ledger does not allow (no reason given, unknown id)."""


class BrowsingError(RequestRefusedError):
    """Somebody looks without saying why, or at more than work explains: somebody else is told."""


class DialogueError(ConsentError):
    """An event that the dialogue's state does not list; the dialogue is unchanged."""


class AudioError(ConsentError):
    """An audio file is missing, damaged or not what it claims to be."""


class KeysError(ConsentError):
    """A key is missing, cannot be read or written, or does not open what it should."""


class LedgerError(ConsentError):
    """The ledger cannot be used as it is: wrong file, newer schema, somebody else is its writer."""


class LedgerUnavailableError(LedgerError):
    """The ledger cannot be written now (locked, disk full, I/O error). Whether the entry exists is unknown."""


class LedgerBrokenError(LedgerError):
    """The chain does not verify."""

    exit_status = 4


class WitnessUnavailableError(ConsentError):
    """A checkpoint did not get to where it is to be kept; nothing else depends on it."""


class PbxError(ConsentError):
    """Asterisk did not do what was asked."""


class PbxUnavailableError(PbxError):
    """No connection, or no answer in time. Whether the request took effect is unknown."""


class PbxRefusedError(PbxError):
    """Asterisk answered with an error; ``status`` is the HTTP status of ARI, 0 for AMI."""

    def __init__(self, what: str, *, status: int = 0, where: str = "", remedy: str = "") -> None:
        super().__init__(what, where=where, remedy=remedy)
        self.status = status


class PbxProtocolError(PbxError):
    """Bytes from a peer that are not ARI, AMI or AGI, or exceed the stated limits."""
