"""Owns the key holder's socket file.

Rule: nobody can connect before the file has its group and mode; and the place of a key holder that runs is not taken.
"""

import contextlib
import grp
import os
import socket
from pathlib import Path

from asterisk_consent.errors import ConfigError, ConsentError

_MODE = 0o660
_BACKLOG = 32


def group_id(group: str) -> int:
    """Return the number of a Unix group.

    :raises ConfigError: there is no such group.
    """
    if group.isascii() and group.isdecimal():
        return int(group)
    try:
        return grp.getgrnam(group).gr_gid
    except KeyError:
        raise ConfigError(
            f"there is no group '{group}' on this machine",
            where="keyholder.group",
            remedy="Make it, and put into it who may listen and export",
        ) from None


def listen(place: Path, group: int) -> socket.socket:
    """Make the socket, for its owner and the group.

    :raises ConsentError: it cannot be made, or another key holder has it.
    """
    _remove_stale(place)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        umask = os.umask(0o777)
        try:
            listening.bind(str(place))
        finally:
            os.umask(umask)
        os.chown(place, -1, group)
        place.chmod(_MODE)
        listening.listen(_BACKLOG)
        listening.setblocking(False)
    except OSError as error:
        listening.close()
        raise ConsentError(
            f"the socket cannot be made: {error.strerror or error}",
            where=str(place),
            remedy="The key holder's user must write its directory, and be in the group that keyholder.group names",
        ) from error
    return listening


def _remove_stale(place: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(place))
        except ConnectionRefusedError:
            with contextlib.suppress(
                OSError
            ):  # what cannot be removed, and what is no socket, shows when binding
                if place.is_socket():
                    place.unlink()
        except OSError:
            return
        else:
            raise ConsentError(
                "another key holder listens there", where=str(place), remedy="One is enough; stop the other"
            )
