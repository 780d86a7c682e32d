"""``prompts``: render the announcements of the policies, import studio recordings, check both, play them.

Rule: what is played is what the policy and its reviewed text say; a machine's voice is a placeholder.
"""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import click

from asterisk_consent.calls.approving import time_problem
from asterisk_consent.calls.audition import APP as AUDITION
from asterisk_consent.calls.audition import Audition
from asterisk_consent.calls.loading import announcement_directory, load_prompts
from asterisk_consent.cli.configured import configured
from asterisk_consent.cli.prompts_line import digit_problems, render_digits
from asterisk_consent.cli.texts import texts_option
from asterisk_consent.config import Config, load_policies
from asterisk_consent.errors import AudioError, ConfigError
from asterisk_consent.model import Mode
from asterisk_consent.pbx.ari import AriClient
from asterisk_consent.policy import Policy
from asterisk_consent.prompts.rendered import PromptSet
from asterisk_consent.prompts.review import spoken_announcement, wording_problems
from asterisk_consent.prompts.wording import wording_of

only_policy = click.option("--policy", "only", help="Only this policy; by default all.")


@click.group()
def prompts() -> None:
    """Render, import, check and play the announcements."""


@prompts.command()
@texts_option
@click.option("--voice", help="The espeak-ng voice; by default the one of each language.")
@only_policy
@configured
def render(config: Config, texts: Path, voice: str | None, only: str | None) -> None:
    """Render the announcements of every policy with a placeholder voice.

    A policy whose announcements were approved has to be approved anew where they change.
    """
    # Rendering needs pydub and espeak-ng, which a machine that only answers calls need not have.
    from asterisk_consent.prompts.render import render_prompts

    for policy, language in _chosen(config, only):
        text, spoken = spoken_announcement(policy, language, texts)
        rendered = render_prompts(
            spoken=spoken,
            language=language,
            name=policy.text,
            reviewed_by=text.reviewed_by,
            directory=_directory(config, policy) / language,
            voice=voice or wording_of(language).voice,
        )
        _show(policy, rendered)
    render_digits(config, _read_out_in(_policies(config, only)))


@prompts.command("import")
@click.argument("name", metavar="POLICY")
@click.argument("language")
@click.argument(
    "recordings", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="DIRECTORY"
)
@click.option("--spoken-by", required=True, help="Who spoke; kept with the announcement.")
@click.option("--reviewed-by", help="Who reviewed the text; by default whoever the text says.")
@texts_option
@configured
def import_(
    config: Config,
    name: str,
    language: str,
    recordings: Path,
    spoken_by: str,
    reviewed_by: str | None,
    texts: Path,
) -> None:
    """Take studio recordings in place of the placeholder voice: information.wav, question.wav and so on.

    DIRECTORY holds one WAV or FLAC file a part. They are checked, levelled and converted; the originals are kept
    beside them, unchanged. The policy has to be approved anew then.
    """
    from asterisk_consent.prompts.studio import import_prompts

    (policy,) = _policies(config, name)
    if language not in policy.languages:
        raise click.BadParameter(
            f"{policy.id} is not announced in {language!r}, but in {', '.join(policy.languages)}",
            param_hint="LANGUAGE",
        )
    text, spoken = spoken_announcement(policy, language, texts)
    imported = import_prompts(
        recordings={
            file.stem: file
            for file in sorted(recordings.iterdir())
            if file.suffix.lower() in (".wav", ".flac")
        },
        spoken=spoken,
        language=language,
        name=policy.text,
        reviewed_by=reviewed_by or text.reviewed_by,
        spoken_by=spoken_by,
        directory=_directory(config, policy) / language,
    )
    _show(policy, imported)


@prompts.command()
@texts_option
@only_policy
@configured
def check(config: Config, texts: Path, only: str | None) -> None:
    """Check the announcements: their words, their parts, how they sound and how long they are."""
    problems: list[str] = []
    for policy in _policies(config, only):
        problems += _problems(config, policy, texts)
    problems += digit_problems(config, _read_out_in(_policies(config, only)))
    if problems:
        raise AudioError("\n".join(problems))


