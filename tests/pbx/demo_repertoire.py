"""What the callers of the demo are asked: the policies of the PBX and their rendered announcements.

Rule: read from the files that the service reads, so that what the ledger says can be compared with them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from asterisk_consent.calls.loading import announcement_directory, load_prompts
from asterisk_consent.config import Config
from asterisk_consent.dialogue.events import Part
from asterisk_consent.model import Mode
from asterisk_consent.policy import Policy, parse_policy
from asterisk_consent.prompts.rendered import PromptSet
from asterisk_consent.vault.wav import open_wav
from tests.pbx.ears import Heard
from tests.pbx.sound import level_db, likeness


@dataclass(frozen=True, slots=True, kw_only=True)
class Repertoire:
    """Policies by id, and their announcements by policy and language."""

    policies: Mapping[str, Policy]
    prompts: Mapping[str, Mapping[str, PromptSet]]

    @classmethod
    def load(cls, config: Config, names: frozenset[str]) -> Self:
        """Load these policies, with the announcements of those that announce something.

        :raises ConsentError: one cannot be read, or its announcements are not what was rendered.
        """
        found = (
            parse_policy(file.read_text(encoding="utf-8"), file=file.name)
            for file in sorted(config.policies.glob("*.toml"))
        )
        policies = {policy.id: policy for policy in found if policy.id in names}
        return cls(
            policies=policies,
            prompts={
                name: load_prompts(Path(announcement_directory(config.prompts, policy)), policy)
                for name, policy in policies.items()
                if policy.mode is not Mode.OFF
            },
        )

    def menu(self, policy: str) -> list[PromptSet]:
        """The announcements whose languages a caller is offered, in the order they are named."""
        return [self.prompts[policy][language] for _, language in self.policies[policy].language.menu]

    def digit_of(self, policy: str, language: str) -> str:
        """The digit that chooses a language in the menu."""
        return next(digit for digit, each in self.policies[policy].language.menu if each == language)

    def announced_s(self, policy: str, language: str) -> float:
        """How long everything lasts that is played once the language is known."""
        parts = self.prompts[policy][language].parts
        return sum(part.duration_ms for name, part in parts.items() if name in _ANNOUNCED) / 1000

    def purposes(self, policy: str, language: str) -> tuple[str, ...]:
        """The names of the purposes that a caller in this language is told."""
        return tuple(purpose.name for purpose in self.policies[policy].announced_purposes(language))

    def heard_in(self, policy: str, told: Heard) -> tuple[str, ...]:
        """The languages whose information can be heard in a sound, by comparison with what was rendered."""
        return tuple(
            language
            for language, spoken in self.prompts.get(policy, {}).items()
            if _share_heard(told, spoken) >= _MOST
        )

    def described(self) -> list[str]:
        """One line a policy and language: what it is, how long it lasts, how it begins."""
        lines = []
        for name, policy in self.policies.items():
            if policy.mode is Mode.OFF:
                lines.append(f"{name:<10}  {policy.mode:<7}  –       –  nothing is asked")
            for language, spoken in self.prompts.get(name, {}).items():
                length_s = self.announced_s(name, language)
                words = " ".join(spoken.parts[Part.INFORMATION].text.split())
                lines.append(f"{name:<10}  {policy.mode:<7}  {language:<2}  {length_s:>3.0f} s  “{words}”")
        return lines


def _share_heard(told: Heard, spoken: PromptSet) -> float:
    """How much of the beginning of the information can be heard, half a second at a time.

    On a busy machine a frame may come late or not at all, which moves what follows; a short piece survives that.
    """
    wave = open_wav(Path(f"{spoken.parts[Part.INFORMATION].path_without_suffix}.wav"), channels=1)
    samples = np.concatenate([np.zeros((0, 1), dtype=np.int16), *wave.blocks(wave.rate)])[:, 0]
    length = wave.rate // 2
    pieces = [samples[start : start + length] for start in range(0, _BEGINNING_S * wave.rate, length)]
    spoken_pieces = [piece for piece in pieces if len(piece) == length and level_db(piece) > _SILENT_DB]
    heard = [likeness(told.samples, piece) >= _LIKE for piece in spoken_pieces]
    return sum(heard) / len(heard) if heard else 0.0


_ANNOUNCED = (Part.INFORMATION, Part.QUESTION)
_BEGINNING_S = 4
_SILENT_DB = -45.0
_LIKE = 0.8
"""Half a second of the same words in the same voice comes to 0.95 and more, of others to less than 0.6."""
_MOST = 0.5
