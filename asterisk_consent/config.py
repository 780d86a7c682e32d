"""One TOML file becomes one frozen ``Config``; every problem is reported at once.

The default place is ``/etc/asterisk-consent/asterisk-consent.toml``. Relative paths are taken from the file's
own directory. ``docs/reference/config.md`` describes every key.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from asterisk_consent.errors import ConfigError
from asterisk_consent.policy import Policy, parse_policy
from asterisk_consent.tables import Problems, Table, parse_toml

DEFAULT_CONFIG = Path("/etc/asterisk-consent/asterisk-consent.toml")

_COUNTRY = re.compile(r"[A-Z]{2}")
_ADDRESS = re.compile(r"[!-?A-~]+@[!-?A-~]+")
"""A mail address as far as it matters here: printable ASCII, one @, no blank."""
_HOST_AND_PORT = re.compile(r"(?P<host>\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):(?P<port>[0-9]{1,5})")


@dataclass(frozen=True, slots=True, kw_only=True)
class AriConfig:
    """Where ARI is and who we are there."""

    url: str
    user: str
    password: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AmiConfig:
    """Where AMI is and who we are there."""

    host: str
    port: int
    user: str
    secret: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AgiConfig:
    """Where Asterisk reaches us over FastAGI; port 0: not at all."""

    host: str
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointConfig:
    """The key for checkpoints, and where each of them goes; empty or ``None`` for a way that is not used."""

    key: Path
    directory: Path | None
    mail_to: str
    mail_from: str
    mail_host: str
    mail_port: int
    mail_every_s: float
    syslog: str | tuple[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyholderConfig:
    """Where the key holder is asked, and by whom; without a socket there is none."""

    socket: Path | None
    group: str
    """Name, or number, of the Unix group whose members may ask."""
    per_minute: int
    """Requests that one of them may make in a minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawalConfig:
    """How often receipts may be tried on the withdrawal lines within an hour."""

    attempts_per_caller: int
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything the service and the commands need to know about where they run."""

    file: Path
    ari: AriConfig
    ami: AmiConfig
    agi: AgiConfig
    ledger_path: Path
    spool: Path
    vault: Path
    keys: Path
    """The recipients of each controller, and the key of each recording, sealed to them."""
    identities: Path
    """What opens those; root and the key holder read it, the service's user cannot."""
    policies: Path
    prompts: Path
    prompts_in_asterisk: str
    """The prompts' directory as Asterisk sees it: differs where one of the two runs in a container."""
    region: str
    """Two letters: numbers without a country code belong to this country (ISO 3166-1)."""
    regions: Mapping[str, str]
    """The same by the name of the trunk, for those that belong to another country."""
    min_free_bytes: int
    """With less free space for the ledger, the spool, the vault or the keys no call is asked."""
    key_backups_days: int
    """How long a backup of the keys lives, as the controller states it; 0: there is none."""
    metrics_port: int
    """Prometheus metrics on 127.0.0.1; 0 switches them off."""
    checkpoints: CheckpointConfig
    keyholder: KeyholderConfig
    withdrawal: WithdrawalConfig

    @property
    def bypass(self) -> Path:
        """The file whose presence means that calls pass unasked."""
        return self.ledger_path.with_name("bypass")


def load_config(file: Path) -> Config:
    """Read the configuration.

    :raises ConfigError: the file cannot be read, or has problems; all of them, one a line.
    """
    text = read_text(file, "Name the file with --config, or run asterisk-consent as the user it belongs to")
    problems = Problems(str(file))
    table = parse_toml(text, problems)
    config = _read(table, file)
    table.end()
    problems.raise_any()
    return config


def _read(table: Table, file: Path) -> Config:
    base = file.resolve().parent
    asterisk, paths, limits = table.section("asterisk"), table.section("paths"), table.section("limits")
    ledger_path = base / paths.text("ledger", "/var/lib/asterisk-consent/ledger.sqlite")
    config = Config(
        file=file,
        ari=AriConfig(
            url=asterisk.text("ari_url", "http://127.0.0.1:8088/ari"),
            user=asterisk.text("ari_user", "asterisk-consent"),
            password=asterisk.text("ari_password"),
        ),
        ami=AmiConfig(
            host=asterisk.text("ami_host", "127.0.0.1"),
            port=asterisk.whole("ami_port", 5038, low=1, high=65535),
            user=asterisk.text("ami_user", "asterisk-consent"),
            secret=asterisk.text("ami_secret"),
        ),
        agi=AgiConfig(
            host=asterisk.text("agi_host", "127.0.0.1"),
            port=asterisk.whole("agi_port", 4573, low=0, high=65535),
        ),
        ledger_path=ledger_path,
        spool=base / paths.text("spool", "/var/spool/asterisk-consent"),
        vault=base / paths.text("vault", "/var/lib/asterisk-consent/vault"),
        keys=base / paths.text("keys", "/var/lib/asterisk-consent/keys"),
        identities=base / paths.text("identities", "/etc/asterisk-consent/identities"),
        policies=base / paths.text("policies", "/etc/asterisk-consent/policies"),
        prompts=base / paths.text("prompts", "/var/lib/asterisk-consent/prompts"),
        prompts_in_asterisk=asterisk.text("prompts", "/var/lib/asterisk-consent/prompts"),
        region=table.text("region", "NL"),
        regions=_read_regions(table.section("regions")),
        min_free_bytes=limits.whole("min_free_mb", 100, low=0, high=1_000_000) << 20,
        key_backups_days=limits.whole("key_backups_days", 0, low=0, high=3650),
        metrics_port=limits.whole("metrics_port", 0, low=0, high=65535),
        checkpoints=_read_checkpoints(table.section("checkpoints"), base, ledger_path),
        keyholder=_read_keyholder(table.section("keyholder"), base),
        withdrawal=_read_withdrawal(table.section("withdrawal")),
    )
    if not config.ari.url.startswith(("http://", "https://")):
        asterisk.note("ari_url", f"is {config.ari.url!r}; write http:// or https://, host, port and /ari")
    if not _COUNTRY.fullmatch(config.region):
        table.note(
            "region", f"is {config.region!r}; write the two capital letters of a country, such as 'NL'"
        )
    for section in (asterisk, paths, limits):
        section.end()
    return config


