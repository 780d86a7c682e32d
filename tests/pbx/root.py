"""Builds the Debian that Asterisk runs in, once, and keeps it.

Rule: it is built aside and renamed into place when it is complete, so a half-built one is never used; another
suite or mirror builds it anew. Packages are verified by the archive's signatures in every case.
Source: mmdebstrap(1); sources.list(5) about ``Check-Valid-Until``.
"""

import json
import shutil
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.pbx.settings import CannotSetUpError, Settings

PACKAGES = (
    "asterisk",
    "asterisk-modules",
    "asterisk-core-sounds-en-gsm",
    "python3-minimal",  # runs the classic AGI script that the benchmark compares with
    "libpython3-stdlib",
)
STAMP = "etc/asterisk-consent-pbx.json"
EXPIRED_SIGNS = ("is expired", "invalid since", "is not valid yet", "invalid for another")

Say = Callable[[str], None]


def ensure_root(settings: Settings, say: Say) -> str:
    """Build the root unless it is there as the settings want it; return Asterisk's installed version.

    :raises CannotSetUpError: mmdebstrap is missing or failed.
    """
    if read_stamp(settings.root) != wanted_stamp(settings):
        _build(settings, say)
    version = _installed_version(settings.root)
    say(f"Asterisk {version} (Debian {settings.suite}{settings.mirror and ' of ' + settings.mirror})")
    return version


def wanted_stamp(settings: Settings) -> dict[str, object]:
    """What decides the content of the root."""
    return {"suite": settings.suite, "mirror": settings.mirror, "packages": list(PACKAGES)}


def read_stamp(root: Path) -> dict[str, object] | None:
    """What an existing root was built from; None when there is none or it says nothing."""
    try:
        stamp = json.loads((root / STAMP).read_text())
    except (OSError, ValueError):
        return None
    return stamp if isinstance(stamp, dict) else None


def build_command(settings: Settings, target: Path, *, ignore_expiry: bool) -> list[str]:
    """The mmdebstrap command for these settings."""
    command = ["mmdebstrap", "--mode=root", "--variant=minbase", f"--include={','.join(PACKAGES)}"]
    command.append('--aptopt=Apt::Install-Recommends "false"')
    if ignore_expiry:
        command.append('--aptopt=Acquire::Check-Valid-Until "false"')
    return [*command, settings.suite, str(target), *([settings.mirror] if settings.mirror else [])]


def _build(settings: Settings, say: Say) -> None:
    if shutil.which("mmdebstrap") is None:
        raise CannotSetUpError(
            "mmdebstrap is not installed; run 'make packages', or apt-get install mmdebstrap"
        )
    partial = settings.home / "root.partial"
    say(f"Building Asterisk's root from Debian {settings.suite}: once, about half a minute and 400 MB …")
    output = _bootstrap(settings, partial, ignore_expiry=False)
    if output is not None and any(sign in output for sign in EXPIRED_SIGNS):
        say(
            "The mirror's Release file is outside its validity dates. Building again without the check of"
            " that date; signatures are still checked."
        )
        output = _bootstrap(settings, partial, ignore_expiry=True)
    if output is not None:
        _remove(partial)
        raise CannotSetUpError(
            f"mmdebstrap could not build Debian {settings.suite}:\n{_tail(output)}\n"
            "Check the network, or choose with PBX_SUITE or PBX_MIRROR"
        )
    # Without the machine's own name every call waits about a second for DNS.
    hosts = f"127.0.0.1 localhost {socket.gethostname()}\n::1 localhost ip6-localhost\n"
    (partial / "etc/hosts").write_text(hosts)
    (partial / STAMP).write_text(json.dumps(wanted_stamp(settings)))
    _remove(settings.root)
    partial.rename(settings.root)


def _bootstrap(settings: Settings, partial: Path, *, ignore_expiry: bool) -> str | None:
    """Run mmdebstrap; None when it succeeded, else what it printed."""
    _remove(partial)
    settings.home.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        build_command(settings, partial, ignore_expiry=ignore_expiry),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    (settings.home / "mmdebstrap.log").write_text(done.stdout)
    return None if done.returncode == 0 else done.stdout


def _installed_version(root: Path) -> str:
    done = subprocess.run(
        ["chroot", str(root), "dpkg-query", "-W", "-f", "${Version}", "asterisk"],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise CannotSetUpError(f"{root} holds no asterisk; remove it and try again: {done.stderr.strip()}")
    return done.stdout.strip()


def _remove(root: Path) -> None:
    """Remove a root, unless something is still mounted in it: removing would reach through the mount."""
    mounted = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    inside = [place for place in mounted if place.startswith(f"{root}/")]
    if inside:
        raise CannotSetUpError(f"{', '.join(inside)} is still mounted; unmount it and try again")
    if root.exists():
        shutil.rmtree(root)


def _tail(text: str, lines: int = 15) -> str:
    return "\n".join(text.splitlines()[-lines:])
