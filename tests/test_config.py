"""The configuration: one file, one frozen value, every problem at once."""

from pathlib import Path

import pytest

from asterisk_consent.config import (
    CheckpointConfig,
    KeyholderConfig,
    WithdrawalConfig,
    load_config,
    load_policies,
)
from asterisk_consent.errors import ConfigError
from tests.policy.example import EXAMPLE

SMALLEST = '[asterisk]\nari_password = "a"\nami_secret = "b"\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "asterisk-consent.toml"


def complaints(file: Path) -> list[str]:
    with pytest.raises(ConfigError) as raised:
        load_config(file)
    return [line.removeprefix(f"{file}:").lstrip() for line in str(raised.value).splitlines()]


def test_two_secrets_are_all_that_has_to_be_said(file: Path) -> None:
    file.write_text(SMALLEST)

    config = load_config(file)

    assert (config.ari.url, config.ari.user, config.ari.password) == (
        "http://127.0.0.1:8088/ari",
        "asterisk-consent",
        "a",
    )
    assert (config.ami.host, config.ami.port, config.ami.secret) == ("127.0.0.1", 5038, "b")
    assert config.ledger_path == Path("/var/lib/asterisk-consent/ledger.sqlite")
    assert config.bypass == Path("/var/lib/asterisk-consent/bypass")
    assert config.keys == Path("/var/lib/asterisk-consent/keys")
    assert config.identities == Path("/etc/asterisk-consent/identities")
    assert (config.region, config.min_free_bytes, config.metrics_port) == ("NL", 100 << 20, 0)
    assert config.checkpoints == CheckpointConfig(
        key=Path("/var/lib/asterisk-consent/checkpoint.key"),
        directory=None,
        mail_to="",
        mail_from="",
        mail_host="localhost",
        mail_port=25,
        mail_every_s=3600.0,
        syslog="",
    )


def test_the_withdrawal_line_has_limits_that_can_be_set(file: Path) -> None:
    file.write_text(SMALLEST)
    usual = load_config(file).withdrawal
    assert (usual.attempts_per_caller, usual.attempts) == (6, 60)

    file.write_text(SMALLEST + "[withdrawal]\nattempts_per_caller = 3\nattempts = 10\n")
    assert load_config(file).withdrawal == WithdrawalConfig(attempts_per_caller=3, attempts=10)

    file.write_text(SMALLEST + "[withdrawal]\nattempts = 0\nper_caller = 1\n")
    assert len(complaints(file)) == 2


def test_checkpoints_go_where_the_section_says(file: Path, tmp_path: Path) -> None:
    file.write_text(
        SMALLEST + '[checkpoints]\nkey = "k"\ndirectory = "d"\nmail_to = "dpo@example.org"\n'
        'mail_server = "[::1]:587"\nmail_every_minutes = 5\nsyslog = "log.example.org:514"\n'
    )

    checkpoints = load_config(file).checkpoints

    assert (checkpoints.key, checkpoints.directory) == (tmp_path / "k", tmp_path / "d")
    assert (checkpoints.mail_host, checkpoints.mail_port, checkpoints.mail_every_s) == ("::1", 587, 300.0)
    assert checkpoints.syslog == ("log.example.org", 514)
    file.write_text(SMALLEST + '[checkpoints]\nsyslog = "/dev/log"\n')
    assert load_config(file).checkpoints.syslog == "/dev/log"


def test_a_key_holder_is_asked_only_where_its_socket_is_named(file: Path, tmp_path: Path) -> None:
    file.write_text(SMALLEST)
    assert load_config(file).keyholder == KeyholderConfig(
        socket=None, group="asterisk-consent-staff", per_minute=60
    )
    file.write_text(SMALLEST + '[keyholder]\nsocket = "s"\ngroup = "qa"\nrequests_per_minute = 5\n')
    assert load_config(file).keyholder == KeyholderConfig(socket=tmp_path / "s", group="qa", per_minute=5)


