"""Where checkpoints go so that they lie outside this machine: a directory, a mailbox, a syslog.

Rule: nothing here knows when to send or decides anything; a witness takes one checkpoint or says why not, within
its time limits. It blocks, so it is called from a thread of its own (:mod:`asterisk_consent.ledger.courier`).
"""

import os
import smtplib
import socket
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Protocol

from asterisk_consent.errors import WitnessUnavailableError
from asterisk_consent.ledger.checkpoint import Checkpoint, checkpoint_line, checkpoint_text
from asterisk_consent.ledger.erasure_parts import ErasureParts, MailedParts, Part

_ANSWER_S = 10.0
"""How long a mail server or a syslog may keep silent."""
_SYSLOG_PRIORITY = 13
"""user.notice (RFC 5424, section 6.2.1)."""


_KEEP_PART = (
    "Keep this mail: the attached part of the journal of erasures names nobody, and tells a restored ledger what was"
    "\nerased, objected to, held and asked since its backup:\n\n"
    "  asterisk-consent ledger restore BACKUP --erasures DIRECTORY-OF-THESE-MAILS\n"
)


class Witness(Protocol):
    """Takes checkpoints away from here."""

    @property
    def name(self) -> str:
        """What a log calls it."""

    @property
    def every_s(self) -> float:
        """Time to let pass after one checkpoint before the next, in seconds."""

    def take(self, checkpoint: Checkpoint) -> None:
        """Keep or send a checkpoint.

        :raises WitnessUnavailableError: it did not get it.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """A directory that is mounted from elsewhere, or copied from here: a file a checkpoint, a directory a day.

    It must exist: a directory made by us in place of one that is not mounted would stay on this machine. With each
    checkpoint goes what was added to the journal of erasures.
    """

    path: Path
    every_s: float = 0.0
    erasures: ErasureParts | None = field(default=None, compare=False)

    @property
    def name(self) -> str:
        """The path."""
        return str(self.path)

    def take(self, checkpoint: Checkpoint) -> None:
        """Write the file, whole or not at all; one that is there is left as it is."""
        day = self.path / f"{_at(checkpoint):%Y-%m-%d}"
        target = day / file_name(checkpoint)
        unfinished = day / f".{target.name}.{os.getpid()}"
        try:
            if not self.path.is_dir():
                raise WitnessUnavailableError("the directory is not there", where=self.name)
            day.mkdir(exist_ok=True)
            if not target.exists():
                with unfinished.open("w", encoding="ascii") as file:
                    file.write(checkpoint_text(checkpoint))
                    file.flush()
                    os.fsync(file.fileno())
                unfinished.replace(target)
            if self.erasures is not None:
                self.erasures.bring(self.path, checkpoint.ledger_id)
        except OSError as error:
            raise WitnessUnavailableError(error.strerror or str(error), where=self.name) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A mailbox, reached through a mail server that takes our mail without a password.

    The connection is encrypted where the server offers it, whoever the server is: a checkpoint is no secret, and its
    signature tells whether it arrived as it left. With each checkpoint goes what was added to the journal of erasures,
    where that is more than fits a mail in further ones.
    """

    to: str
    sender: str
    host: str
    port: int
    every_s: float
    answer_s: float = _ANSWER_S
    erasures: MailedParts | None = field(default=None, compare=False)

    @property
    def name(self) -> str:
        """The address and the server."""
        return f"{self.to} by {self.host}:{self.port}"

    def take(self, checkpoint: Checkpoint) -> None:
        """Send one mail with the checkpoint as its attachment, and each part of the journal, the first with it."""
        parts = self.erasures.waiting(checkpoint.ledger_id, self.name) if self.erasures else iter(())
        try:
            first = next(parts, None)
            with smtplib.SMTP(self.host, self.port, timeout=self.answer_s) as server:
                server.ehlo_or_helo_if_needed()
                if server.has_extn("starttls"):
                    server.starttls()
                server.send_message(self._message(checkpoint, first))
                for part in parts:
                    server.send_message(self._further(checkpoint, part))
        except OSError as error:
            why = error.strerror if isinstance(error.strerror, str) else str(error)
            raise WitnessUnavailableError(why or type(error).__name__, where=self.name) from error

    def _begun(self, checkpoint: Checkpoint, subject: str) -> EmailMessage:
        message = EmailMessage()
        message["From"] = self.sender or f"asterisk-consent@{socket.getfqdn()}"
        message["To"] = self.to
        message["Subject"] = subject
        message["Date"] = _at(checkpoint)
        return message

    def _further(self, checkpoint: Checkpoint, part: Part) -> EmailMessage:
        subject = f"Journal of erasures of ledger {checkpoint.ledger_id[:8]}, up to byte {part.end}"
        message = self._begun(checkpoint, subject)
        message.set_content(_KEEP_PART)
        _attach(message, part)
        return message

    def _message(self, checkpoint: Checkpoint, part: Part | None) -> EmailMessage:
        number, ledger = checkpoint.number, checkpoint.ledger_id[:8]
        message = self._begun(checkpoint, f"Checkpoint {number} of ledger {ledger}: entry {checkpoint.seq}")
        message.set_content(
            f"On {_at(checkpoint):%Y-%m-%d at %H:%M:%S} UTC ledger {checkpoint.ledger_id} had {checkpoint.seq}"
            f" entries,\nthe last one with the hash\n\n  {checkpoint.hash}\n\n"
            "Keep the attached file. Later, on the machine of the ledger,\n\n"
            "  asterisk-consent ledger verify --checkpoint FILE\n\n"
            "shows whether anything of these entries was changed, removed or written anew.\n"
            + (f"\n{_KEEP_PART}" if part is not None else "")
        )
        message.add_attachment(
            checkpoint_text(checkpoint).encode(),
            maintype="application",
            subtype="json",
            filename=file_name(checkpoint),
        )
        if part is not None:
            _attach(message, part)
        return message


