"""Draws the withdrawal line: ``python -m asterisk_consent.dialogue.withdrawal.diagram``.

Rule: what ``docs/reference/withdrawal-line.md`` holds is this, and a test compares them.
"""

import sys

from asterisk_consent.dialogue.diagram import page
from asterisk_consent.dialogue.withdrawal.machine import TABLE
from asterisk_consent.dialogue.withdrawal.script import State

_HEAD = """\
# The conversation on the withdrawal line

Made from the table in `asterisk_consent/dialogue/withdrawal/machine.py` by
`python -m asterisk_consent.dialogue.withdrawal.diagram`. How to set the line up is in
[the howto](../howto/withdrawal-line.md).

The caller enters the digits of a receipt: its last four where the caller's own number is shown, or all twelve.
`#` ends the entry, `*` starts over. Then it is asked, whatever was entered, whether to withdraw: 1 yes, 2 no.
**Only after that is anything looked for**, so up to there everybody hears the same, and nobody learns whether there
is a recording without withdrawing it. The answer comes after the same time whether or not there is one. What was
done is said, and a reference of eight digits, twice.

Confirming counts once the question was played to its end. Silence, wrong digits, a hang-up or a break of the
connection before that change nothing. Whoever hangs up after confirming has withdrawn.

A receipt is looked for three times a call at most. What fails and what is over the limit of attempts sounds the same.

An event that changes the state is an arrow; the table below has every pair. An event that a state does not list
raises `DialogueError` and changes nothing.
"""


def reference() -> str:
    """Return the whole page."""
    return page(_HEAD, TABLE, State)


if __name__ == "__main__":
    sys.stdout.write(reference())
