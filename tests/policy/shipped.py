"""The policies that are shipped, for tests that change a line of one."""

import shutil
from datetime import date
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
TEXTS = PROJECT / "sounds"
FILES = sorted((PROJECT / "policies").glob("*.toml"))
TODAY = date(2026, 11, 24)
"""Before any review of a shipped policy is due."""


def reviewed_texts(directory: Path) -> Path:
    """Copy the shipped texts there, as if somebody had reviewed them."""
    texts = Path(shutil.copytree(TEXTS, directory / "sounds"))
    for file in texts.rglob("*.toml"):
        written = file.read_text(encoding="utf-8")
        file.write_text(written.replace('"unreviewed"', '"A. Bakker"'), encoding="utf-8")
    return texts


def shipped(name: str) -> str:
    """Return the text of a shipped policy."""
    return (PROJECT / "policies" / f"{name}.toml").read_text(encoding="utf-8")


def changed(text: str, old: str, new: str) -> str:
    """Exchange the first line or lines that begin so, comments after them included."""
    lines = text.splitlines()
    olds = old.splitlines()
    for at in range(len(lines)):
        found = lines[at : at + len(olds)]
        if len(found) == len(olds) and all(
            line.startswith(each) for line, each in zip(found, olds, strict=True)
        ):
            return "\n".join([*lines[:at], *new.splitlines(), *lines[at + len(olds) :], ""])
    raise AssertionError(f"no line begins {old!r}")
