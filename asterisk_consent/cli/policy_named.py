"""Finds the policy that a command is about, with what its callers hear.

Rule: a file needs no configuration, so that a policy can be looked at on any machine.
"""

from collections.abc import Mapping
from pathlib import Path

import click

from asterisk_consent.cli.configured import config_of
from asterisk_consent.config import PolicyFile, load_policies, load_policy
from asterisk_consent.errors import ConfigError
from asterisk_consent.policy import Policy
from asterisk_consent.prompts.lint import is_reviewed
from asterisk_consent.prompts.review import spoken_announcement

named_argument = click.argument("named", metavar="FILE|POLICY")


def named_policy(context: click.Context, named: str) -> PolicyFile:
    """Return the policy in the file ``named``, or the one of the configuration that has this id.

    :raises ConfigError: there is neither, or the file has problems.
    """
    file = Path(named)
    if file.is_file():
        return load_policy(file)
    if file.suffix or file.name != named:
        raise ConfigError("there is no such file", where=named, remedy="Name a policy file, or a policy's id")
    try:
        config = config_of(context)
    except ConfigError as error:
        raise ConfigError(
            f"there is no such file, and the configuration cannot be used: {error}", where=named
        ) from error
    policies = load_policies(config.policies)
    if named not in policies:
        raise ConfigError(
            "there is no such policy", where=named, remedy=f"There are: {', '.join(sorted(policies))}"
        )
    return policies[named]


def announcements_of(policy: Policy, texts: Path) -> tuple[Mapping[str, Mapping[str, str]], tuple[str, ...]]:
    """Return what is spoken, by language and part, and the languages whose text nobody has reviewed.

    :raises ConfigError: a text is missing or cannot be filled in.
    """
    spoken, unreviewed = {}, []
    for language in policy.languages:
        text, spoken[language] = spoken_announcement(policy, language, texts)
        if not is_reviewed(text):
            unreviewed.append(language)
    return spoken, tuple(unreviewed)