def _read_checkpoints(section: Table, base: Path, ledger: Path) -> CheckpointConfig:
    key, directory = section.text("key", ""), section.text("directory", "")
    mail_to, mail_from = section.text("mail_to", ""), section.text("mail_from", "")
    for name, address in (("mail_to", mail_to), ("mail_from", mail_from)):
        if address and not _ADDRESS.fullmatch(address):
            section.note(name, f"is {address!r}; write one mail address")
    mail_host, mail_port = _place(section, "mail_server", section.text("mail_server", "localhost:25"))
    syslog = section.text("syslog", "")
    config = CheckpointConfig(
        key=base / key if key else ledger.with_name("checkpoint.key"),
        directory=base / directory if directory else None,
        mail_to=mail_to,
        mail_from=mail_from,
        mail_host=mail_host,
        mail_port=mail_port,
        mail_every_s=60.0 * section.whole("mail_every_minutes", 60, low=1, high=1440),
        syslog=syslog if syslog.startswith("/") or not syslog else _place(section, "syslog", syslog),
    )
    section.end()
    return config


def _read_keyholder(section: Table, base: Path) -> KeyholderConfig:
    socket = section.text("socket", "")
    config = KeyholderConfig(
        socket=base / socket if socket else None,
        group=section.text("group", "asterisk-consent-staff"),
        per_minute=section.whole("requests_per_minute", 60, low=1, high=10_000),
    )
    section.end()
    return config


def _read_withdrawal(section: Table) -> WithdrawalConfig:
    config = WithdrawalConfig(
        attempts_per_caller=section.whole("attempts_per_caller", 6, low=1, high=100),
        attempts=section.whole("attempts", 60, low=1, high=10_000),
    )
    section.end()
    return config


def _read_regions(section: Table) -> Mapping[str, str]:
    """Return the country of each trunk that is named."""
    found = {name: section.text(name) for name in section.names()}
    for name, region in found.items():
        if not _COUNTRY.fullmatch(region):
            section.note(name, f"is {region!r}; write the two capital letters of a country, such as 'DE'")
    return found


def _place(section: Table, key: str, text: str) -> tuple[str, int]:
    """Return host and port; an IPv6 address stands in brackets."""
    found = _HOST_AND_PORT.fullmatch(text)
    if found is None or not 0 < int(found["port"]) < 65536:
        if text:
            or_socket = ", or a socket such as '/dev/log'" if key == "syslog" else ""
            section.note(key, f"is {text!r}; write host:port{or_socket}")
        return "", 0
    return found["host"].strip("[]"), int(found["port"])


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyFile:
    """A policy and the bytes it was read from."""

    file: Path
    content: bytes
    policy: Policy

    @property
    def sha256(self) -> str:
        """Digest of its bytes."""
        return sha256(self.content).hexdigest()


def load_policies(directory: Path) -> dict[str, PolicyFile]:
    """Read every ``*.toml`` of a directory, by the policy's id; all or nothing.

    :raises ConfigError: with every problem of every file, one a line.
    """
    policies: dict[str, PolicyFile] = {}
    problems: list[str] = []
    for file in policy_files(directory):
        try:
            found = load_policy(file)
        except ConfigError as error:
            problems.append(str(error))
            continue
        name = found.policy.id
        if name in policies:
            again = Problems(str(file))
            table = parse_toml(found.content.decode("utf-8"), again)
            table.note("id", f"'{name}' is the id of another policy too; ids are unique")
            problems += map(str, again.found)
        policies[name] = found
    if problems:
        raise ConfigError("\n".join(problems))
    return policies


def policy_files(directory: Path) -> list[Path]:
    """Return every ``*.toml`` of a directory.

    :raises ConfigError: there is none.
    """
    files = sorted(directory.glob("*.toml"))
    if not files:
        raise ConfigError(
            "no policy found", where=str(directory), remedy="Put one *.toml file per policy there"
        )
    return files


def load_policy(file: Path) -> PolicyFile:
    """Read one policy file.

    :raises ConfigError: with every problem of the file, one a line.
    """
    text = read_text(file, "Check its permissions")
    return PolicyFile(file=file, content=text.encode(), policy=parse_policy(text, file=str(file)))


def read_text(file: Path, remedy: str) -> str:
    """Read a file that a person wrote.

    :raises ConfigError: it cannot be read; ``remedy`` says what to do.
    """
    try:
        return file.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ConfigError(f"cannot be read: {why}", where=str(file), remedy=remedy) from error
