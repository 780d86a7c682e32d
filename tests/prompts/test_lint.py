"""The linter: nothing to say about the shipped texts, and one finding for each way to spoil them."""

import dataclasses

import pytest

from asterisk_consent.prompts.lint import RULES, TextProblem, is_reviewed, lint_text
from asterisk_consent.prompts.text import AnnouncementText
from tests.prompts.announcement import DUTIES_OF, KINDS, shipped_text, values_for


def findings(name: str, text: AnnouncementText | None = None, **values: str) -> list[TextProblem]:
    return lint_text(
        text or shipped_text(name),
        duties=DUTIES_OF[KINDS[name]],
        spoken_values={**values_for(name), **values},
    )


def changed(name: str, place: str, sentence: str | None) -> AnnouncementText:
    """A shipped text with one sentence written otherwise; left out with None."""
    text = shipped_text(name)
    part, duty = place.split(".")
    parts = {key: dict(sentences) for key, sentences in text.parts.items()}
    parts.setdefault(part, {}).pop(duty, None) if sentence is None else parts[part].update({duty: sentence})
    return dataclasses.replace(text, parts=parts)


def only_finding(name: str, place: str, sentence: str | None) -> TextProblem:
    (problem,) = findings(name, changed(name, place, sentence))
    assert problem.place == f"{name}.toml: {place}"
    assert problem.rule in RULES
    return problem


@pytest.mark.parametrize("name", KINDS)
def test_nothing_is_found_in_the_shipped_texts(name: str) -> None:
    assert findings(name) == []


@pytest.mark.parametrize("name", KINDS)
def test_every_required_sentence_left_out_is_found(name: str) -> None:
    for part, required in DUTIES_OF[KINDS[name]].items():
        for duty in required:
            assert only_finding(name, f"{part}.{duty}", None).rule == "missing"


def test_a_missing_sentence_is_named_with_its_reason_and_what_to_write() -> None:
    assert str(only_finding("nl/p1", "information.storage", None)) == (
        "nl/p1.toml: information.storage: nothing says how long the recording is kept (GDPR art. 13(2)(a))."
        ' Write in [information] a sentence storage = "…" that says how long the recording is kept.'
        " It has the place {storage_time}."
    )


def test_a_whole_part_left_out_is_found() -> None:
    text = shipped_text("nl/legal")
    parts = {part: sentences for part, sentences in text.parts.items() if part != "no_refusal"}
    (problem,) = findings("nl/legal", dataclasses.replace(text, parts=parts))
    assert (problem.rule, problem.place) == ("missing", "nl/legal.toml: no_refusal.no_refusal")


@pytest.mark.parametrize(
    ("name", "place", "sentence", "lacks"),
    [
        ("nl/p1", "information.controller", "Welkom bij ons.", "controller"),
        ("nl/p1", "information.purposes", "voor de training:", "purposes"),
        ("nl/p1", "information.storage", "Wij bewaren de opname 90 dagen.", "storage_time"),
        ("nl/p1", "information.address", "Meer op onze website.", "address"),
        ("nl/p1", "question.agree", "Toets als wij mogen opnemen,", "agree_digit"),
        ("nl/p1", "question.refuse", "niets als u dat niet wilt,", "refuse_digit"),
        ("nl/p1", "question.repeat", "of wacht om dit nog eens te horen.", "repeat_digit"),
        ("nl/p5", "question.object", "Zeg het als u niet wilt dat wij opnemen.", "refuse_digit"),
        ("nl/p5", "menu.choose", "Wacht voor Nederlands.", "language_digit"),
    ],
)
def test_a_sentence_without_the_place_that_belongs_to_it_is_found(
    name: str, place: str, sentence: str, lacks: str
) -> None:
    problem = only_finding(name, place, sentence)
    assert problem.rule == "place"
    assert f"but lacks {{{lacks}}}" in problem.what
    assert f"Write {{{lacks}}}" in problem.instead


@pytest.mark.parametrize(
    ("name", "place", "sentence", "word"),
    [
        ("nl/p1", "information.withdrawal", "U mag altijd op uw keuze letten.", "intrekken"),
        ("nb/p2", "information.withdrawal", "Du kan når som helst si fra.", "trekke tilbake"),
        ("en/p5", "information.objection", "You can speak up at any time.", "object"),
        ("fr/p5", "information.recording", "Cet appel est gardé", "enregistrer"),
        ("de/p5", "information.monitoring", "und kann begleitet werden,", "mithören"),
        ("nl/legal", "information.legal_obligation", "omdat dat moet,", "de wet"),
        ("nl/legal", "no_refusal.no_refusal", "Weigeren kan niet.", "de wet"),
    ],
)
def test_a_sentence_that_does_not_say_what_it_is_there_for_is_found(
    name: str, place: str, sentence: str, word: str
) -> None:
    problem = only_finding(name, place, sentence)
    assert problem.rule == "meaning"
    assert problem.instead == f"Say it in so many words, with a form of {word!r}"


