"""An installation for real users: the directories as they are packaged, the service, the key holder, people.

Rule: what the package says of owners, groups and modes is what is tried, read from ``packaging/``.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.keyholder.place import Place
from tests.pbx.settings import PROJECT, SERVICE_UID
from tests.pbx.users import User, as_user, program_places

KEYS_UID, STAFF_GID = 60803, 60810
SERVICE = User(uid=SERVICE_UID, gid=SERVICE_UID, umask=0o007)
KEYHOLDER = User(uid=KEYS_UID, gid=KEYS_UID, groups=(SERVICE_UID, STAFF_GID), umask=0o007)
STAFF = User(uid=60804, gid=STAFF_GID)
STRANGER = User(uid=60805, gid=60805)
NUMBERS = {
    "root": 0,
    "asterisk-consent": SERVICE_UID,
    "asterisk-consent-keys": KEYS_UID,
    "asterisk-consent-staff": STAFF_GID,
}
_LAID_OUT = PROJECT / "packaging/tmpfiles/asterisk-consent.conf"
_READY_WITHIN_S = 30.0
_SECTIONS = """\
[asterisk]
ari_password = "x"
ami_secret = "x"
[paths]
ledger = "ledger/ledger.sqlite"
keys = "keys"
vault = "vault"
spool = "spool"
identities = "identities"
[keyholder]
socket = "run/socket"
group = "{group}"
"""


@dataclass(frozen=True, slots=True)
class Installation:
    """One under a directory that everybody may enter."""

    place: Place

    @property
    def socket(self) -> Path:
        return self.place.root / "run/socket"

    @property
    def home(self) -> Path:
        """Where staff keep what they export."""
        return self.place.root / "home"

    def lay_out(self) -> None:
        """Make everything as the package does, and as ``init`` then makes the keys."""
        root = self.place.root
        root.chmod(0o755)
        for kind, path, mode, user, group in _lines():
            own = root / Path(path).name
            if own.name == "asterisk-consent":
                continue
            own = self.place.ledger if kind == "f" else own
            own.touch() if kind == "f" else own.mkdir()
            _give(own, NUMBERS[user], NUMBERS[group], mode)
        for name, owner in (("spool", SERVICE), ("run", KEYHOLDER), ("home", STAFF)):
            (root / name).mkdir()
            _give(root / name, owner.uid, owner.gid, 0o755)
        (root / "config.toml").write_text(_SECTIONS.format(group=STAFF_GID))
        self.place.make_keys()

    def run(self, user: User, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a program as somebody."""
        return subprocess.run(
            as_user(user, command, needed=program_places()), capture_output=True, text=True, check=False
        )

    def consent(self, user: User, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run ``asterisk-consent`` as somebody."""
        return self.run(user, *self._program(), *arguments)

    def consent_as_root(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run ``asterisk-consent`` as root, who may do everything."""
        return subprocess.run([*self._program(), *arguments], capture_output=True, text=True, check=False)

    @contextmanager
    def service(self, *, again: bool = False) -> Iterator["subprocess.Popen[str]"]:
        """Let the service run: it has entered its calls when the block begins, unless it did so before."""
        command = [sys.executable, "-m", "tests.keyholder.service_process", str(self.place.root)]
        command += ["again"] if again else []
        with _running(as_user(SERVICE, command, needed=program_places())) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield process
            process.communicate(timeout=_READY_WITHIN_S)  # the end of its input ends it
            assert process.returncode == 0

    @contextmanager
    def keyholder(self) -> Iterator["subprocess.Popen[str]"]:
        """Let the key holder run: it answers when the block begins."""
        command = as_user(KEYHOLDER, [*self._program(), "keyholder"], needed=program_places())
        with _running(command) as process:
            end = time.monotonic() + _READY_WITHIN_S
            while not self.socket.exists() or not self.socket.stat().st_mode & 0o060:
                assert process.poll() is None
                assert time.monotonic() < end
                time.sleep(0.02)
            yield process

    def _program(self) -> list[str]:
        main = "from asterisk_consent.cli import main; main()"
        return [sys.executable, "-c", main, "--config", str(self.place.root / "config.toml")]


def _lines() -> Iterator[tuple[str, str, int, str, str]]:
    for line in _LAID_OUT.read_text().splitlines():
        if line and not line.startswith("#"):
            kind, path, mode, user, group = line.split()
            yield kind, path, int(mode, 8), user, group


def _give(path: Path, uid: int, gid: int, mode: int) -> None:
    os.chown(path, uid, gid)
    path.chmod(mode)


@contextmanager
def _running(command: list[str]) -> Iterator["subprocess.Popen[str]"]:
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.terminate()
                process.communicate(timeout=_READY_WITHIN_S)
