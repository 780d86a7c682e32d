"""A configured place with policies of its own, their announcements and a ledger with their approvals."""

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Self

from asterisk_consent.calls.announced import Announced
from asterisk_consent.calls.loading import announcement_directory, load_announced
from asterisk_consent.config import Config, load_config, load_policy
from asterisk_consent.ledger import Approval, Kind, Ledger, NewEntry, Spoken, append_from_outside
from asterisk_consent.prompts.rendered import PromptSet
from tests.policy.shipped import TEXTS, changed, shipped
from tests.prompts.made_announcement import make_announcements
from tests.vault.keyring import give_keys

CONFIG = """
[asterisk]
ari_password = "x"
ami_secret = "x"
ari_url = "http://127.0.0.1:1/ari"
prompts = "/as/asterisk/sees/it"
[paths]
ledger = "ledger.sqlite"
spool = "spool"
vault = "vault"
keys = "keys"
identities = "identities"
policies = "policies"
prompts = "prompts"
"""


class ApprovedPlace:
    """Directories of a test's own; nothing is in them at first but a ledger."""

    def __init__(self, directory: Path) -> None:
        for name in ("spool", "vault", "policies", "keys"):
            (directory / name).mkdir()
        file = directory / "asterisk-consent.toml"
        file.write_text(CONFIG, encoding="utf-8")
        self.config: Config = load_config(file)

    async def begin(self) -> Self:
        """Begin the ledger."""
        ledger = await Ledger.open(self.config.ledger_path)
        await ledger.close()
        return self

    def file_of(self, name: str) -> Path:
        """Name the file of a policy."""
        return self.config.policies / f"{name}.toml"

    def put(self, name: str, text: str = "") -> None:
        """Put a policy there, by default as it is shipped."""
        self.file_of(name).write_text(text or shipped(name), encoding="utf-8")
        if not text:
            give_keys(load_policy(self.file_of(name)).policy.controller.id, self.config.keys)

    def change(self, name: str, old: str, new: str) -> None:
        """Change a line of a policy."""
        self.put(name, changed(self.file_of(name).read_text(encoding="utf-8"), old, new))

    def announcements_of(self, name: str) -> Path:
        """Name the directory of a policy's announcements."""
        return Path(announcement_directory(self.config.prompts, load_policy(self.file_of(name)).policy))

    def speak(self, name: str, *, voice: str = "nobody") -> dict[str, PromptSet]:
        """Make the announcements of a policy."""
        policy = load_policy(self.file_of(name)).policy
        return make_announcements(self.announcements_of(name), policy, texts=TEXTS, voice=voice)

    def approve(self, name: str, prompts: Mapping[str, PromptSet] | None = None) -> None:
        """Enter that a policy is approved as it is there, with these announcements."""
        found = load_policy(self.file_of(name))
        policy = found.policy
        announcements = tuple(
            Spoken(language=language, digest=each.digest, text_digest=each.text_digest, parts=())
            for language, each in (prompts or {}).items()
        )
        approval = Approval(
            person="root",
            name="A. Bakker",
            role=policy.approving_role,
            sha256=sha256(found.content).hexdigest(),
            file=tuple(found.content.decode().splitlines()),
            announcements=announcements,
        )
        entry = NewEntry(
            stream=policy.controller.id,
            kind=Kind.POLICY_APPROVED,
            policy=policy.id,
            policy_version=policy.version,
            payload=approval,
        )
        append_from_outside(self.config.ledger_path, entry)

    def put_approved(self, name: str) -> dict[str, PromptSet]:
        """Put a shipped policy there, speak it and approve it."""
        self.put(name)
        prompts = self.speak(name)
        self.approve(name, prompts)
        return prompts

    def loaded(self) -> dict[str, Announced]:
        """Load everything as the service does."""
        return load_announced(self.config)
