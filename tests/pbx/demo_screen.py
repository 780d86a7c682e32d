"""What a person sees of the demo: live on a terminal, as a log of events elsewhere.

Rule: the same facts either way; 80 columns are enough; without a terminal there are no colours and nothing is
written twice.
"""

import contextlib
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator, Sequence

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from tests.pbx.demo_callers import Caller, Speech

WIDTH = 80
WIDEST = 120
_HEARTBEAT_S = 10.0
_WORDS_WIDTH = 32


class Screen:
    """The one place where the demo prints."""

    def __init__(self) -> None:
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="replace")
        terminal = Console()
        self.width = min(terminal.width, WIDEST) if terminal.is_terminal else WIDTH
        self.console = Console(width=self.width, highlight=False)
        self._began_at = time.monotonic()
        self._watching = False

    def heading(self, text: str) -> None:
        """Begin a part of the demo."""
        self.console.print()
        self.console.print(Text(text, style="bold"))

    def say(self, text: str, *, first: str = "", indent: str = "", style: str = "") -> None:
        """Print a line or several, folded; each begins with ``first`` and goes on with ``indent``."""
        for line in text.splitlines():
            folded = textwrap.wrap(
                line,
                self.width - 4,
                initial_indent=first,
                subsequent_indent=indent,
                break_on_hyphens=False,
            )
            for part in folded:
                self.console.print(Text(f"  {part}", style=style))

    def line(self, text: str) -> None:
        """Print one line, shortened where it does not fit."""
        self.console.print(Text(f"  {text}"), no_wrap=True, overflow="ellipsis")

    def copyable(self, text: str) -> None:
        """Print a line that somebody copies: never folded."""
        self.console.print(Text(f"  {text}"), soft_wrap=True)

    def show(self, what: RenderableType) -> None:
        """Print a table or the like."""
        self.console.print(what)

    @contextlib.contextmanager
    def waiting(self, what: str) -> Iterator[None]:
        """Show that something takes its time: a moving sign, or a line every ten seconds."""
        if self.console.is_terminal:
            with self.console.status(what):
                yield
            return
        done = threading.Event()
        thread = threading.Thread(target=self._still, args=(what, done), daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    @contextlib.contextmanager
    def watching(self, callers: Sequence[Caller], footer: Callable[[], str]) -> Iterator[None]:
        """Show the callers while they call."""
        self._began_at = time.monotonic()
        if not self.console.is_terminal:
            yield
            self.say(footer())
            return

        def picture() -> RenderableType:
            passed = clock(time.monotonic() - self._began_at)
            return Group(callers_table(callers, self.width), Text(f"  {passed}  {footer()}", style="dim"))

        with Live(get_renderable=picture, console=self.console, refresh_per_second=6):
            self._watching = True
            yield
            self._watching = False

    def tell(self, caller: Caller) -> None:
        """Log what a caller does or hears now, where nothing shows it live."""
        if not self._watching:
            moment = clock(time.monotonic() - self._began_at)
            self.say(f"{moment}  {caller.name:<6}  {caller.doing}")

    def _still(self, what: str, done: threading.Event) -> None:
        began_at = time.monotonic()
        while not done.wait(_HEARTBEAT_S):
            self.say(f"{what} ({time.monotonic() - began_at:.0f} s)")


def clock(seconds: float) -> str:
    """Minutes and seconds, such as 0:07."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def words_now(speech: Speech, now: float, width: int) -> str:
    """The words that are about to be said, by the share of the time that has passed."""
    share = min(1.0, max(0.0, (now - speech.began_at) / speech.duration_s))
    text = " ".join(speech.text.split())
    start = text.rfind(" ", 0, int(share * len(text))) + 1
    shown = text[start : start + width]
    return shown if start + width >= len(text) else shown[: shown.rfind(" ")] + " …"


def callers_table(callers: Sequence[Caller], width: int) -> Table:
    """Who calls and what happens to each, one line a caller."""
    table = Table(box=None, padding=(0, 0, 0, 1), header_style="dim", width=width)
    for name, wide in (("caller", 6), ("wish", 12), ("dials", 5), ("policy", 10)):
        table.add_column(name, no_wrap=True, min_width=wide)
    table.add_column("now", no_wrap=True, ratio=1)
    now = time.monotonic()
    for caller in callers:
        role = caller.role
        table.add_row(role.name, role.wish, role.number, role.policy or "–", _doing(caller, now, width))
    return table


def _doing(caller: Caller, now: float, width: int) -> Text:
    if caller.speech is not None:
        words = words_now(caller.speech, now, _WORDS_WIDTH + width - WIDTH)
        return Text(f"hears “{words}”", style="cyan")
    style = "red" if caller.failure else "dim" if caller.ended_at else "green" if caller.agent_at else ""
    return Text(caller.doing, style=style)
