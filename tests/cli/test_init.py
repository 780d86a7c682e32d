"""``init`` and ``recovery-test``: two identities a controller, one of them never written here, and tried."""

from collections.abc import Iterable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from asterisk_consent.cli.init import init, recovery_test
from asterisk_consent.config import Config, load_policies
from asterisk_consent.errors import ConsentError, KeysError, RequestRefusedError
from asterisk_consent.vault.age import Identity
from asterisk_consent.vault.identities import identity_path, load_identities, read_identities
from asterisk_consent.vault.recipients import last_recovery_test, read_recipients, recipients_path


def run(config: Config, *arguments: str) -> Result:
    return CliRunner().invoke(init, arguments, obj=config)


def refused(result: Result) -> ConsentError:
    assert isinstance(result.exception, ConsentError), result.output
    return result.exception


def made(config: Config, controller: str = "firm", *more: str) -> Identity:
    """Make the keys of a controller; return the identity that was printed."""
    result = run(config, "--controller", controller, *more)
    assert result.exit_code == 0, result.output
    (printed,) = read_identities(result.stdout, where="what was printed")
    return printed


def try_out(config: Config, text: str, controller: str = "firm") -> Result:
    return CliRunner().invoke(recovery_test, ["--controller", controller], input=text, obj=config)


def files(places: Iterable[Path]) -> list[Path]:
    return [file for place in places for file in place.rglob("*") if file.is_file()]


def test_every_controller_of_the_policies_gets_two_recipients_of_which_one_identity_is_here(
    config: Config,
) -> None:
    result = run(config)

    assert result.exit_code == 0, result.output
    controllers = {each.policy.controller.id for each in load_policies(config.policies).values()}
    printed = read_identities(result.stdout, where="what was printed")
    assert len(printed) == len(controllers) > 2
    for controller in controllers:
        (here,) = load_identities(identity_path(controller, config.identities))
        first, second = read_recipients(controller, config.keys)
        assert first == here.recipient
        assert second in {each.recipient for each in printed}


def test_the_second_identity_is_printed_and_written_nowhere(config: Config, tmp_path: Path) -> None:
    printed = made(config)
    assert files([tmp_path])
    assert not [file for file in files([tmp_path]) if printed.secret.encode() in file.read_bytes()]


def test_what_is_printed_is_an_identity_file_and_what_is_said_goes_elsewhere(config: Config) -> None:
    result = run(config, "--controller", "firm", "--name", "Firm BV\nof Rotterdam")
    lines = result.stdout.splitlines()
    assert [line[0] for line in lines] == ["#", "#", "A"]
    assert "firm (Firm BV of Rotterdam)" in lines[0]
    assert "Lose both, and every recording is gone" in result.stderr
    assert "recovery-test --controller firm" in result.stderr
    assert "AGE-SECRET-KEY" not in result.stderr


def test_the_identity_is_for_its_owner_only(config: Config) -> None:
    made(config)
    path = identity_path("firm", config.identities)
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_again_it_refuses_and_changes_nothing(config: Config, tmp_path: Path) -> None:
    made(config)
    before = {file: file.read_bytes() for file in files([tmp_path])}
    result = run(config, "--controller", "firm")
    assert isinstance(refused(result), RequestRefusedError)
    assert "--add" in str(result.exception)
    assert result.stdout == ""
    assert {file: file.read_bytes() for file in files([tmp_path])} == before


def test_the_controllers_of_new_policies_are_added_and_the_others_left_alone(config: Config) -> None:
    first = load_policies(config.policies)["p1-nl"].policy.controller.id
    made(config, first)
    before = read_recipients(first, config.keys)

    result = run(config)

    assert result.exit_code == 0, result.output
    assert f"{first} has its keys already" in result.stderr
    assert read_recipients(first, config.keys) == before
    assert isinstance(refused(run(config)), RequestRefusedError)


def test_add_makes_two_more_and_keeps_those_there_are(config: Config) -> None:
    old = made(config)
    new = made(config, "firm", "--add")
    recipients = read_recipients("firm", config.keys)
    assert len(recipients) == 4
    assert {old.recipient, new.recipient} < set(recipients)
    assert len(load_identities(identity_path("firm", config.identities))) == 2


def test_nothing_is_sealed_to_an_identity_that_could_not_be_printed(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object, **__: object) -> None:
        raise BrokenPipeError

    with monkeypatch.context() as patched:
        patched.setattr("click.echo", gone)
        run(config, "--controller", "firm")
    assert not recipients_path("firm", config.keys).exists()
    made(config)


def test_names_go_with_controllers(config: Config) -> None:
    assert run(config, "--name", "Firm").exit_code == 2
    assert "not the id of a controller" in str(refused(run(config, "--controller", "../firm")))


def test_the_directory_of_the_keys_is_made_for_whom_the_vault_belongs_to(config: Config) -> None:
    config.keys.rmdir()
    made(config)
    assert config.keys.stat().st_uid == config.vault.stat().st_uid
    assert config.keys.stat().st_mode & 0o777 == 0o750


def test_the_second_identity_opens_a_test_value_and_the_moment_is_kept(config: Config) -> None:
    printed = made(config)
    result = try_out(config, f"# from the safe\n{printed.secret}\n")
    assert result.exit_code == 0, result.output
    assert "It was the first test." in result.output
    test = last_recovery_test("firm", config.keys)
    assert test is not None
    assert test.recipient == printed.recipient
    assert printed.secret not in result.output
    assert "The last test was" in try_out(config, printed.secret).output


@pytest.mark.parametrize("which", ["here", "other", "none", "text"])
def test_nothing_else_passes_the_test(config: Config, which: str) -> None:
    made(config)
    (here,) = load_identities(identity_path("firm", config.identities))
    text = {"here": here.secret, "other": Identity.generate().secret, "none": "", "text": "swordfish"}[which]
    error = refused(try_out(config, text))
    assert {"here": "lies on this machine", "other": "not an identity of 'firm'"}.get(
        which, "identity"
    ) in str(error)
    assert last_recovery_test("firm", config.keys) is None
    assert "swordfish" not in str(error)


def test_without_recipients_there_is_nothing_to_try(config: Config) -> None:
    error = refused(try_out(config, Identity.generate().secret))
    assert isinstance(error, KeysError)
    assert "asterisk-consent init" in str(error)
