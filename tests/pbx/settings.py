"""Where the development PBX lies and which ports it takes; every setting is an environment variable.

Rule: no other module of the harness reads a setting, and no default meets an installed Asterisk.
"""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

PROJECT = Path(__file__).resolve().parents[2]

ASTERISK_UID = 60801
SERVICE_UID = 60802
SPOOL_GID = 60800
"""Numbers only: nobody is added to the machine. Both users are members of the group that shares the spool."""


class CannotSetUpError(Exception):
    """The development PBX cannot be built or started; the text says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One development PBX.

    ``suite`` and ``mirror`` choose the Asterisk; ``mirror`` is the address of a Debian archive, empty for mmdebstrap's
    own choice. The archive of one day pins the version. ``developer_uid`` is who called ``sudo``: the
    configuration belongs to them, so that they can run the commands beside the service.
    """

    home: Path
    suite: str
    mirror: str
    sip_port: int
    agent_port: int
    ari_port: int
    ami_port: int
    fastagi_port: int
    rtp_first: int
    rtp_last: int
    verbose: int
    developer_uid: int

    @classmethod
    def from_environment(cls, env: Mapping[str, str] = os.environ) -> Self:
        """Read the ``PBX_…`` variables.

        :raises CannotSetUpError: a port is no number from 1024 to 65535, or the verbosity none from 0 to 9.
        """
        return cls(
            home=Path(env.get("PBX_HOME", str(PROJECT / ".pbx"))).absolute(),
            suite=env.get("PBX_SUITE", "forky"),
            mirror=env.get("PBX_MIRROR", ""),
            sip_port=_whole(env, "PBX_SIP_PORT", 15060),
            agent_port=_whole(env, "PBX_AGENT_PORT", 15070),
            ari_port=_whole(env, "PBX_ARI_PORT", 18088),
            ami_port=_whole(env, "PBX_AMI_PORT", 15038),
            fastagi_port=_whole(env, "PBX_FASTAGI_PORT", 14573),
            rtp_first=_whole(env, "PBX_RTP_FIRST", 20000),
            rtp_last=_whole(env, "PBX_RTP_LAST", 20999),
            verbose=_whole(env, "PBX_VERBOSE", 0, low=0, high=9),
            developer_uid=_whole(env, "SUDO_UID", 0, low=0, high=2**32 - 2),
        )

    @property
    def root(self) -> Path:
        """The Debian that Asterisk runs in."""
        return self.home / "root"

    @property
    def run(self) -> Path:
        """Process ids."""
        return self.home / "run"

    @property
    def log(self) -> Path:
        """What the two programs print."""
        return self.home / "log"

    @property
    def data(self) -> Path:
        """What belongs to the service: ledger, vault and keys."""
        return self.home / "data"

    @property
    def keys(self) -> Path:
        """Recipients, and the sealed key of each recording."""
        return self.data / "keys"

    @property
    def identities(self) -> Path:
        """What opens those: root's alone."""
        return self.home / "identities"

    @property
    def policies(self) -> Path:
        """The policies that the service reads."""
        return self.home / "policies"

    @property
    def config_file(self) -> Path:
        """The configuration of the service, also for the commands beside it."""
        return self.home / "asterisk-consent.toml"

    @property
    def spool(self) -> Path:
        """Where recordings arrive, seen from outside Asterisk's root."""
        return self.root / "var/spool/asterisk-consent"

    @property
    def prompts(self) -> Path:
        """The rendered announcements, seen from outside Asterisk's root."""
        return self.root / "var/lib/asterisk-consent/prompts"

    @property
    def asterisk_log(self) -> Path:
        """Asterisk's own log."""
        return self.root / "var/log/asterisk/full"

    @property
    def program(self) -> Path:
        """The command ``asterisk-consent`` of the Python that runs the harness."""
        return Path(sys.executable).with_name("asterisk-consent")


def _whole(env: Mapping[str, str], name: str, default: int, *, low: int = 1024, high: int = 65535) -> int:
    text = env.get(name) or str(default)
    if not (text.isascii() and text.isdigit() and low <= int(text) <= high):
        raise CannotSetUpError(f"{name} is '{text}': a whole number from {low} to {high} is needed")
    return int(text)