@dataclass(frozen=True, slots=True, kw_only=True)
class Syslog:
    """A syslog: the local one by its socket, or another machine's by UDP, of which no answer ever comes."""

    address: str | tuple[str, int]
    every_s: float = 0.0

    @property
    def name(self) -> str:
        """The socket, or host and port."""
        return self.address if isinstance(self.address, str) else "{}:{}".format(*self.address)

    def take(self, checkpoint: Checkpoint) -> None:
        """Send the checkpoint as one line of JSON (RFC 3164, whose relays add time and host)."""
        line = f"<{_SYSLOG_PRIORITY}>asterisk-consent: checkpoint {checkpoint_line(checkpoint)}"
        try:
            family, where = self._resolved()
            with socket.socket(family, socket.SOCK_DGRAM) as way:
                way.settimeout(_ANSWER_S)
                way.connect(where)
                way.send(line.encode())
        except OSError as error:
            raise WitnessUnavailableError(error.strerror or str(error), where=self.name) from error

    def _resolved(self) -> tuple[socket.AddressFamily, str | tuple[object, ...]]:
        if isinstance(self.address, str):
            return socket.AF_UNIX, self.address
        family, _, _, _, where = socket.getaddrinfo(*self.address, type=socket.SOCK_DGRAM)[0]
        return family, where


def _attach(message: EmailMessage, part: Part) -> None:
    """Attach a part so that it arrives byte by byte."""
    message.add_attachment(part.content, maintype="application", subtype="octet-stream", filename=part.name)


def file_name(checkpoint: Checkpoint) -> str:
    """Return a name that sorts by number and is never that of another checkpoint."""
    return f"{checkpoint.ledger_id[:8]}-{checkpoint.number:08d}-{checkpoint.hash[:8]}.json"


def _at(checkpoint: Checkpoint) -> datetime:
    return datetime.fromtimestamp(checkpoint.at, UTC)
