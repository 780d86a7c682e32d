"""``serve``: the service itself."""

import asyncio
import gc
import sys

import click
import uvloop

from asterisk_consent import daemon
from asterisk_consent.cli.configured import configured
from asterisk_consent.cli.log import set_up_log
from asterisk_consent.config import Config

THREAD_SWITCH_S = 0.001
"""How long the event loop waits at most for the thread that writes the ledger; Python's default is 5 ms."""
GARBAGE_THRESHOLD = 20_000
"""New objects between two collections; a call makes a few hundred that its end frees without the collector."""


@click.command()
@configured
def serve(config: Config) -> None:
    """Run the service until it is told to stop."""
    set_up_log()
    sys.setswitchinterval(THREAD_SWITCH_S)
    gc.set_threshold(GARBAGE_THRESHOLD, 20, 20)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(daemon.serve(config))
