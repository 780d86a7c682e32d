"""Puts the key holder together and runs it until it is told to stop.

Rule: it never runs as the user of the service: who could then ask it could read the identities themselves.
"""

import asyncio
import os
import signal

import structlog

from asterisk_consent import __version__
from asterisk_consent.config import Config
from asterisk_consent.errors import ConfigError, ConsentError, LedgerError
from asterisk_consent.keyholder.listening import group_id, listen
from asterisk_consent.keyholder.server import Holdings, KeyHolder
from asterisk_consent.rights.access import Places

log = structlog.get_logger("asterisk_consent.keyholder")


async def hold(config: Config) -> None:
    """Answer until SIGTERM or SIGINT.

    :raises ConsentError: it cannot start.
    """
    place = config.keyholder.socket
    if place is None:
        raise ConfigError(
            "no socket is named", where=str(config.file), remedy='Write [keyholder] and socket = "PATH"'
        )
    _require_own_user(config)
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    group = group_id(config.keyholder.group)
    holder = KeyHolder(
        Holdings(places=Places(ledger=config.ledger_path, keys=config.keys), identities=config.identities),
        group=group,
        per_minute=config.keyholder.per_minute,
    )
    listening = listen(place, group)
    try:
        await holder.start(listening)
        log.info("keyholder.started", socket=str(place), group=config.keyholder.group, release=__version__)
        await stopping.wait()
    finally:
        await holder.close()
        place.unlink(missing_ok=True)
        log.info("keyholder.stopped")


def _require_own_user(config: Config) -> None:
    try:
        owner = config.ledger_path.stat().st_uid
    except OSError as error:
        raise LedgerError(
            f"the ledger cannot be looked at: {error.strerror}",
            where=str(config.ledger_path),
            remedy="It is made when the service first starts; the key holder's user must be able to write it",
        ) from error
    if owner == os.geteuid():
        raise ConsentError(
            "the key holder runs as the user of the service",
            where=str(config.ledger_path),
            remedy="Run it as a user of its own: the process that answers calls must not read the identities",
        )
