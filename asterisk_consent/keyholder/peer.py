"""Who is at the other end of a Unix socket, as the kernel says.

Rule: nothing that a peer sends changes who it is. Source: unix(7), ``SO_PEERCRED``: the credentials are those of the
moment the peer connected.
"""

import os
import pwd
import socket
import struct
from dataclasses import dataclass

_CREDENTIALS = struct.Struct("3i")
_ROOT = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """The user that a peer runs as."""

    uid: int
    login: str
    """The login name, and ``uid N`` where there is none."""
    groups: frozenset[int]
    """Of the user as the machine knows it now, so that taking somebody out of a group has effect at once."""

    def may_ask(self, group: int) -> bool:
        """Tell whether the peer belongs to the group; root may always, who reads the identities anyway."""
        return self.uid == _ROOT or group in self.groups

    def person(self, on_behalf_of: str) -> str:
        """Return who is entered: the login, and whom it says it asks for."""
        name = " ".join("".join(each if each.isprintable() else " " for each in on_behalf_of).split())
        return f"{self.login} for {name}" if name else self.login


def peer_of(connection: socket.socket) -> Peer:
    """Return who is at the other end.

    :raises OSError: the connection is gone.
    """
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _, uid, gid = _CREDENTIALS.unpack(raw)
    try:
        login = pwd.getpwuid(uid).pw_name
    except KeyError:
        return Peer(uid=uid, login=f"uid {uid}", groups=frozenset({gid}))
    return Peer(uid=uid, login=login, groups=frozenset({gid, *os.getgrouplist(login, gid)}))
