"""What a command needs to open something that is sealed: an identity of the controller, and where things are."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from asterisk_consent.config import Config
from asterisk_consent.rights.access import Places
from asterisk_consent.vault.age import Identity
from asterisk_consent.vault.identities import identity_path, load_identities

F = TypeVar("F", bound=Callable[..., Any])


def identity_option(command: F) -> F:
    """Give a command the option that names an identity."""
    return click.option(
        "--identity",
        type=click.Path(dir_okay=False, path_type=Path),
        help="What opens it: a file with an identity of its controller; by default the one in paths.identities.",
    )(command)


def opening(config: Config, controller: str, identity: Path | None) -> tuple[Places, tuple[Identity, ...]]:
    """Return where things are and the identities to open them with.

    :raises KeysError: the identity cannot be read.
    """
    identities = load_identities(identity or identity_path(controller, config.identities))
    return Places(ledger=config.ledger_path, keys=config.keys), identities
