"""The service's user cannot open what the service wrote, with everything that it can reach on this machine."""

import json
import subprocess
import sys
from pathlib import Path

from asterisk_consent.ledger import Kind
from tests.pbx.development import DevelopmentPbx
from tests.pbx.scenarios.evidence import list_files
from tests.pbx.scenarios.recorded import export, from_vault
from tests.pbx.scenarios.round import Round
from tests.pbx.settings import SERVICE_UID
from tests.pbx.users import as_service

TRIES = r"""
import json, os, re, sqlite3, sys
from pathlib import Path
import pyrage

SECRET = re.compile(rb"AGE-SECRET-KEY-1[0-9A-Z]{58}")
read, closed, secrets = 0, [], set()
for place in map(Path, sys.argv[1:]):
    for directory, _, names in os.walk(place, onerror=lambda error: closed.append(error.filename)):
        for name in names:
            file = Path(directory, name)
            try:
                content = file.read_bytes() if file.is_file() else b""
            except OSError:
                closed.append(str(file))
                continue
            read += 1
            secrets |= set(SECRET.findall(content))
identities = [pyrage.x25519.Identity.from_str(each.decode()) for each in secrets]
sealed = {file.name: file.read_bytes() for place in sys.argv[1:3] for file in Path(place).rglob("*.age")}
tables = {"ledger.sqlite": "SELECT seq, body FROM payload", "keys/proof.sqlite": "SELECT id, wrapped FROM key"}
for place, query in tables.items():
    with sqlite3.connect(f"file:{Path(sys.argv[4], place)}?mode=ro", uri=True) as connection:
        for number, content in connection.execute(query):
            start = content.find(b"age-encryption.org/v1")
            if start >= 0:
                sealed[f"{place} {number}"] = content[start:]
opened = []
for name, content in sealed.items():
    for identity in [*identities, pyrage.x25519.Identity.generate()]:
        try:
            pyrage.decrypt(content, [identity])
            opened.append(name)
        except pyrage.DecryptError:
            pass
print(json.dumps({"uid": os.getuid(), "read": read, "closed": closed, "secrets": len(secrets),
                  "sealed": list(sealed), "opened": opened}))
"""


def test_the_service_cannot_open_what_it_wrote(asked: Round, pbx: DevelopmentPbx) -> None:
    settings = pbx.settings
    end = asked["agreed"].end
    assert end[0] is Kind.RECORDING_VERIFIED
    vault, home = settings.data / "vault", settings.home
    places = [vault, settings.keys, settings.identities, settings.data, settings.policies, settings.spool]
    places += [home / "log", home / "run"]
    program = [sys.executable, "-c", TRIES, *map(str, places)]
    done = subprocess.run(as_service(settings, program), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)

    assert found["uid"] == SERVICE_UID
    assert str(settings.identities) in found["closed"]
    assert found["read"] > 10
    assert f"{end[1].recording_id}.flac.age" in found["sealed"]
    assert len([name for name in found["sealed"] if name.endswith(".age")]) >= 2 * len(list_files(vault))
    for place in ("ledger.sqlite ", "keys/proof.sqlite "):
        assert len([name for name in found["sealed"] if name.startswith(place)]) >= len(asked.calls) / 2
    assert (found["secrets"], found["opened"]) == (0, [])


def test_the_service_cannot_open_what_was_entered_and_its_controller_can(
    asked: Round, pbx: DevelopmentPbx
) -> None:
    call = asked["agreed"]
    arguments = ("calls", "show", call.header.call_id, "--open", "--reason", "to read back")
    done = pbx.service.run(*arguments)
    assert done.returncode == 1
    assert "run as root, or name the identity" in done.stderr.lower()
    assert done.stdout == ""
    assert call.caller.number in pbx.consent_as_root(*arguments)


def test_the_service_cannot_export_and_its_controller_can(
    asked: Round, pbx: DevelopmentPbx, exports: Path
) -> None:
    recording_id = str(asked["agreed"].decision.recording_id)
    file = exports / "by-the-service.wav"
    arguments = ("--reason", "to read back", "--to", "the service", "-o", str(file))
    done = pbx.service.run("recordings", "export", recording_id, *arguments)
    assert done.returncode == 1
    assert "run as root, or name the identity" in done.stderr.lower()
    assert not file.exists()
    handed_out = export(pbx, recording_id, exports)
    assert len(handed_out.caller) == len(from_vault(pbx, recording_id).caller) > 0
