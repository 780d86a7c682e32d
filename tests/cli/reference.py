"""Makes ``docs/reference/cli.md`` of the commands' own help: ``python -m tests.cli.reference``.

Rule: the page says what ``--help`` says, so it cannot grow old unnoticed.
"""

import inspect
from collections.abc import Iterator
from pathlib import Path

import click

from asterisk_consent.cli import cli

PAGE = Path(__file__).resolve().parents[2] / "docs/reference/cli.md"
_METAVARS = {"text": "TEXT", "integer range": "N", "file": "FILE", "directory": "DIRECTORY"}
_HEAD = """# The command line

Made from the commands' own help; `python -m tests.cli.reference` makes it anew.

Every command but `dialplan` reads the configuration ([its keys](config.md)) that `--config FILE` names, by default
`/etc/asterisk-consent/asterisk-consent.toml`; a policy FILE that is named needs none. All of them work while the
service is away; `bypass` needs Asterisk.

| exit status | means |
|---|---|
| 0 | fine |
| 1 | refused or failed, with a reason |
| 2 | wrong usage, or a configuration that cannot be used |
| 3 | unexpected: a defect |
| 4 | the ledger's chain does not verify |

An error says what is wrong, where, and what to do. Lists are for people, with `--json` for programs. Times are UTC.
"""
_JSON = """
## What `calls list --json` prints

An array of objects, in the order of the decisions:

| key | value |
|---|---|
| `call_id` | 32 hexadecimal digits, random |
| `alias` | what the dialplan called the call (`CONSENT_ID`), or `null` |
| `started_at` | when the call reached the service, ISO 8601 |
| `controller`, `policy`, `policy_version`, `language` | what the caller was asked, for whom |
| `announcement` | digest of what was announced, in that language; `null` where nothing was |
| `direction` | `incoming` or `outgoing` |
| `outcome` | `given`, `refused`, `objected`, `informed`, `no_choice`, `abandoned`, `aborted`, `failed` |
| `played_ms` | how much of the announcement was played, repetitions included |
| `purposes` | what a recording may be used for: the purposes announced in that language |
| `reason` | why, where the outcome does not say it all |
| `recording` | `null`, or an object with `id`, `state`, `duration_s`, `reason` and `erased_at` |
| `mismatch` | what does not fit between the decision and the files; `null` where all is well |

Number, name, digit, dialled number and the course of asking are sealed. `calls show CALL --open` adds `opened`: for
each entry about the call `seq`, `kind`, `at` and `payload` ([its fields](storage.md#payload)), `null` where it was
erased.

`state` is `allowed`, `recording` or `closing` on the way, and in the end `verified`, `failed` or `not_started`.
Number, name and digit are sealed: `calls show CALL --open`. `calls show` adds `restricted`, `requests` and
`legal_holds`.
`given` and `informed` allow a recording; [which mode leads to which outcome](policy.md#what-happens-in-each-mode).

## What `doctor --json` prints

An array of objects, one a finding, in the order in which they were made:

| key | value |
|---|---|
| `check` | the part that was looked at, such as `keys`, `spool`, `checkpoints`, `elsewhere` |
| `level` | `ok`, `warn`, `error`, `unknown` |
| `what` | what was found |
| `where` | file, directory or address; empty where `what` says it |
| `remedy` | what to do; empty with `ok` |

`unknown` is what could not be looked at: with the rights of whoever ran it, or because Asterisk or its files are not
there. Only `error` ends with 1. No number and no secret is in it.
"""


def reference() -> str:
    """Return the page."""
    return _HEAD + "".join(_sections(cli, ("asterisk-consent",))) + _JSON


def _sections(command: click.Command, path: tuple[str, ...]) -> Iterator[str]:
    if isinstance(command, click.Group):
        if len(path) > 1:
            yield f"\n## {path[-1]}\n\n{_text(command)}\n"
        for name in sorted(command.commands):
            yield from _sections(command.commands[name], (*path, name))
        return
    arguments = " ".join(
        param.metavar or (param.name or "").upper()
        for param in command.params
        if isinstance(param, click.Argument)
    )
    level = "###" if len(path) > 2 else "##"
    yield f"\n{level} {' '.join(path[1:])}\n\n`{' '.join((*path, arguments)).strip()}`\n\n{_text(command)}\n"
    yield from _options(command)


def _options(command: click.Command) -> Iterator[str]:
    options = [param for param in command.params if isinstance(param, click.Option)]
    if options:
        yield "\n| option | |\n|---|---|\n"
    for option in options:
        value = "" if option.is_flag else f" {option.metavar or _METAVARS[option.type.name]}"
        needed = " Needed." if option.required else ""
        yield f"| `{', '.join(option.opts)}{value}` | {(option.help or '').replace('<', '&lt;')}{needed} |\n"


def _text(command: click.Command) -> str:
    paragraphs = inspect.cleandoc(command.help or "").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


if __name__ == "__main__":
    PAGE.write_text(reference(), encoding="utf-8")