def test_a_sentence_for_a_digit_that_the_policy_lacks_is_found() -> None:
    (problem,) = findings("nl/p1", repeat_digit="")
    assert problem == TextProblem(
        rule="digit",
        place="nl/p1.toml: question.repeat",
        what="the sentence is for {repeat_digit}, but the policy has no digit repeat",
        instead="Leave the sentence out, or give the policy a digit repeat",
    )


def test_a_digit_that_the_policy_lacks_is_found_in_every_sentence() -> None:
    text = changed("nl/p5", "information.objection", "U kunt bezwaar maken, straks met {repeat_digit}.")
    (problem,) = findings("nl/p5", text)
    assert (problem.rule, problem.place) == ("digit", "nl/p5.toml: information.objection")


def test_the_menu_sentence_of_a_language_may_wait_for_a_policy_with_a_menu() -> None:
    duties = {part: required for part, required in DUTIES_OF["opt-out"].items() if part != "menu"}
    values = {**values_for("nl/p5"), "language_digit": ""}
    assert lint_text(shipped_text("nl/p5"), duties=duties, spoken_values=values) == []


@pytest.mark.parametrize(
    ("name", "place", "sentence", "written"),
    [
        ("nl/p1", "question.refuse", "{refuse_digit}, dus 2, als u dat niet wilt,", "2"),
        ("nl/p1", "question.refuse", "{refuse_digit} of * als u dat niet wilt,", "*"),
        ("nl/p1", "question.refuse", "{refuse_digit} of hekje als u dat niet wilt,", "hekje"),
        ("nl/p1", "question.refuse", "twee als u dat niet wilt, dus {refuse_digit},", "twee"),
        ("nl/p1", "question.agree", "Toets een als wij mogen opnemen, of {agree_digit},", "een"),
        ("nl/p1", "information.withdrawal", "U mag dit intrekken: druk op de twee.", "twee"),
        ("nb/p2", "question.repeat", "eller tre for å høre dette, altså {repeat_digit}.", "tre"),
        ("nb/p2", "question.agree", "Trykk én hvis vi får ta opp, eller {agree_digit},", "én"),
        ("en/p1", "question.agree", "Press one if we may record, or {agree_digit},", "one"),
        ("fr/p5", "question.object", "Tapez neuf si vous refusez, ou {refuse_digit}.", "neuf"),
        ("fr/p5", "menu.choose", "Pour le français, tapez sur le quatre, le {language_digit}.", "quatre"),
        (
            "de/p5",
            "question.object",
            "Drücken Sie die Neun, wenn Sie das nicht wollen, {refuse_digit}.",
            "Neun",
        ),
    ],
)
def test_a_digit_written_out_is_found(name: str, place: str, sentence: str, written: str) -> None:
    problem = only_finding(name, place, sentence)
    assert problem.rule == "written_digit"
    assert problem.what == f"the digit {written!r} is written out, whatever digit the policy has"
    assert "_digit}" in problem.instead


@pytest.mark.parametrize(
    ("name", "place", "sentence"),
    [
        ("nl/p1", "question.agree", "Kies een cijfer. Toets {agree_digit} als wij een opname mogen maken,"),
        ("nl/p1", "information.withdrawal", "U mag dit intrekken, ook over twee weken of drie."),
        ("nl/p1", "information.content", "beide kanten, die van u en die van een van ons."),
        ("nb/p2", "question.refuse", "{refuse_digit} hvis du ikke ønsker et opptak,"),
        ("en/p1", "question.refuse", "{refuse_digit} if you want no one to record,"),
        ("fr/p5", "question.object", "Tapez {refuse_digit} si vous refusez les deux."),
        ("de/p5", "question.object", "Drücken Sie {refuse_digit}, wenn Sie eine Aufzeichnung ablehnen."),
    ],
)
def test_a_number_that_is_no_digit_to_press_is_not_found(name: str, place: str, sentence: str) -> None:
    assert findings(name, changed(name, place, sentence)) == []


