"""``init``: make the keys of controllers. ``recovery-test``: prove that the one kept elsewhere opens something.

Rule: the second identity of a controller is printed once and written nowhere; nothing is sealed to it before it was
printed. What is printed is an identity file as age knows it, so it can be piped to where it is kept; what is said to
people goes to standard error.
"""

import secrets
import sys
from datetime import UTC, datetime

import click

from asterisk_consent.cli.configured import configured
from asterisk_consent.config import Config, load_policies
from asterisk_consent.errors import KeysError, RequestRefusedError
from asterisk_consent.vault.age import Identity, seal, unseal
from asterisk_consent.vault.identities import add_identity, identity_path, load_identities, read_identities
from asterisk_consent.vault.places import make_keys_directory
from asterisk_consent.vault.recipients import (
    RecoveryTest,
    add_recipients,
    has_recipients,
    last_recovery_test,
    note_recovery_test,
    read_recipients,
)

_LOSING = """\
What was printed on standard output is the second identity of {controllers}. Keep it off this machine: printed, on a
stick in a safe, with somebody else. It was written nowhere here and is not shown again.
- Lose this machine, and only the second identity opens the backups of the recordings.
- Lose both, and every recording is gone. Nobody can open one, neither we nor anybody else.
- Somebody who has either of them, and the files, can listen to everything.
Try it before you rely on it: asterisk-consent recovery-test --controller {first}"""


@click.command()
@click.option(
    "--controller", "controllers", multiple=True, metavar="ID", help="Only this controller; may be repeated."
)
@click.option(
    "--name",
    "names",
    multiple=True,
    help="What it is called, in the files; once a --controller or not at all.",
)
@click.option("--add", is_flag=True, help="Add two more identities to those a controller has.")
@configured
def init(config: Config, controllers: tuple[str, ...], names: tuple[str, ...], add: bool) -> None:
    """Make the keys of the controllers of all policies, or of those named. Run it as root.

    Each gets two identities. One is written to paths.identities, for root to open recordings with; the other is
    printed, to be kept off the machine. Both can open what is recorded, the service can open nothing.
    """
    chosen = _chosen(config, controllers, names)
    ready = [each for each in chosen if has_recipients(each, config.keys)]
    new = {each: name for each, name in chosen.items() if add or each not in ready}
    if not new or (controllers and len(new) < len(chosen)):
        raise RequestRefusedError(
            f"there are keys already for {', '.join(ready)}",
            where=str(config.keys),
            remedy="Say --add for two more identities each: they open what is recorded from then on",
        )
    make_keys_directory(config.keys, beside=config.vault)
    for controller, name in new.items():
        _make(config, controller, name)
    click.echo(_LOSING.format(controllers=", ".join(new), first=next(iter(new))), err=True)
    for controller in ready if not add else ():
        click.echo(f"{controller} has its keys already.", err=True)


@click.command("recovery-test")
@click.option("--controller", required=True, metavar="ID", help="Whose second identity is tried.")
@configured
def recovery_test(config: Config, controller: str) -> None:
    """Prove that the identity kept off this machine is there and opens what is sealed to its controller.

    It is read from standard input, as 'init' printed it, and kept nowhere. Run it as root; the moment is noted.
    """
    recipients = read_recipients(controller, config.keys)
    before = last_recovery_test(controller, config.keys)
    if sys.stdin.isatty():
        click.echo("Type or paste the second identity (AGE-SECRET-KEY-1…), then Ctrl-D:", err=True)
    given = read_identities(sys.stdin.read(), where="standard input")
    kept_here = _kept_here(config, controller)
    found = [each for each in given if each.recipient in recipients and each.recipient not in kept_here]
    if not found:
        here = any(each.recipient in kept_here for each in given)
        raise RequestRefusedError(
            "that is the identity which lies on this machine"
            if here
            else f"not an identity of '{controller}'",
            remedy="Give the one that 'init' printed, and that is kept elsewhere",
        )
    value = secrets.token_bytes(32)
    sealed = seal(value, recipients)
    for identity in found:
        if unseal(sealed, [identity]) != value:
            raise KeysError("the identity opens something else than was sealed", where=controller)
        now = datetime.now(UTC).replace(microsecond=0)
        note_recovery_test(controller, config.keys, RecoveryTest(at=now, recipient=identity.recipient))
        click.echo(f"{identity.recipient} opens what is sealed to '{controller}'. Noted: {now.isoformat()}")
    click.echo(f"The last test was {before.at.isoformat()}." if before else "It was the first test.")


def _chosen(config: Config, controllers: tuple[str, ...], names: tuple[str, ...]) -> dict[str, str]:
    """Return the ids of the controllers, each with its name."""
    if names and len(names) != len(controllers):
        raise click.UsageError("--name goes with --controller, once each")
    if names:
        return dict(zip(controllers, names, strict=True))
    if controllers:
        return {controller: controller for controller in controllers}
    found = (each.policy.controller for each in load_policies(config.policies).values())
    return {controller.id: controller.name for controller in found}


def _make(config: Config, controller: str, name: str) -> None:
    """Make two identities: the first is on disk and the second printed before anything is sealed to them."""
    here, elsewhere = Identity.generate(), Identity.generate()
    today = datetime.now(UTC).date()
    called = f"{controller} ({_one_line(name)}), made {today}"
    file = add_identity(
        controller, config.identities, [f"# {called}", f"# public key: {here.recipient}", here.secret]
    )
    for line in (
        f"# second identity of {called}; keep it off the machine",
        f"# public key: {elsewhere.recipient}",
        elsewhere.secret,
    ):
        click.echo(line)
    sys.stdout.flush()
    lines = [
        f"# {called}",
        f"# its identity is {file.name} among the identities",
        here.recipient,
        "# its identity is kept off the machine",
        elsewhere.recipient,
    ]
    written = add_recipients(controller, config.keys, lines)
    click.echo(f"{written}: two recipients; the first identity is in {file}", err=True)


def _kept_here(config: Config, controller: str) -> set[str]:
    try:
        here = load_identities(identity_path(controller, config.identities))
    except KeysError:
        return set()
    return {identity.recipient for identity in here}


def _one_line(text: str) -> str:
    return " ".join(text.split())
