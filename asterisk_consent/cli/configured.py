"""Gives a command the configuration, read when the command runs and not before.

Rule: ``--help`` of any command works on a machine that has no configuration yet.
"""

from collections.abc import Callable
from functools import update_wrapper
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

import click

from asterisk_consent.config import Config, load_config

P = ParamSpec("P")
R = TypeVar("R")


def configured(command: Callable[Concatenate[Config, P], R]) -> Callable[P, R]:
    """Call the command with the ``Config`` of the file that ``--config`` names."""

    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        return command(config_of(click.get_current_context()), *args, **kwargs)

    return update_wrapper(run, command)


def config_of(context: click.Context) -> Config:
    """Return the ``Config`` of the file that ``--config`` names, for a command that may do without.

    :raises ConfigError: it cannot be used.
    """
    return load_config(context.obj) if isinstance(context.obj, Path) else context.obj
