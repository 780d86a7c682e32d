"""Runs Asterisk and the service as two unprivileged users, as they run in the field.

Rule: neither is ever root, and they share nothing but the group of the spool. The service may have to read a
project, or a Python, that lies where other users cannot go (``/root`` is 0700). Then it gets a view of the
file system of its own (a private mount namespace) in which the closed directory is replaced by an open, empty
one that holds only what the service needs; nothing changes for the rest of the machine.
Source: unshare(1), setpriv(1), chroot(1), mount_namespaces(7).
"""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.pbx.settings import ASTERISK_UID, PROJECT, SERVICE_UID, SPOOL_GID, CannotSetUpError, Settings

HOLDING_PLACES = (Path("/mnt"), Path("/media"), Path("/srv"), Path("/opt"))
MORE_FILES = 'ulimit -n 65536 2>/dev/null || ulimit -n "$(ulimit -H -n)"; '


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Somebody on this machine, by numbers: nobody is added to it."""

    uid: int
    gid: int
    groups: tuple[int, ...] = ()
    umask: int = 0o022


SERVICE = User(uid=SERVICE_UID, gid=SERVICE_UID, groups=(SPOOL_GID,), umask=0o027)


def require_root() -> None:
    """Refuse to go on without the right to change users.

    :raises CannotSetUpError: the harness does not run as root.
    """
    if os.geteuid() != 0:
        raise CannotSetUpError(
            "The development PBX needs root (chroot, two users). Use 'make pbx-up' with sudo"
        )
    for program in ("chroot", "setpriv", "unshare", "mount"):
        if shutil.which(program) is None:
            raise CannotSetUpError(
                f"{program} is missing; it belongs to Debian's coreutils, util-linux or mount"
            )


def as_asterisk(settings: Settings, command: Sequence[str]) -> list[str]:
    """The command line that runs ``command`` in Asterisk's root as Asterisk's user.

    Files are made for user and group only, so that the service reads recordings and others do not.
    """
    inside = [
        "chroot",
        f"--userspec={ASTERISK_UID}:{ASTERISK_UID}",
        f"--groups={SPOOL_GID}",
        str(settings.root),
    ]
    return ["sh", "-c", f'{MORE_FILES} umask 007; exec "$@"', "sh", *inside, *command]


def as_service(settings: Settings, command: Sequence[str]) -> list[str]:
    """The command line that runs ``command`` as the service's user, in the project's directory.

    :raises CannotSetUpError: the project's own directory is closed to other users.
    """
    return as_user(SERVICE, command, needed=_needed(settings))


def as_user(user: User, command: Sequence[str], *, needed: Sequence[Path]) -> list[str]:
    """The command line that runs ``command`` as this user, in the project's directory.

    :param needed: what the user has to be able to come to, whatever lies above it.
    :raises CannotSetUpError: one of those is itself closed to the user.
    """
    change = ["setpriv", f"--reuid={user.uid}", f"--regid={user.gid}"]
    change += [f"--groups={','.join(map(str, user.groups))}" if user.groups else "--clear-groups"]
    change += ["--inh-caps=-all", "--bounding-set=-all", "--no-new-privs"]
    run = shlex.join([*change, "--", *command])
    run = f"{MORE_FILES} umask {user.umask:03o}; cd {shlex.quote(str(PROJECT))}; exec {run}"
    closed = closed_directories(needed, uid=user.uid)
    if not closed:
        return ["sh", "-c", run]
    if any(_is_closed(path, user.uid) for path in needed):
        raise CannotSetUpError(
            f"{PROJECT} or the Python in {sys.base_prefix} cannot be entered by other users."
            " Allow it with chmod o+rx, or clone to a place such as /srv or /opt"
        )
    script = f"set -e; {open_view(closed, needed)} {run}"
    return ["unshare", "--mount", "--propagation", "private", "sh", "-c", script]


def require_service_can_run(settings: Settings) -> None:
    """Try the service's user out.

    :raises CannotSetUpError: it cannot run our Python, or mounting is forbidden here.
    """
    command = as_service(settings, [sys.executable, "-c", "import asterisk_consent.errors"])
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CannotSetUpError(
            f"The service's user (id {SERVICE_UID}) cannot run the project in {PROJECT}:\n"
            f"{done.stderr.strip()}\n"
            "If files are closed to other users (a clone made with umask 077), allow them with chmod -R o+rX."
            " If mounting is not permitted here, clone to where other users can read, such as /srv or /opt,"
            " with a Python from the distribution"
        )


def closed_directories(paths: Iterable[Path], *, uid: int) -> list[Path]:
    """The topmost ancestors of ``paths`` that the user cannot pass through."""
    closed: set[Path] = set()
    for path in paths:
        for ancestor in reversed(path.parents):
            if _is_closed(ancestor, uid):
                closed.add(ancestor)
                break
    return sorted(closed)


def open_view(closed: Sequence[Path], needed: Sequence[Path]) -> str:
    """Shell text that replaces each closed directory by an open one holding only what is needed of it."""
    behind = [path for path in needed if any(path.is_relative_to(place) for place in closed)]
    hold = next(place for place in HOLDING_PLACES if not any(path.is_relative_to(place) for path in needed))
    kept = [(path, hold / str(number)) for number, path in enumerate(behind)]
    lines = [_line("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", hold)]
    for path, place in kept:
        lines += [_line("mkdir", place), _line("mount", "--rbind", path, place)]
    lines += [_line("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", place) for place in closed]
    for path, place in kept:
        lines += [_line("mkdir", "-p", path), _line("mount", "--rbind", place, path)]
    lines.append(_line("umount", "-l", hold))
    return "umask 022; " + "".join(lines)


def program_places(*more: Path) -> list[Path]:
    """Where our program and its Python are, and more, without those that lie in another of them."""
    wanted = {PROJECT, Path(sys.prefix), Path(sys.base_prefix), *more}
    wanted |= {path.resolve() for path in wanted}
    return sorted(
        path for path in wanted if not any(path != other and path.is_relative_to(other) for other in wanted)
    )


def _needed(settings: Settings) -> list[Path]:
    return program_places(settings.home)


def _is_closed(directory: Path, uid: int) -> bool:
    status = directory.stat()
    return status.st_uid != uid and not status.st_mode & 0o001


def _line(*words: str | Path) -> str:
    return shlex.join(str(word) for word in words) + "; "
