"""``keyholder``: the process that releases the keys of one call at a time."""

import asyncio

import click

from asterisk_consent.cli.configured import configured
from asterisk_consent.cli.log import set_up_log
from asterisk_consent.config import Config
from asterisk_consent.keyholder.run import hold


@click.command()
@configured
def keyholder(config: Config) -> None:
    """Release the keys of one call at a time, to members of one group, until told to stop.

    It runs as a user of its own, who may read paths.identities. Who asks, why, and for which call is entered into the
    ledger before the keys are given.
    """
    set_up_log()
    asyncio.run(hold(config))
