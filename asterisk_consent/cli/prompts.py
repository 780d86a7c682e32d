"""``prompts``: render the announcements of the policies, and check what was rendered."""

from pathlib import Path

import click

import asterisk_consent
from asterisk_consent.cli.configured import configured
from asterisk_consent.config import Config, load_policies
from asterisk_consent.errors import AudioError
from asterisk_consent.policy import Policy
from asterisk_consent.prompts.rendered import PromptSet, load_prompt_set
from asterisk_consent.prompts.text import load_text

_SHIPPED = Path("/usr/share/asterisk-consent/sounds")
_IN_SOURCE = Path(asterisk_consent.__file__).resolve().parents[1] / "sounds"


@click.group()
def prompts() -> None:
    """Render and check the announcements."""


@prompts.command()
@click.option(
    "--texts",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=_IN_SOURCE if _IN_SOURCE.is_dir() else _SHIPPED,
    show_default="those that came with the program",
    help="Where the texts are: <language>/<name>.toml.",
)
@click.option("--voice", help="The espeak-ng voice; by default the one of the policy's language.")
@click.option("--policy", "only", help="Only this policy; by default all.")
@configured
def render(config: Config, texts: Path, voice: str | None, only: str | None) -> None:
    """Render the announcement of every policy with a placeholder voice."""
    # Rendering needs pydub and espeak-ng, which a machine that only answers calls need not have.
    from asterisk_consent.prompts.render import render_prompts

    for policy in _chosen(config, only):
        rendered = render_prompts(
            text=load_text(texts / policy.language / f"{policy.announcement}.toml"),
            values=place_values(policy),
            directory=prompt_directory(config, policy),
            voice=voice or policy.language,
        )
        _show(policy, rendered)


@prompts.command()
@click.option("--policy", "only", help="Only this policy; by default all.")
@configured
def check(config: Config, only: str | None) -> None:
    """Check that every policy has its announcement, unchanged since it was rendered."""
    problems = []
    for policy in _chosen(config, only):
        try:
            _show(policy, load_prompt_set(prompt_directory(config, policy)))
        except AudioError as error:
            problems.append(f"{policy.id}: {error}")
    if problems:
        raise AudioError("\n".join(problems))


def prompt_directory(config: Config, policy: Policy) -> Path:
    """Name the directory that holds the rendered announcement of a policy."""
    return config.prompts / policy.id / policy.language


def place_values(policy: Policy) -> dict[str, str]:
    """Give what the places of the policy's announcement are filled with."""
    return {
        **dict(policy.places),
        "controller": policy.controller_name,
        "agree_digit": policy.agree_digit,
        "refuse_digit": policy.refuse_digit,
        "repeat_digit": policy.repeat_digit,
    }


def _chosen(config: Config, only: str | None) -> list[Policy]:
    policies = load_policies(config.policies)
    if only is None:
        return list(policies.values())
    if only not in policies:
        raise click.BadParameter(f"there is no policy {only}", param_hint="--policy")
    return [policies[only]]


def _show(policy: Policy, rendered: PromptSet) -> None:
    lengths = ", ".join(f"{name} {part.duration_ms / 1000:.1f} s" for name, part in rendered.parts.items())
    click.echo(
        f"{policy.id} ({rendered.language}): {lengths}; voice {rendered.voice}; text {rendered.reviewed_by};"
        f" digest {rendered.digest[:16]}"
    )
    if rendered.has_placeholder_voice:
        click.echo(
            "  The voice is a placeholder: have the text reviewed and recorded before callers hear it."
        )
