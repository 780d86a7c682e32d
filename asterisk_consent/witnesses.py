"""Which witnesses the configuration names: where the service brings checkpoints, and where doctor asks after them."""

from pathlib import Path

from asterisk_consent.config import CheckpointConfig
from asterisk_consent.ledger.erasure_parts import ErasureParts, MailedParts
from asterisk_consent.ledger.witness import Directory, Mail, Syslog, Witness


def witnesses(
    config: CheckpointConfig, *, journal: Path | None = None, ledger: Path | None = None
) -> list[Witness]:
    """Return the places that are configured, none where checkpoints stay on this machine.

    :param journal: the journal of erasures, which a directory and a mailbox get too.
    :param ledger: beside it is noted how far the journal was mailed.
    """
    found: list[Witness] = []
    if config.directory is not None:
        parts = ErasureParts(journal) if journal is not None else None
        found.append(Directory(path=config.directory, erasures=parts))
    if config.mail_to:
        mailed = MailedParts(journal, ledger=ledger) if journal is not None and ledger is not None else None
        found.append(
            Mail(
                to=config.mail_to,
                sender=config.mail_from,
                host=config.mail_host,
                port=config.mail_port,
                every_s=config.mail_every_s,
                erasures=mailed,
            )
        )
    if config.syslog:
        found.append(Syslog(address=config.syslog))
    return found