def test_a_relative_path_is_taken_from_the_directory_of_the_file(file: Path, tmp_path: Path) -> None:
    file.write_text(SMALLEST + '[paths]\nledger = "data/ledger.sqlite"\nspool = "/elsewhere"\n')

    config = load_config(file)

    assert config.ledger_path == tmp_path / "data" / "ledger.sqlite"
    assert config.bypass == tmp_path / "data" / "bypass"
    assert config.spool == Path("/elsewhere")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (
            SMALLEST.replace('ari_password = "a"', ""),
            "1: asterisk.ari_password: is missing; write a text in quotes",
        ),
        (SMALLEST + 'ami_prot = 1\nami_host = ""', "5: asterisk.ami_host: is empty; write a text"),
        (SMALLEST + "ami_port = 65536", "4: asterisk.ami_port: is 65536; write a number from 1 to 65535"),
        (SMALLEST + 'ami_port = "5038"', "4: asterisk.ami_port: is '5038'; write a number"),
        (
            SMALLEST + 'ari_url = "localhost:8088"',
            "4: asterisk.ari_url: is 'localhost:8088'; write http:// or https://, host, port and /ari",
        ),
        (
            'region = "nl"\n' + SMALLEST,
            "1: region: is 'nl'; write the two capital letters of a country, such as 'NL'",
        ),
        (
            SMALLEST + "[limits]\nmetrics_port = -1",
            "5: limits.metrics_port: is -1; write a number from 0 to 65535",
        ),
        (
            SMALLEST + '[checkpoints]\nmail_to = "dpo"',
            "5: checkpoints.mail_to: is 'dpo'; write one mail address",
        ),
        (
            SMALLEST + '[checkpoints]\nmail_to = "a@example.org, b@example.org"',
            "5: checkpoints.mail_to: is 'a@example.org, b@example.org'; write one mail address",
        ),
        (
            SMALLEST + '[checkpoints]\nmail_from = "a@example.org\\nBcc: b@example.org"',
            r"5: checkpoints.mail_from: is 'a@example.org\nBcc: b@example.org'; write one mail address",
        ),
        (
            SMALLEST + '[checkpoints]\nmail_server = "localhost"',
            "5: checkpoints.mail_server: is 'localhost'; write host:port",
        ),
        (
            SMALLEST + '[checkpoints]\nsyslog = "localhost:99999"',
            "5: checkpoints.syslog: is 'localhost:99999'; write host:port, or a socket such as '/dev/log'",
        ),
        ("paths = 1\n" + SMALLEST, "1: paths: is 1; write a section [paths]"),
    ],
)
def test_a_wrong_value_is_told_with_what_where_and_what_to_write(
    text: str, complaint: str, file: Path
) -> None:
    file.write_text(text)

    assert complaint in complaints(file)


def test_an_unknown_key_is_a_problem_in_every_section(file: Path) -> None:
    file.write_text(
        "typo = 1\n"
        + SMALLEST
        + "typo = 1\n[paths]\ntypo = 1\n[limits]\ntypo = 1\n[checkpoints]\ntypo = 1\n[other]\n"
    )

    unknown = [line.split(": is not known here")[0] for line in complaints(file)]

    assert sorted(unknown, key=lambda each: int(each.split(":")[0])) == [
        "1: typo",
        "5: asterisk.typo",
        "7: paths.typo",
        "9: limits.typo",
        "11: checkpoints.typo",
        "12: other",
    ]


def test_every_problem_is_told_at_once(file: Path) -> None:
    file.write_text('region = "Nederland"\n[asterisk]\nami_port = 0\n[limits]\nmin_free_mb = 0.5\n')

    places = {tuple(line.split(": ")[:2]) for line in complaints(file)}

    assert places == {
        ("1", "region"),
        ("3", "asterisk.ami_port"),
        ("2", "asterisk.ari_password"),
        ("2", "asterisk.ami_secret"),
        ("5", "limits.min_free_mb"),
    }


def test_a_file_that_cannot_be_read_says_so_and_what_to_do(file: Path) -> None:
    (missing,) = complaints(file)
    assert missing.startswith("cannot be read")
    assert "--config" in missing

    file.write_bytes(b"\xff")
    (undecodable,) = complaints(file)
    assert undecodable.startswith("cannot be read")


def test_all_policies_of_a_directory_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(EXAMPLE)
    (tmp_path / "b.toml").write_text(EXAMPLE.replace("p1-nl", "p1-be"))
    (tmp_path / "notes.txt").write_text("no policy")

    assert sorted(load_policies(tmp_path)) == ["p1-be", "p1-nl"]


def test_the_problems_of_all_policies_are_told_at_once_and_none_is_used(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(EXAMPLE)
    (tmp_path / "b.toml").write_text(EXAMPLE.replace('"opt-in"', '"opt-on"'))
    (tmp_path / "c.toml").write_bytes(b"\xff")
    (tmp_path / "d.toml").write_text(EXAMPLE)

    with pytest.raises(ConfigError) as raised:
        load_policies(tmp_path)

    lines = str(raised.value).splitlines()
    assert [line.split(":")[0].rpartition("/")[2] for line in lines] == ["b.toml", "c.toml", "d.toml"]
    assert [line.split(":")[1] for line in lines] == ["4", " cannot be read", "2"]
    assert lines[2].endswith("d.toml:2: id: 'p1-nl' is the id of another policy too; ids are unique")


def test_a_directory_without_a_policy_says_what_to_put_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no policy found\. Put one \*\.toml file per policy there"):
        load_policies(tmp_path / "missing")
