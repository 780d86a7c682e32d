"""Which witnesses the configuration names: where the service brings checkpoints, and where doctor asks after them."""

from asterisk_consent.config import CheckpointConfig
from asterisk_consent.ledger.witness import Directory, Mail, Syslog, Witness


def witnesses(config: CheckpointConfig) -> list[Witness]:
    """Return the places that are configured, none where checkpoints stay on this machine."""
    found: list[Witness] = []
    if config.directory is not None:
        found.append(Directory(path=config.directory))
    if config.mail_to:
        found.append(
            Mail(
                to=config.mail_to,
                sender=config.mail_from,
                host=config.mail_host,
                port=config.mail_port,
                every_s=config.mail_every_s,
            )
        )
    if config.syslog:
        found.append(Syslog(address=config.syslog))
    return found