@pytest.mark.parametrize(
    ("name", "sentence", "vague"),
    [
        ("nl/p5", "Dit gesprek kan worden opgenomen", "kan worden opgenomen"),
        ("nl/p5", "Dit gesprek kan voor {purposes} opgenomen worden", "kan voor {purposes} opgenomen worden"),
        ("nl/p5", "Dit gesprek kan worden beluisterd en opgenomen", "kan worden beluisterd en opgenomen"),
        ("nl/p5", "Wij zeggen dat dit gesprek opgenomen kan worden", "opgenomen kan worden"),
        ("nb/p2", "Samtalen kan bli tatt opp", "kan bli tatt opp"),
        ("nb/p2", "Samtalen kan tas opp", "kan tas opp"),
        ("en/p5", "This call may be recorded", "may be recorded"),
        ("en/p5", "Calls might be monitored or recorded", "might be monitored or recorded"),
        ("en/p5", "For your safety we may record", "we may record"),
        ("fr/p5", "Cet appel peut être enregistré", "peut être enregistré"),
        ("fr/p5", "Cet appel est susceptible d'être enregistré", "susceptible d'être enregistré"),
        ("de/p5", "Dieses Gespräch kann aufgezeichnet werden", "kann aufgezeichnet werden"),
        ("de/p5", "Das Gespräch wird eventuell aufgezeichnet", "wird eventuell aufgezeichnet"),
    ],
)
def test_wording_that_leaves_the_recording_open_is_found(name: str, sentence: str, vague: str) -> None:
    problem = only_finding(name, "information.recording", sentence)
    assert problem.rule == "vague"
    assert problem.what == f"{vague!r} leaves open whether this call is recorded"


def test_vague_wording_over_two_sentences_is_found_where_it_begins() -> None:
    text = changed("nl/p1", "information.recording", "Een opname maken wij graag, dit gesprek kan")
    parts = {**text.parts, "information": {**text.parts["information"], "content": "worden opgenomen."}}
    (problem,) = findings("nl/p1", dataclasses.replace(text, parts=parts))
    assert (problem.rule, problem.place) == ("vague", "nl/p1.toml: information.recording")


@pytest.mark.parametrize(
    ("name", "place", "sentence"),
    [
        (
            "nl/p1",
            "information.recording",
            "Dit gesprek kan alleen als u het goedvindt worden opgenomen, een opname",
        ),
        ("en/p1", "question.agree", "Press {agree_digit} if this call may be recorded,"),
        ("en/p5", "information.objection", "You can object to being recorded at any time."),
        ("en/p5", "information.objection", "You can object, and ask us not to be recorded."),
        ("nl/p5", "information.monitoring", "en er kan worden meegeluisterd zolang het wordt opgenomen,"),
    ],
)
def test_asking_a_permission_and_stating_a_condition_are_not_vague(
    name: str, place: str, sentence: str
) -> None:
    assert findings(name, changed(name, place, sentence)) == []


def test_an_agreement_asked_for_before_the_information_is_played_is_found() -> None:
    problem = only_finding(
        "nl/p1", "information.equal_service", "Wij verbinden u altijd door. Akkoord? Toets {agree_digit}."
    )
    assert str(problem) == (
        "nl/p1.toml: information.equal_service: an agreement is asked for before the information has been played to"
        ' its end, when it cannot count (GDPR art. 4(11)). Move it to [question], as the sentence agree = "…"'
    )


def test_a_language_that_is_not_known_is_found_and_the_rest_is_still_checked() -> None:
    text = dataclasses.replace(changed("nl/p1", "question.refuse", None), language="xx")
    problems = findings("nl/p1", text)
    assert [problem.rule for problem in problems] == ["language", "missing"]
    assert "nothing is known of the language 'xx'" in problems[0].what
    assert "Add a table [xx]" in problems[0].instead


def test_everything_wrong_is_found_at_once_in_the_order_of_the_parts() -> None:
    text = changed("nl/p5", "information.recording", "Dit gesprek kan worden opgenomen")
    parts = {
        **text.parts,
        "question": {"object": "Toets negen als u dat niet wilt."},
        "menu": {"choose": "Nederlands?"},
    }
    problems = findings("nl/p5", dataclasses.replace(text, parts=parts))
    assert [problem.rule for problem in problems] == ["place", "vague", "place", "written_digit"]


@pytest.mark.parametrize(
    ("reviewer", "reviewed"), [("unreviewed", False), (" Unreviewed ", False), ("A. Voorbeeld, DPO", True)]
)
def test_a_text_is_reviewed_once_somebody_put_a_name_under_it(reviewer: str, reviewed: bool) -> None:
    assert is_reviewed(dataclasses.replace(shipped_text(), reviewed_by=reviewer)) is reviewed
