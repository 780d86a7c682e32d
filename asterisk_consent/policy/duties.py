"""What an announcement must say under a policy, and why; pure.

Rule: who is asked knows who asks, for what, and what may be answered, before an answer counts (GDPR art. 4(11), 7, 13
and 21(4)). The names of parts and duties are those of the announcement texts.
"""

from asterisk_consent.model import Basis, Mode
from asterisk_consent.policy.model import ChosenBy, Policy

Duties = dict[str, dict[str, str]]
"""By part: duty, and the reason for it."""


def announcement_duties(policy: Policy) -> Duties:
    """Return what each part of the policy's announcement must say; a part that is not named is not played."""
    if policy.mode is Mode.OFF:
        return {}
    information = {
        "controller": "GDPR art. 13(1)(a): who records",
        "recording": "GDPR art. 13(1): that the call is recorded",
        "purposes": "GDPR art. 13(1)(c): for what",
        "address": "GDPR art. 13: where to read the rest",
    }
    if policy.live_listening:
        information["monitoring"] = "GDPR art. 13(1)(c): that somebody may listen to the call"
    question: dict[str, str] = {}
    if policy.basis is Basis.CONSENT:
        information["content"] = "GDPR art. 4(11): what is agreed to"
        information["withdrawal"] = (
            "GDPR art. 7(3), 13(2)(c): that the agreement can be withdrawn at any time"
        )
    elif policy.takes_refusal:
        information["objection"] = "GDPR art. 21(4): that one may object"
    else:
        information["legal_obligation"] = "GDPR art. 13(1)(c), 6(1)(c): that the law demands it"
    if policy.digits.agree:
        question["agree"] = "GDPR art. 4(11): the digit that agrees"
    if policy.digits.refuse and policy.takes_refusal:
        duty = "refuse" if policy.mode is Mode.OPT_IN else "object"
        question[duty] = "GDPR art. 4(11), 21(4): the digit that says no"
    if policy.digits.repeat:
        question["repeat"] = "the digit that plays it again"
    duties: Duties = {"information": information}
    if question:
        duties["question"] = question
    if policy.language.chosen_by is ChosenBy.MENU:
        duties["menu"] = {"choose": "GDPR art. 12(1): how to choose the language"}
    if policy.digits.refuse and not policy.takes_refusal:
        duties["no_refusal"] = {"no_refusal": "GDPR art. 12(1): why a refusal has no effect"}
    if policy.receipt.read_out:
        duties["receipt"] = {"receipt": "GDPR art. 7(3), 12(2): how to withdraw as easily as agreeing"}
    return duties
