"""What is sealed in entries about no call goes after the longest term for proof, and the list of objections stays."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from asterisk_consent.errors import RequestRefusedError
from asterisk_consent.ledger import verify
from asterisk_consent.ledger.apart import entries_apart
from asterisk_consent.ledger.erasures import read_journal
from asterisk_consent.ledger.standing import has_objected
from asterisk_consent.ledger.watching import Watch
from asterisk_consent.model import Right
from asterisk_consent.rights.access import Places, open_entry_apart
from asterisk_consent.rights.apart import forget_apart
from asterisk_consent.rights.looking import CALLS, Looking, enter_look
from asterisk_consent.rights.objecting import Objector, object_to, objector
from asterisk_consent.rights.sweeping import sweep
from asterisk_consent.vault.identities import identity_path, load_identities
from asterisk_consent.vault.proof_keys import with_proof_key
from tests.rights.kept_calls import BEGAN_AT, NUMBER, KeptCalls, withdrawal

TERM_OVER = datetime(2032, 1, 16, tzinfo=ZoneInfo("Europe/Amsterdam"))
"""Five years after :data:`BEGAN_AT`, the ``proof_term`` of the policy."""


@pytest.fixture
async def kept(tmp_path: Path) -> KeptCalls:
    kept = await KeptCalls.begin(tmp_path, "p1-nl")
    sweep(kept.held, clock_confirmed_by="somebody")
    return kept


def entered(kept: KeptCalls) -> Objector:
    """Enter an objection and a look at the moment of the clock."""
    controller = kept.controller("p1-nl")
    who = objector(NUMBER, region="GB", controller=controller, held=kept.held)
    object_to(who, withdrawal(right=Right.OBJECTION), kept.held)
    looking = Looking(person="m.jansen", reason="a complaint")
    enter_look(controller, looking, among=CALLS, found=2, held=kept.held)
    return who


def live(kept: KeptCalls) -> set[str]:
    """What there is a key for, of the entries about no call."""
    return with_proof_key([row.key_id for row in entries_apart(kept.held.ledger)], kept.held.keys)


def swept_at(kept: KeptCalls, moment: datetime) -> None:
    kept.clock.now = moment.timestamp()
    sweep(kept.held, clock_confirmed_by="somebody")


def test_who_asked_goes_with_the_end_of_the_term_and_not_a_second_before(kept: KeptCalls) -> None:
    who = entered(kept)
    swept_at(kept, TERM_OVER - timedelta(seconds=1))
    assert len(live(kept)) == 2
    swept_at(kept, TERM_OVER)
    assert live(kept) == set()
    assert has_objected(kept.held.ledger, who.subject, controller=who.controller)
    assert verify(kept.held.ledger).problem is None
    objection, _ = entries_apart(kept.held.ledger)
    places = Places(ledger=kept.held.ledger, keys=kept.held.keys)
    identities = load_identities(identity_path(who.controller, kept.place.config.identities))
    with pytest.raises(RequestRefusedError, match="is gone"):
        open_entry_apart(objection.seq, person="m", reason="why", places=places, identities=identities)


def test_the_longest_term_for_proof_of_the_controller_counts(kept: KeptCalls) -> None:
    kept.place.change("p1-nl", "version = 1", "version = 2")
    kept.place.change("p1-nl", 'proof_term = "5 years"', 'proof_term = "6 years"')
    kept.place.approve("p1-nl")
    entered(kept)
    assert forget_apart(TERM_OVER, kept.held) == 0
    assert forget_apart(TERM_OVER + timedelta(days=366), kept.held) == 2


def test_what_no_approved_policy_tells_a_term_for_is_kept(kept: KeptCalls) -> None:
    who = entered(kept)
    stranger = replace(who, controller="eksempel")
    object_to(stranger, withdrawal(right=Right.OBJECTION), kept.held)
    assert forget_apart(TERM_OVER, kept.held) == 2
    assert has_objected(kept.held.ledger, stranger.subject, controller="eksempel")


def test_what_went_is_in_the_journal_once_so_that_no_backup_brings_it_back(kept: KeptCalls) -> None:
    entered(kept)
    keys = live(kept)
    assert forget_apart(TERM_OVER, kept.held) == 2
    size = kept.held.journal.stat().st_size
    assert read_journal(kept.held.journal).erasures.keys() >= keys
    assert forget_apart(TERM_OVER, kept.held) == 0
    assert kept.held.journal.stat().st_size == size


def test_a_sweep_has_the_service_empty_its_logs(kept: KeptCalls) -> None:
    watch = Watch(kept.held.ledger)
    assert watch.has_erased()
    assert not watch.has_erased()
    swept_at(kept, BEGAN_AT.astimezone(UTC))
    assert watch.has_erased()
    watch.close()
