"""What a check finds in a policy, as a value that a DPO can read and a program can sort."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """What a finding means for approval."""

    ERROR = "error"
    """The policy cannot be approved."""
    SIGN = "sign"
    """It can, when the named role signs for it."""
    WARNING = "warning"
    """It can; somebody should know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One finding.

    :param rule: names the rule, for a signature and for a search in the docs.
    :param place: the key or section it is about, as in the file; for a text, its file and part.
    :param instead: what to write instead, or what whoever signs takes on.
    :param line: 1-based line of the policy file; 0 where the place is not in it.
    :param source: the law, authority or document it rests on, with its date; empty where it is plain logic.
    :param signed_by: the role that must sign, with :attr:`Severity.SIGN`.
    """

    severity: Severity
    rule: str
    place: str
    what: str
    instead: str
    line: int = 0
    source: str = ""
    signed_by: str = ""