def _problems(config: Config, policy: Policy, texts: Path) -> list[str]:
    """Return what is wrong with the announcements of a policy, and show those of which nothing is."""
    from asterisk_consent.prompts.measure import audio_problems

    problems = [f"{policy.id}: {finding}" for finding in wording_problems(policy, texts)]
    try:
        loaded = load_prompts(_directory(config, policy), policy)
    except AudioError as error:
        return [*problems, f"{policy.id}: {error}"]
    for language, rendered in loaded.items():
        found = audio_problems(rendered)
        if rendered.spoken != _spoken(policy, language, texts):
            found.append("it does not say what the policy and its text say now. Render or import it again")
        if problem := time_problem(policy, rendered):
            found.append(problem)
        problems += [f"{policy.id}/{language}: {each}" for each in found]
        if not found:
            _show(policy, rendered)
    return problems


def _spoken(policy: Policy, language: str, texts: Path) -> dict[str, str] | None:
    """Return what would be spoken now; ``None`` where the text cannot be read, which is a problem of its own."""
    try:
        return spoken_announcement(policy, language, texts)[1]
    except ConfigError:
        return None


@prompts.command()
@click.argument("name", metavar="POLICY")
@click.option("--on", "endpoint", required=True, help="The telephone to call, such as PJSIP/100.")
@click.option("--language", help="Only this language; by default all, one after the other.")
@configured
def play(config: Config, name: str, endpoint: str, language: str | None) -> None:
    """Call a telephone and play the announcement of a policy there, as callers will hear it."""
    (policy,) = _policies(config, name)
    chosen = policy.languages if language is None else (language,)
    loaded = load_prompts(_directory(config, policy), policy)
    if not set(chosen) <= set(loaded):
        raise click.BadParameter(f"{policy.id} is announced in {', '.join(loaded)}", param_hint="--language")
    parts = [(tag, part, prompt.duration_ms) for tag in chosen for part, prompt in loaded[tag].parts.items()]
    path = announcement_directory(config.prompts_in_asterisk, policy)
    media = ",".join(f"sound:{path}/{tag}/{part}" for tag, part, _ in parts)
    length_s = sum(duration_ms for *_, duration_ms in parts) / 1000
    click.echo(
        f"Calling {endpoint}: {', '.join(f'{part} ({tag})' for tag, part, _ in parts)}, {length_s:.0f} s"
    )

    async def call() -> None:
        async with AriClient(
            url=config.ari.url, username=config.ari.user, password=config.ari.password, app=AUDITION
        ) as ari:
            channel = f"audition-{os.urandom(8).hex()}"
            await Audition(ari, endpoint=endpoint, media=media, channel=channel).hold(length_s=length_s)

    asyncio.run(call())
    click.echo("Played.")


def _directory(config: Config, policy: Policy) -> Path:
    return Path(announcement_directory(config.prompts, policy))


def _chosen(config: Config, only: str | None) -> Iterator[tuple[Policy, str]]:
    """Yield the chosen policies that say anything, with each of their languages."""
    for policy in _policies(config, only):
        for language in policy.languages:
            yield policy, language


def _read_out_in(policies: list[Policy]) -> set[str]:
    """Return the languages in which receipts are read out."""
    return {language for policy in policies if policy.receipt.read_out for language in policy.languages}


def _policies(config: Config, only: str | None) -> list[Policy]:
    found = {name: each.policy for name, each in load_policies(config.policies).items()}
    if only is None:
        return [policy for policy in found.values() if policy.mode is not Mode.OFF]
    if only not in found:
        raise click.BadParameter(f"there is no policy {only}", param_hint="--policy")
    return [found[only]]


def _show(policy: Policy, rendered: PromptSet) -> None:
    lengths = ", ".join(f"{name} {part.duration_ms / 1000:.1f} s" for name, part in rendered.parts.items())
    click.echo(
        f"{policy.id} version {policy.version} ({rendered.language}): {lengths}; voice {rendered.spoken_by}; text"
        f" {rendered.reviewed_by}; digest {rendered.digest[:16]}"
    )
    if rendered.has_placeholder_voice:
        click.echo(
            "  The voice is a placeholder: have the text reviewed and recorded before callers hear it."
        )
