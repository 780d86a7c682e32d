"""Writes what Asterisk and the service are configured with.

Rule: the product's part comes from the shipped files in ``dialplan/`` and ``policies/``, changed in nothing
but the placeholder of the secret; around it stand ``tests/pbx/etc`` and the development numbers. The same
settings always give the same bytes, so that a running PBX can be compared with what it should be.
"""

import hashlib
import json
import os
import secrets
import shutil
import string
import wave
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.pbx.settings import ASTERISK_UID, PROJECT, SERVICE_UID, SPOOL_GID, CannotSetUpError, Settings

ETC = PROJECT / "tests/pbx/etc"
DIALPLAN = PROJECT / "dialplan"
INCLUDED = ("asterisk-consent.conf", "asterisk-consent-emergency.conf")
FEATURES = "asterisk-consent-features.conf"
POLICIES = (PROJECT / "policies", PROJECT / "tests/pbx/policies")
OWN_NUMBERS = ("tests/pbx/extensions-*.conf", "bench/extensions-*.conf")
PLACEHOLDER = "CHANGE-ME"
MUSIC_HZ = 620
ASTERISK_WRITES = (
    "var/lib/asterisk",
    "var/log/asterisk",
    "var/spool/asterisk",
    "run/asterisk",
    "var/cache/asterisk",
)

