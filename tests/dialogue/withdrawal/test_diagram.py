"""The page of the withdrawal line is what the table says today."""

from pathlib import Path

from asterisk_consent.dialogue.withdrawal.diagram import reference

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "withdrawal-line.md"


def test_the_page_is_made_from_the_table_as_it_is_now() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference(), (
        "make it again: python -m asterisk_consent.dialogue.withdrawal.diagram > docs/reference/withdrawal-line.md"
    )
