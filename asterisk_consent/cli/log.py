"""The log of a process that goes on running: one JSON object a line, or coloured text on a terminal.

Rule: a variable's value never gets into a traceback, since it may be a number or a key.
"""

import logging
import sys

import structlog


def set_up_log() -> None:
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