Files = dict[str, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """The two passwords of the service, made up once per development PBX."""

    ari: str
    ami: str


def load_secrets(settings: Settings) -> Secrets:
    """Read the passwords, or make them up."""
    file = settings.home / "secrets.json"
    if not file.exists():
        settings.home.mkdir(parents=True, exist_ok=True)
        made = {"ari": secrets.token_hex(16), "ami": secrets.token_hex(16)}
        file.touch(mode=0o600)
        file.write_text(json.dumps(made))
    found = json.loads(file.read_text())
    return Secrets(ari=found["ari"], ami=found["ami"])


def asterisk_files(settings: Settings, passwords: Secrets) -> Files:
    """Everything below Asterisk's ``/etc/asterisk``, by name.

    :raises CannotSetUpError: a shipped file has no placeholder for its secret.
    """
    places = {
        "sip_port": settings.sip_port,
        "agent_port": settings.agent_port,
        "ari_port": settings.ari_port,
        "ami_port": settings.ami_port,
        "rtp_first": settings.rtp_first,
        "rtp_last": settings.rtp_last,
        "log_verbose": f",verbose({settings.verbose})" if settings.verbose else "",
    }
    files = {
        file.name: string.Template(file.read_text()).substitute(places).encode()
        for file in sorted(ETC.glob("*.conf"))
    }
    files["ari.conf"] = files.pop("ari-general.conf") + _with_secret("ari.conf", passwords.ari)
    files["manager.conf"] = files.pop("manager-general.conf") + _with_secret("manager.conf", passwords.ami)
    files |= {name: (DIALPLAN / name).read_bytes() for name in (*INCLUDED, FEATURES)}
    numbers = [file for pattern in OWN_NUMBERS for file in sorted(PROJECT.glob(pattern))]
    files |= {file.name: file.read_bytes() for file in numbers}
    files["extensions.conf"] = _extensions((file.name for file in numbers), settings.fastagi_port)
    return files


def service_config(settings: Settings, passwords: Secrets) -> bytes:
    """The service's own configuration file."""
    inside = "/" + str(settings.prompts.relative_to(settings.root))
    sections: Mapping[str, Mapping[str, str | int]] = {
        "asterisk": {
            "ari_url": f"http://127.0.0.1:{settings.ari_port}/ari",
            "ari_user": "asterisk-consent",
            "ari_password": passwords.ari,
            "ami_host": "127.0.0.1",
            "ami_port": settings.ami_port,
            "ami_user": "asterisk-consent",
            "ami_secret": passwords.ami,
            "agi_host": "127.0.0.1",
            "agi_port": settings.fastagi_port,
            "prompts": inside,
        },
        "paths": {
            "ledger": str(settings.data / "ledger.sqlite"),
            "spool": str(settings.spool),
            "vault": str(settings.data / "vault"),
            "keys": str(settings.keys),
            "identities": str(settings.identities),
            "policies": str(settings.policies),
            "prompts": str(settings.prompts),
        },
    }
    lines: list[str] = []
    for section, values in sections.items():
        lines += ["", f"[{section}]", *(f"{key} = {json.dumps(value)}" for key, value in values.items())]
    return ("\n".join(lines).lstrip() + "\n").encode()


def policy_files() -> Files:
    """The policies that the service gets, by file name."""
    return {file.name: file.read_bytes() for place in POLICIES for file in sorted(place.glob("*.toml"))}


def source_files() -> Files:
    """The service's program text and texts, so that a change of them is noticed."""
    folders = (PROJECT / "asterisk_consent", PROJECT / "sounds")
    found = (
        file for folder in folders for file in folder.rglob("*") if file.suffix in (".py", ".sql", ".toml")
    )
    return {str(file.relative_to(PROJECT)): file.read_bytes() for file in sorted(found)}


def fingerprint(*parts: object) -> str:
    """A digest that differs when any of the parts differs."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(repr(part).encode())
        digest.update(b"\n")
    return digest.hexdigest()


def write_asterisk(settings: Settings, files: Files) -> None:
    """Replace Asterisk's configuration and give it the directories it writes to."""
    etc = settings.root / "etc/asterisk"
    shutil.rmtree(etc, ignore_errors=True)
    etc.mkdir()
    for name, content in files.items():
        (etc / name).write_bytes(content)
        _give(etc / name, 0, ASTERISK_UID, 0o640)
    for place in ASTERISK_WRITES:
        _make(settings.root / place, ASTERISK_UID, ASTERISK_UID, 0o750)
        for inside in (settings.root / place).rglob("*"):
            os.chown(inside, ASTERISK_UID, ASTERISK_UID, follow_symlinks=False)
    _make(settings.spool, ASTERISK_UID, SPOOL_GID, 0o2770)
    _make(settings.prompts.parent, 0, 0, 0o755)
    _make(settings.prompts, SERVICE_UID, SPOOL_GID, 0o2755)
    write_music(settings.root / "var/lib/asterisk/moh/tone.wav")


def write_service(settings: Settings, config: bytes, policies: Files) -> None:
    """Replace the service's configuration and policies, and give it the directories it writes to."""
    settings.config_file.write_bytes(config)
    _give(settings.config_file, settings.developer_uid, SERVICE_UID, 0o640)
    shutil.rmtree(settings.policies, ignore_errors=True)
    _make(settings.policies, 0, 0, 0o755)
    for name, content in policies.items():
        (settings.policies / name).write_bytes(content)
        _give(settings.policies / name, 0, 0, 0o644)
    _make(settings.data, SERVICE_UID, SERVICE_UID, 0o750)
    for directory in (settings.data / "vault", settings.keys):
        _make(directory, SERVICE_UID, SERVICE_UID, 0o750)


def write_music(file: Path) -> None:
    """Write ten seconds of the waiting music, which repeats without a seam."""
    rate = 8000
    samples = 6000 * np.sin(2 * np.pi * MUSIC_HZ * np.arange(10 * rate) / rate)
    file.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(file), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(samples.astype("<i2").tobytes())
    _give(file.parent, ASTERISK_UID, ASTERISK_UID, 0o750)
    _give(file, ASTERISK_UID, ASTERISK_UID, 0o640)


def _with_secret(name: str, secret: str) -> bytes:
    text = (DIALPLAN / name).read_text()
    if text.count(PLACEHOLDER) != 1:
        raise CannotSetUpError(
            f"{DIALPLAN / name} should hold {PLACEHOLDER} once, as the place of its secret"
        )
    return ("\n" + text.replace(PLACEHOLDER, secret)).encode()


def _extensions(numbers: Iterable[str], fastagi_port: int) -> bytes:
    lines = ["[general]", "static = yes", "writeprotect = yes", "", "[globals]"]
    lines += ["AGENT = Local/agent@simulated-agent", ""]
    lines += [f"#include {name}" for name in (*INCLUDED, *numbers)]
    # Of two values for a global variable the later one counts.
    lines += ["", "[globals]", f"CONSENT_AGI = 127.0.0.1:{fastagi_port}"]
    return ("\n".join(lines) + "\n").encode()


def _make(directory: Path, uid: int, gid: int, mode: int) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    _give(directory, uid, gid, mode)


def _give(path: Path, uid: int, gid: int, mode: int) -> None:
    os.chown(path, uid, gid)
    path.chmod(mode)
