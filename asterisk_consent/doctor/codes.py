"""The codes that end a recording during the call: whether Asterisk knows those that the policies promise."""

from collections.abc import Iterator, Mapping

from asterisk_consent.calls.announced import STOP, WITHDRAW, feature
from asterisk_consent.calls.loading import announce
from asterisk_consent.config import Config, PolicyFile
from asterisk_consent.doctor.asterisk_conf import read_conf
from asterisk_consent.doctor.elsewhere import AsteriskPlace
from asterisk_consent.doctor.finding import Finding, error, ok
from asterisk_consent.policy import Policy

FILE, SECTION = "features.conf", "applicationmap"


def code_findings(config: Config, files: Mapping[str, PolicyFile], place: AsteriskPlace) -> Iterator[Finding]:
    """Compare the codes of the policies under which calls are asked with Asterisk's features.

    :raises ConsentError: the features, or the approvals, cannot be read.
    """
    known = {
        each.key: each.value.partition(",")[0].strip() for each in read_conf(place.etc, FILE).of(SECTION)
    }
    missing = False
    for name, announced in announce(files, config).items():
        if announced.policy is None or announced.fault or not announced.policy.takes_refusal:
            continue
        for named, code, line in _wanted(announced.policy):
            if known.get(named) != code:
                missing = True
                yield error(
                    f"{name}: {code}, dialled during the call, does nothing: Asterisk has no feature {named}",
                    place.etc / FILE,
                    f"Include asterisk-consent-features.conf under [{SECTION}]; it must have '{line}'",
                )
    if not missing:
        yield ok("Asterisk knows the codes that end a recording during the call", place.etc / FILE)


def _wanted(policy: Policy) -> Iterator[tuple[str, str, str]]:
    """Yield for each code of a policy the feature that it wants, the code, and the line that makes it."""
    codes = policy.codes
    for name, code, on, what in (
        (WITHDRAW, codes.withdraw, "self", "withdraw"),
        (STOP, codes.agent_stop, "peer", "stop"),
    ):
        if code:
            named = feature(name, code)
            yield named, code, f"{named} => {code},{on},Gosub(asterisk-consent-code,s,1({what}))"
