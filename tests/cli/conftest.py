"""A configuration whose directories are all in the test's own one."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from asterisk_consent.config import Config, load_config

POLICIES = Path(__file__).resolve().parents[2] / "policies"


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """What a command sets up for its own log is not left to other tests."""
    yield
    structlog.reset_defaults()


@pytest.fixture
def config(tmp_path: Path) -> Config:
    for name in ("spool", "vault", "keys"):
        (tmp_path / name).mkdir()
    file = tmp_path / "asterisk-consent.toml"
    file.write_text(
        f"""
        [asterisk]
        ari_password = "x"
        ami_secret = "x"
        ari_url = "http://127.0.0.1:1/ari"
        [paths]
        ledger = "ledger.sqlite"
        spool = "spool"
        vault = "vault"
        keys = "keys"
        identities = "identities"
        policies = "{POLICIES}"
        prompts = "prompts"
        """,
        encoding="utf-8",
    )
    return load_config(file)
