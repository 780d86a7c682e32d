"""Relative links in the Markdown files lead somewhere, headings included."""

import re
import string
from pathlib import Path
from urllib.parse import unquote

PROJECT = Path(__file__).resolve().parents[1]
NOT_OURS = {".venv", ".pbx", ".git", ".pytest_cache", ".hypothesis", "node_modules", "build", "dist"}

_CODE = re.compile(r"^(```|~~~).*?^\1\s*$|`[^`\n]*`", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"!?\[[^\]]*\]\(\s*<?([^)\s>]+)>?[^)]*\)|^\[[^\]]+\]:\s*(\S+)", re.MULTILINE)
_HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*$", re.MULTILINE)
_ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)


def dead_links(file: Path) -> list[str]:
    """The relative links of a Markdown file whose file or heading does not exist."""
    text = _CODE.sub("", file.read_text(encoding="utf-8"))
    targets = [first or second for first, second in _LINK.findall(text)]
    return [
        target for target in targets if not _ELSEWHERE.match(target) and not _leads_somewhere(file, target)
    ]


def _leads_somewhere(file: Path, target: str) -> bool:
    path, _, heading = unquote(target).partition("#")
    place = file.parent / path if path else file
    if not place.exists():
        return False
    return not heading or place.suffix != ".md" or heading in _anchors(place)


def _anchors(file: Path) -> set[str]:
    """The names that a heading gets on the usual hosts: lower case, hyphens for blanks, no punctuation."""
    text = re.sub(
        r"^(```|~~~).*?^\1\s*$", "", file.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE
    )
    unwanted = str.maketrans("", "", string.punctuation.replace("-", "").replace("_", "") + "–—…·→")
    return {heading.lower().translate(unwanted).replace(" ", "-") for heading in _HEADING.findall(text)}


def test_every_relative_link_of_the_docs_leads_somewhere() -> None:
    # What is not ours is not even walked through: files come and go there while a PBX runs.
    ours = [entry for entry in PROJECT.iterdir() if entry.name not in NOT_OURS]
    files = [file for entry in ours for file in ([entry] if entry.is_file() else entry.rglob("*.md"))]
    files = [file for file in files if file.suffix == ".md"]
    assert len(files) > 10
    assert {str(file): dead for file in files if (dead := dead_links(file))} == {}


def test_a_dead_link_is_found(tmp_path: Path) -> None:
    (tmp_path / "there.md").write_text("# A heading, here\n")
    page = tmp_path / "page.md"
    page.write_text(
        "[a](there.md) [b](there.md#a-heading-here) [c](https://example.org/x) [d](mailto:a@example.org)\n"
        "`[e](nowhere.md)`\n```\n[f](nowhere.md)\n```\n"
        "[g](gone.md) ![h](gone.png) [i](there.md#gone) [j](#gone)\n\n[k]: gone/too.md\n"
    )
    assert dead_links(page) == ["gone.md", "gone.png", "there.md#gone", "#gone", "gone/too.md"]
