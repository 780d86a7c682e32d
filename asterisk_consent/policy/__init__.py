"""Recording policies: files, values, checks. Pure: no I/O beyond the rules shipped with the package.

``read`` makes a :class:`Policy` of a file, ``contradictions`` and ``jurisdictions`` judge it, ``duties`` says what its
announcement must tell. Nothing here is legal advice.
"""

from asterisk_consent.policy.model import UNRECORDED, ChosenBy, Policy, Purpose
from asterisk_consent.policy.read import MAX_FIRST_DIGIT_S, parse_policy
from asterisk_consent.policy.term import Term

__all__ = ["MAX_FIRST_DIGIT_S", "UNRECORDED", "ChosenBy", "Policy", "Purpose", "Term", "parse_policy"]
