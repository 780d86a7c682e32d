"""Three users of one machine: the service opens nothing, staff read through the key holder, a stranger gets nowhere."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pytest

from asterisk_consent.ledger import Kind, verify
from asterisk_consent.ledger.payload import Export
from tests.keyholder.installation import SERVICE, STAFF, STRANGER, Installation
from tests.keyholder.place import RECORDED, RESTRICTED, UNKNOWN, Place, request_line
from tests.ledger.entries import CALLER, hex_id
from tests.pbx.users import User
from tests.vault.tones import RATE, read_channels

TRIES = r"""
import json, os, re, socket, sys
from pathlib import Path
import pyrage

SECRET = re.compile(rb"AGE-SECRET-KEY-1[0-9A-Z]{58}")
root, request = Path(sys.argv[1]), sys.argv[2].encode()
closed, read, secrets, writable = [], [], set(), []
for directory, _, names in os.walk(root, onerror=lambda error: closed.append(error.filename)):
    for file in (Path(directory, name) for name in names):
        try:
            content = file.read_bytes() if file.is_file() else b""
            read.append(str(file.relative_to(root)))
        except OSError:
            closed.append(str(file))
            continue
        secrets |= set(SECRET.findall(content))
        if file.is_file() and os.access(file, os.W_OK):
            writable.append(str(file.relative_to(root)))
try:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(root / "run/socket"))
        connection.sendall(request)
        answer = connection.recv(1 << 20).decode()
except OSError as error:
    answer = type(error).__name__
print(json.dumps({"uid": os.getuid(), "closed": closed, "read": read, "secrets": len(secrets),
                  "writable": writable, "answer": answer}))
"""


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody came to: files by their place in the installation, directories and closed files by their path."""

    uid: int
    closed: set[str]
    read: set[str]
    writable: set[str]
    secrets: int
    answer: str


@pytest.fixture(scope="module")
def machine() -> Iterator[Installation]:
    """An installation whose service and key holder run."""
    with TemporaryDirectory(prefix="keyholder-") as directory:
        installation = Installation(Place(Path(directory)))
        installation.lay_out()
        with installation.service() as service, installation.keyholder():
            yield installation
            _enter_one_more(service)
        assert verify(installation.place.ledger).problem is None


def _enter_one_more(service: "subprocess.Popen[str]") -> None:
    """The service can go on beside everything that the key holder and staff did."""
    assert service.stdin is not None
    assert service.stdout is not None
    service.stdin.write("7\n")
    service.stdin.flush()
    assert service.stdout.readline() == "entered\n"


def tried(machine: Installation, user: User) -> Found:
    """Let somebody try everything that they can reach."""
    done = machine.run(user, sys.executable, "-c", TRIES, str(machine.place.root), request_line().decode())
    assert done.returncode == 0, done.stderr
    found = msgspec.json.decode(done.stdout, type=Found)
    assert found.uid == user.uid
    return found


def export(machine: Installation, user: User, file: Path, *more: str) -> "subprocess.CompletedProcess[str]":
    why = ("--reason", "complaint 17", "--to", "the caller")
    return machine.consent(user, "recordings", "export", RECORDED, *why, "-o", str(file), *more)


def test_staff_export_through_the_key_holder_and_are_entered_by_who_they_are(machine: Installation) -> None:
    file = machine.home / "out.wav"
    done = export(machine, STAFF, file)
    assert done.returncode == 0, done.stderr
    assert len(read_channels(file)[0]) == 2 * RATE
    entered = machine.place.accesses()[-1]
    assert isinstance(entered, Export)
    assert (entered.person, entered.recipient) == (f"uid {STAFF.uid}", "the caller")


def test_staff_see_what_was_entered_about_a_call(machine: Installation) -> None:
    done = machine.consent(STAFF, "calls", "show", RECORDED, "--open", "--reason", "complaint 17")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["opened"][0]["payload"]["caller"] == CALLER


def test_the_same_is_shown_with_the_key_holder_and_with_the_identity_as_root(machine: Installation) -> None:
    show = ("calls", "show", RECORDED, "--open", "--reason", "complaint 17")
    by_staff = json.loads(machine.consent(STAFF, *show).stdout)
    identity = str(next(machine.place.identities.glob("*.txt")))
    by_root = json.loads(machine.consent_as_root(*show, "--identity", identity).stdout)
    assert by_root["opened"][: len(by_staff["opened"])] == by_staff["opened"]


@pytest.mark.parametrize(("call_id", "why"), [(RESTRICTED, "restricted"), (UNKNOWN, "no such call")])
def test_staff_are_refused_what_is_restricted_or_unknown(
    machine: Installation, call_id: str, why: str
) -> None:
    done = machine.consent(STAFF, "calls", "show", call_id, "--open", "--reason", "complaint 17")
    assert done.returncode == 1
    assert why in done.stderr
    assert not [header for header in machine.place.headers() if header.call_id == UNKNOWN]


