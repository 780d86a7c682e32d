"""A new version of a policy while calls go on; what nobody approved, or was changed since, is not asked."""

from asterisk_consent.model import Outcome
from tests.pbx.scenarios.proof import FOLLOWS_S
from tests.pbx.scenarios.reloading import CHANGED, LISTENS_S, UNAPPROVED, Reloading, Version
from tests.pbx.scenarios.round import Played
from tests.pbx.spoken import spoken

AT_ONCE_S = 0.5


def assert_asked_under(call: Played, version: Version, other: Version) -> None:
    """Assert that entry and sound are those of this version and not of the other."""
    assert call.decision.outcome is Outcome.REFUSED
    assert call.header.policy_version == version.number != other.number
    digests = [each.announcement.spoken.digest for each in (version, other)]
    assert call.header.announcement == digests[0] != digests[1]
    received = call.caller.call.stream.received_in_step
    listened = (LISTENS_S - FOLLOWS_S) / version.announcement.information_s
    assert spoken(received, version.announcement.sound("information")).share >= 0.8 * listened
    assert spoken(received, other.announcement.sound("information")).share < 0.5 * listened


def test_a_reload_with_one_policy_that_nobody_approved_changes_nothing(reloaded: Reloading) -> None:
    assert_asked_under(reloaded["in vain"], reloaded.before[CHANGED], reloaded.after[CHANGED])
    assert_asked_under(
        reloaded["in vain, unapproved"], reloaded.before[UNAPPROVED], reloaded.after[UNAPPROVED]
    )


def test_a_call_keeps_the_version_that_it_began_with(reloaded: Reloading) -> None:
    assert_asked_under(reloaded["begun before"], reloaded.before[CHANGED], reloaded.after[CHANGED])


def test_a_call_after_the_reload_has_the_new_version(reloaded: Reloading) -> None:
    assert_asked_under(reloaded["begun after"], reloaded.after[CHANGED], reloaded.before[CHANGED])


def test_an_announcement_that_was_changed_is_not_played_and_the_call_goes_on_unrecorded(
    reloaded: Reloading,
) -> None:
    call = reloaded["spoilt"]
    assert (call.decision.outcome, call.decision.recording_id) == (Outcome.FAILED, None)
    assert call.decision.reason == "the announcement was changed after it was approved"
    norwegian = reloaded.before[UNAPPROVED].announcement
    assert spoken(call.caller.call.stream.received_in_step, norwegian.sound("information")).share == 0
    assert call.caller.rang_at - call.caller.call.placed_at < AT_ONCE_S
    assert "/asterisk-consent/" not in call.caller.recorders


def test_the_list_of_policies_says_which_is_not_asked_and_why(reloaded: Reloading) -> None:
    faulty = {policy: fault for policy, fault in reloaded.faults.items() if fault}
    assert list(faulty) == [UNAPPROVED]
    assert "changed" in str(faulty[UNAPPROVED])


def test_put_back_and_reloaded_it_is_asked_again(reloaded: Reloading) -> None:
    assert_asked_under(reloaded["put back"], reloaded.before[UNAPPROVED], reloaded.after[UNAPPROVED])
