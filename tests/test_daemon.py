"""How the configuration becomes the parts of the service, and that it starts and stops without an Asterisk."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from asterisk_consent.config import CheckpointConfig, load_config
from asterisk_consent.ledger import verify
from asterisk_consent.ledger.checkpoint import read_checkpoint
from asterisk_consent.ledger.courier import END_WITHIN_S
from asterisk_consent.ledger.witness import Directory, Mail, Syslog, Witness
from asterisk_consent.witnesses import witnesses
from tests.ledger.mail_server import mail_server

POLICIES = Path(__file__).resolve().parents[1] / "policies"
SERVE = "from asterisk_consent.cli import main; main()"


def configured(directory: Path, text: str) -> CheckpointConfig:
    file = directory / "asterisk-consent.toml"
    file.write_text(f'[asterisk]\nari_password = "a"\nami_secret = "b"\n[checkpoints]\n{text}\n')
    return load_config(file).checkpoints


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ('directory = "/mnt/elsewhere"', [Directory(path=Path("/mnt/elsewhere"))]),
        (
            'mail_to = "dpo@example.org"\nmail_every_minutes = 1',
            [Mail(to="dpo@example.org", sender="", host="localhost", port=25, every_s=60.0)],
        ),
        ('syslog = "/dev/log"', [Syslog(address="/dev/log")]),
        ('syslog = "log.example.org:514"', [Syslog(address=("log.example.org", 514))]),
    ],
)
def test_checkpoints_go_to_the_places_that_are_configured_and_to_no_other(
    tmp_path: Path, text: str, expected: list[Witness]
) -> None:
    assert witnesses(configured(tmp_path, text)) == expected


def wait_for(elsewhere: Path, files: int) -> list[Path]:
    give_up_at = time.monotonic() + 20.0
    while len(found := sorted(elsewhere.rglob("*.json"))) < files:
        assert time.monotonic() < give_up_at
        time.sleep(0.05)
    return found


def test_the_service_brings_a_checkpoint_elsewhere_at_its_start_and_end_and_stops_in_time(
    tmp_path: Path,
) -> None:
    """A mail server that says nothing does not keep it from either."""
    elsewhere = tmp_path / "elsewhere"
    for name in ("spool", "vault", "elsewhere"):
        (tmp_path / name).mkdir()
    file = tmp_path / "asterisk-consent.toml"
    with mail_server(silent=True) as server:
        file.write_text(
            '[asterisk]\nari_url = "http://127.0.0.1:1/ari"\nari_password = "a"\nami_port = 1\nami_secret = "b"\n'
            'agi_port = 0\n[paths]\nledger = "ledger.sqlite"\nspool = "spool"\nvault = "vault"\n'
            f'policies = "{POLICIES}"\nprompts = "prompts"\n[limits]\nmin_free_mb = 0\n[checkpoints]\n'
            f'directory = "elsewhere"\nmail_to = "dpo@example.org"\nmail_server = "127.0.0.1:{server.port}"\n'
        )
        arguments = [sys.executable, "-c", SERVE, "--config", str(file), "serve"]
        with subprocess.Popen(
            arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as served:
            try:
                wait_for(elsewhere, 1)
                began = time.monotonic()
                served.send_signal(signal.SIGTERM)
                said, _ = served.communicate(timeout=30)
            finally:
                served.kill()
    assert served.returncode == 0, said
    assert time.monotonic() - began < END_WITHIN_S + 3.0
    kept = [read_checkpoint(each.read_bytes()) for each in wait_for(elsewhere, 2)]
    assert [each.number for each in kept] == [1, 2]
    report = verify(tmp_path / "ledger.sqlite", checkpoints=kept)
    assert (report.problem, report.entries) == (None, kept[-1].seq)
    assert (tmp_path / "checkpoint.key").stat().st_mode & 0o777 == 0o600
