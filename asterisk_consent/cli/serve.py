"""``serve``: the service itself."""

import asyncio
import gc
import logging
import sys

import click
import structlog
import uvloop

from asterisk_consent import daemon
from asterisk_consent.cli.configured import configured
from asterisk_consent.config import Config

THREAD_SWITCH_S = 0.001
"""How long the event loop waits at most for the thread that writes the ledger; Python's default is 5 ms."""
GARBAGE_THRESHOLD = 20_000
"""New objects between two collections; a call makes a few hundred that its end frees without the collector."""


@click.command()
@configured
def serve(config: Config) -> None:
    """Run the service until it is told to stop."""
    _set_up_logging()
    sys.setswitchinterval(THREAD_SWITCH_S)
    gc.set_threshold(GARBAGE_THRESHOLD, 20, 20)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(daemon.serve(config))


def _set_up_logging() -> None:
    """Log one JSON object a line, or coloured text on a terminal."""
    terminal = sys.stderr.isatty()
    # A richer traceback would print variables, and with them numbers.
    on_terminal = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    renderer = on_terminal if terminal else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *([] if terminal else [structlog.processors.format_exc_info]),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
