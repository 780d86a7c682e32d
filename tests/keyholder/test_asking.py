"""A command asks the key holder where there is one, and takes an identity where one is named or there is none."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from asterisk_consent.cli.keyholder import keyholder
from asterisk_consent.cli.opening import released
from asterisk_consent.config import Config, KeyholderConfig, load_config
from asterisk_consent.errors import ConfigError, KeysError
from asterisk_consent.keyholder.listening import listen
from asterisk_consent.ledger.entry import Kind
from asterisk_consent.rights.access import Wanted
from asterisk_consent.vault.age import Identity
from asterisk_consent.vault.identities import identity_path
from tests.keyholder.place import REASON, RECORDED, Place
from tests.ledger.entries import CONTROLLER
from tests.vault.keyring import Keyring

WANTED = Wanted(
    call_id=RECORDED, kind=Kind.RECORDING_OPENED, person="whoever the command found", reason=REASON
)


@pytest.fixture
def config(place: Place) -> Config:
    file = place.root / "asterisk-consent.toml"
    file.write_text('[asterisk]\nari_password = "x"\nami_secret = "x"\n')
    return replace(load_config(file), ledger_path=place.ledger, keys=place.keys, identities=place.identities)


def with_socket(config: Config, socket: Path) -> Config:
    return replace(config, keyholder=KeyholderConfig(socket=socket, group="0", per_minute=60))


async def keys(config: Config, identity: Path | None = None) -> tuple[Identity, ...]:
    return await asyncio.to_thread(released, config, WANTED, controller=CONTROLLER, identity=identity)


async def test_the_key_is_the_same_whichever_way_it_comes(
    place: Place, config: Config, socket: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUDO_USER", "anna")
    named = tmp_path / "named.txt"
    named.write_text(Keyring(place.keys).elsewhere.secret)
    without = await keys(config)
    assert await keys(with_socket(config, socket)) == without
    assert await keys(with_socket(config, socket), named) == without
    people = [entered.person for entered in place.accesses()]
    assert people == [WANTED.person, "root for anna", WANTED.person]


async def test_where_the_socket_is_not_there_the_identity_is_taken(place: Place, config: Config) -> None:
    assert await keys(with_socket(config, place.root / "nothing"))
    identity_path(CONTROLLER, place.identities).unlink()
    with pytest.raises(KeysError, match="the identity cannot be read"):
        await keys(with_socket(config, place.root / "nothing"))


async def test_a_key_holder_that_does_not_answer_is_not_gone_round(place: Place, config: Config) -> None:
    left_over = place.root / "left-over"
    listen(left_over, 0).close()
    with pytest.raises(KeysError, match="cannot be asked"):
        await keys(with_socket(config, left_over))
    assert place.reads() == []


def test_without_a_socket_in_the_configuration_there_is_no_key_holder(config: Config) -> None:
    error = CliRunner().invoke(keyholder, obj=config).exception
    assert isinstance(error, ConfigError)
    assert "no socket is named" in str(error)


def test_the_key_holder_does_not_start_as_the_owner_of_the_ledger(config: Config, place: Place) -> None:
    error = CliRunner().invoke(keyholder, obj=with_socket(config, place.root / "s")).exception
    assert "runs as the user of the service" in str(error)
    assert not (place.root / "s").exists()
