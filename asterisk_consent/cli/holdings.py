"""Where a command finds everything that may have to go."""

from asterisk_consent.config import Config
from asterisk_consent.rights.erasing import Holdings
from asterisk_consent.rights.requests import Requests


def holdings_of(config: Config) -> Holdings:
    """Return where the ledger, the vault and the keys of a configuration are."""
    return Holdings(ledger=config.ledger_path, vault=config.vault, keys=config.keys)


def requests_of(config: Config) -> Requests:
    """Return what carries out requests under a configuration."""
    return Requests(held=holdings_of(config), key_backups_days=config.key_backups_days)
