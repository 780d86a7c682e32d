"""On which kind of file system a directory lies, as the kernel tells it (proc(5), ``/proc/self/mountinfo``)."""

import re
from pathlib import Path

from asterisk_consent.errors import ConsentError

MOUNTS = Path("/proc/self/mountinfo")
SWAPS = Path("/proc/swaps")
IN_MEMORY = frozenset({"tmpfs", "ramfs"})
ELSEWHERE = frozenset(
    {"9p", "afs", "ceph", "cifs", "gfs2", "glusterfs", "lustre", "nfs", "nfs4", "ocfs2", "smb3", "virtiofs"}
)
"""File systems whose data lies on another machine, beside those in user space (``fuse.sshfs`` and its like)."""

_OCTAL = re.compile(r"\\([0-7]{3})")


def file_system_of(path: Path, mountinfo: str) -> str:
    """Return the kind of file system that a path lies on, empty where the text does not tell."""
    try:
        resolved = path.resolve()
    except (OSError, RuntimeError):  # links in a circle, as Python tells them before and since 3.13
        return ""
    kind, longest = "", -1
    for line in mountinfo.splitlines():
        before, separator, after = line.partition(" - ")
        fields = before.split(" ")
        if not separator or len(fields) < 5:
            continue
        point = Path(_OCTAL.sub(lambda octal: chr(int(octal[1], 8)), fields[4]))
        # A later line lies over an earlier one of the same place.
        if resolved.is_relative_to(point) and len(point.parts) >= longest:
            kind, longest = after.split(" ")[0], len(point.parts)
    return kind


def lies_elsewhere(kind: str) -> bool:
    """Tell whether what lies on such a file system is on another machine."""
    return kind in ELSEWHERE or kind.startswith("fuse.")


def swaps_to_disk(swaps: str) -> bool:
    """Tell whether memory may be written to a disk, from the text of ``/proc/swaps``."""
    devices = [line.split()[0] for line in swaps.splitlines()[1:] if line.strip()]
    return any(not device.startswith("/dev/zram") for device in devices)


def read_of_kernel(file: Path) -> str:
    """Read what the kernel tells.

    :raises ConsentError: it tells nothing.
    """
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError as problem:
        raise ConsentError(f"cannot be read: {problem.strerror}", where=str(file)) from problem
