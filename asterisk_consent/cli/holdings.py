"""Where a command finds everything that may have to go."""

from asterisk_consent.config import Config
from asterisk_consent.rights.erasing import Holdings
from asterisk_consent.rights.requests import Requests


def holdings_of(config: Config) -> Holdings:
    """Return where everything of a configuration lies."""
    return Holdings(
        ledger=config.ledger_path,
        spool=config.spool,
        vault=config.vault,
        keys=config.keys,
        key_backups_days=config.key_backups_days,
    )


def requests_of(config: Config) -> Requests:
    """Return what carries out requests under a configuration."""
    return Requests(held=holdings_of(config))
