"""Lists on a terminal: nothing is cut off, whatever its width, and text from outside is harmless."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from asterisk_consent.cli.calls import COLUMNS as CALLS
from asterisk_consent.cli.listing import Columns, listing, print_listing, visible
from asterisk_consent.cli.recordings import COLUMNS as RECORDINGS

CALL = (
    "2026-11-23 01:16:59",
    "3ba2ad12",
    "p4-logging v1",
    "no_choice",
    "nl",
    "124.3 s",
    "not_started",
    "8.2 s",
    "",
)
RECORDING = (
    "8ecdb0a2d4d856f6a8eb4ecf4540a8b9",
    "018386c7",
    "not_started",
    "8.3 s",
    "2026-11-23 01:13:40",
    "",
)


def shown(columns: Columns, *rows: tuple[str, ...], width: int) -> list[str]:
    out = io.StringIO()
    Console(file=out, width=width, highlight=False).print(listing(columns, rows, width=width))
    return [line.rstrip() for line in out.getvalue().splitlines()]


@pytest.mark.parametrize("width", [80, 100, 120, 200])
@pytest.mark.parametrize(("columns", "row"), [(CALLS, CALL), (RECORDINGS, RECORDING)])
@pytest.mark.parametrize("note", ["", "agent side silent from 1.0 s to 33.0 s"])
def test_no_value_is_cut_off(columns: Columns, row: tuple[str, ...], note: str, width: int) -> None:
    lines = shown(columns, (*row[:-1], note), width=width)
    assert all(any(value in line for line in lines) for value in row)
    assert all(word in " ".join(lines) for word in note.split())
    assert max(len(line) for line in lines) <= width


@pytest.mark.parametrize(("width", "lines"), [(80, 4), (120, 2)])
def test_a_row_takes_one_line_where_it_fits_and_two_where_it_does_not(width: int, lines: int) -> None:
    assert len(shown(CALLS, CALL, width=width)) == lines


def test_the_note_has_no_column_where_no_row_has_one() -> None:
    assert "note" not in shown(CALLS, CALL, width=120)[0]
    assert "note" in shown(CALLS, (*CALL[:-1], "hung up"), width=120)[0]


def test_without_a_terminal_a_row_is_one_line_without_colours(capsys: pytest.CaptureFixture[str]) -> None:
    print_listing(CALLS, [(*CALL[:-1], "a note " * 40)], empty="none")
    printed = capsys.readouterr().out
    assert len(printed.splitlines()) == 2
    assert "\x1b" not in printed


def test_an_empty_list_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    print_listing(CALLS, [], empty="No call has been asked yet.")
    assert capsys.readouterr().out.endswith("No call has been asked yet.\n")


@pytest.mark.parametrize(
    ("text", "harmless"),
    [
        ("\x1b[2J", "\\x1b[2J"),
        ("a\r\nb", "a\\r\\nb"),
        ("\0", "\\x00"),
        ("\u202egpj.exe", "\\u202egpj.exe"),
        ("\udc80", "\\udc80"),
        ("[red]x[/red]", "[red]x[/red]"),
        ("Zoë 🦊", "Zoë 🦊"),
        ("x" * 41, "x" * 40 + "…"),
    ],
)
def test_text_from_outside_is_shown_and_not_obeyed(text: str, harmless: str) -> None:
    assert visible(text) == harmless


@given(st.text(max_size=200))
def test_no_text_from_outside_holds_anything_a_terminal_obeys(text: str) -> None:
    assert visible(text).isprintable()


def test_markup_of_the_library_is_shown_as_it_is() -> None:
    assert "[bold]" in shown(CALLS, (*CALL[:-1], "[bold]"), width=200)[1]
