"""What a command needs to open something that is sealed: the keys of the call, from whoever may release them.

Rule: whichever way they come, the access is entered first, and the same is shown.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from asterisk_consent.cli.person import behind_sudo
from asterisk_consent.config import Config
from asterisk_consent.keyholder.client import ask
from asterisk_consent.rights.access import Places, Wanted, release
from asterisk_consent.vault.age import Identity
from asterisk_consent.vault.identities import identity_path, load_identities

F = TypeVar("F", bound=Callable[..., Any])


def identity_option(command: F) -> F:
    """Give a command the option that names an identity."""
    return click.option(
        "--identity",
        type=click.Path(dir_okay=False, path_type=Path),
        help="What opens it: a file with an identity of its controller; by default the key holder is asked, and"
        " where there is none the file in paths.identities is taken.",
    )(command)


def released(
    config: Config, wanted: Wanted, *, controller: str, identity: Path | None
) -> tuple[Identity, ...]:
    """Enter the access and return the keys of the call: from the key holder, or with an identity.

    The key holder is asked where one is configured and there, and no identity is named.

    :raises ConsentError: nothing is released, and why.
    """
    socket = config.keyholder.socket
    if identity is None and socket is not None and _is_there(socket):
        return ask(socket, wanted, on_behalf_of=behind_sudo())
    places, identities = opening(config, controller, identity)
    return release(wanted, places=places, identities=identities)


def opening(config: Config, controller: str, identity: Path | None) -> tuple[Places, tuple[Identity, ...]]:
    """Return where things are, and the identities to open them with.

    :raises KeysError: the identity cannot be read.
    """
    identities = load_identities(identity or identity_path(controller, config.identities))
    return Places(ledger=config.ledger_path, keys=config.keys), identities


def _is_there(socket: Path) -> bool:
    try:
        return socket.is_socket()
    except PermissionError:  # asking tells why
        return True
