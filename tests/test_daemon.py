"""How the configuration becomes the parts of the service."""

from pathlib import Path

import pytest

from asterisk_consent.config import CheckpointConfig, load_config
from asterisk_consent.daemon import _witnesses
from asterisk_consent.ledger.witness import Directory, Mail, Syslog, Witness


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
    assert _witnesses(configured(tmp_path, text)) == expected