def test_staff_without_a_reason_get_nothing_and_nothing_is_entered(machine: Installation) -> None:
    before = machine.place.reads()
    done = machine.consent(STAFF, "calls", "show", RECORDED, "--open")
    assert (done.returncode, "no reason given" in done.stderr) == (1, True)
    assert machine.place.reads() == before


def test_staff_read_no_key_and_no_identity_and_write_nothing_of_ours(machine: Installation) -> None:
    found = tried(machine, STAFF)
    assert {str(machine.place.keys), str(machine.place.identities)} <= found.closed
    assert "ledger/ledger.sqlite" in found.read
    assert [name for name in found.writable if not name.startswith("home/")] == []
    assert found.secrets == 0
    assert '"released"' in found.answer


def test_the_service_opens_nothing_and_is_not_answered(machine: Installation) -> None:
    before = machine.place.reads()
    found = tried(machine, SERVICE)
    assert str(machine.place.identities) in found.closed
    assert f"vault/{hex_id(1)}.flac.age" in found.read
    assert (found.secrets, found.answer) == (0, "PermissionError")
    for command in (
        ("calls", "show", RECORDED, "--open", "--reason", "curious"),
        (
            "recordings",
            "export",
            RECORDED,
            "--reason",
            "x",
            "--to",
            "x",
            "-o",
            f"{machine.place.spool}/o.wav",
        ),
    ):
        done = machine.consent(SERVICE, *command)
        assert (done.returncode, "cannot be asked: Permission denied" in done.stderr) == (1, True)
        assert CALLER not in done.stdout
    assert not list(machine.place.spool.glob("*.wav"))
    assert machine.place.reads() == before


def test_a_stranger_gets_nowhere(machine: Installation) -> None:
    found = tried(machine, STRANGER)
    places = (machine.place.ledger.parent, machine.place.keys, machine.place.vault, machine.place.identities)
    assert set(map(str, places)) <= found.closed
    assert (found.secrets, found.answer) == (0, "PermissionError")


def test_no_key_leaves_when_the_key_holder_may_not_write_the_ledger(machine: Installation) -> None:
    before = machine.place.reads()
    file = machine.home / "never.wav"
    machine.place.ledger.chmod(0o644)
    try:
        done = export(machine, STAFF, file)
    finally:
        machine.place.ledger.chmod(0o664)
    assert (done.returncode, "ledger cannot be used now" in done.stderr) == (1, True)
    assert not file.exists()
    assert machine.place.reads() == before


def test_the_key_holder_does_not_run_as_the_services_user(machine: Installation) -> None:
    done = machine.consent(SERVICE, "keyholder")
    assert (done.returncode, "runs as the user of the service" in done.stderr) == (1, True)


def test_the_log_tells_who_read_which_call_and_nothing_that_is_sealed() -> None:
    with TemporaryDirectory(prefix="keyholder-") as directory:
        installation = Installation(Place(Path(directory)))
        installation.lay_out()
        with installation.service(), installation.keyholder() as keyholder:
            export(installation, STAFF, installation.home / "out.wav")
            installation.consent(STAFF, "calls", "show", RESTRICTED, "--open", "--reason", CALLER)
            keyholder.terminate()
            _, said = keyholder.communicate(timeout=30)
        assert keyholder.returncode == 0
        assert not installation.socket.exists()
    logged = [json.loads(line) for line in said.splitlines()]
    assert [each["event"] for each in logged] == [
        "keyholder.started",
        "keyholder.released",
        "keyholder.refused",
        "keyholder.stopped",
    ]
    assert (logged[1]["kind"], logged[2]["call_id"]) == (Kind.RECORDING_EXPORTED, RESTRICTED)
    assert not [word for word in ("AGE-SECRET", CALLER, "complaint 17") if word in said]


def test_while_the_service_is_away_staff_are_told_and_root_still_exports() -> None:
    with TemporaryDirectory(prefix="keyholder-") as directory:
        installation = Installation(Place(Path(directory)))
        installation.lay_out()
        with installation.service():
            pass
        with installation.keyholder():
            away = export(installation, STAFF, installation.home / "out.wav")
        assert (away.returncode, "ledger cannot be used now" in away.stderr) == (1, True)
        assert "service" in away.stderr
        why = ("--reason", "complaint 17", "--to", "the caller", "-o", f"{directory}/root.wav")
        by_root = installation.consent_as_root("recordings", "export", RECORDED, *why)
        assert by_root.returncode == 0, by_root.stderr
        with installation.keyholder(), installation.service(again=True):
            assert export(installation, STAFF, installation.home / "out.wav").returncode == 0
