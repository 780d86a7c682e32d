"""How lists look to a person: one line a row where it fits, two where it does not, and nothing cut off.

Rule: text from outside is shown and never obeyed: control characters, and those that reorder a line, are
written out. Where the output is no terminal every row is one line, without colours.
"""

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.cells import cell_len
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

Columns = Sequence[tuple[str, ...]]
"""Names of the columns; those of one tuple stand below each other where the terminal is narrow. The last one
is a note, which is folded, and left out where no row has one.
"""

_LEAST_NOTE = 16
_GAP = 2
_NO_TERMINAL_WIDTH = 10_000
_WIDEST_TEXT = 84
"""Columns of text that are read with ease."""


def print_listing(columns: Columns, rows: Sequence[Sequence[str]], *, empty: str) -> None:
    """Print rows to standard output; ``empty`` is said where there are none."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_NO_TERMINAL_WIDTH)
    console.print(listing(columns, rows, width=console.width))
    if not rows:
        console.print(empty)


@contextmanager
def progress_bar(what: str, *, hidden: bool = False) -> Iterator[Callable[[int, int], None]]:
    """Show on a terminal, on standard error, how much of something is done; give what is told of it."""
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=hidden or not console.is_terminal) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, of: progress.update(task, completed=done, total=of)


def listing(columns: Columns, rows: Sequence[Sequence[str]], *, width: int) -> Table:
    """Lay rows out for a terminal of that width."""
    names = [name for group in columns for name in group]
    lines = [names, *rows]
    longest = [max(cell_len(line[index]) for line in lines) for index in range(len(names))]
    has_note = any(row[-1] for row in rows)
    needed = sum(longest[:-1]) + _GAP * (len(names) - 2)
    if has_note:
        needed += _GAP + min(longest[-1], _LEAST_NOTE)
    groups = [(index,) for index in range(len(names))] if needed <= width else _groups(columns)
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, _GAP, 0, 0))
    deepest = max(len(group) for group in groups)
    for group in groups if has_note else groups[:-1]:
        is_note = group[-1] == len(names) - 1
        table.add_column(_stacked(names, group, deepest), no_wrap=not is_note, overflow="fold")
    for row in rows:
        cells = [_stacked(row, group) for group in groups]
        table.add_row(*(cells if has_note else cells[:-1]))
    return table


def _stacked(texts: Sequence[str], group: tuple[int, ...], height: int = 0) -> Text:
    """Return the texts of a group below each other, filled up to a height."""
    first, *others = (texts[index] for index in group)
    filled = [*others, *[" "] * (height - len(group))]
    return Text.assemble(first, *((f"\n{other}", "dim") for other in filled))


def text_width() -> int:
    """Return the columns to fold running text to."""
    return min(_WIDEST_TEXT, shutil.get_terminal_size().columns)


def visible(text: str, limit: int = 40) -> str:
    """Return text from outside so that a terminal shows it and obeys nothing in it."""
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text[:limit])
    return shown + "…" if len(text) > limit else shown


def _groups(columns: Columns) -> list[tuple[int, ...]]:
    groups, first = [], 0
    for group in columns:
        groups.append(tuple(range(first, first + len(group))))
        first += len(group)
    return groups
