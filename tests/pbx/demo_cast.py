"""The twelve callers of the demo and their stories: every policy, and every way of answering it.

Rule: a role says what must come of a call; the story only behaves.
"""

from asterisk_consent.dialogue.events import Part
from asterisk_consent.model import Outcome
from tests.pbx.demo_callers import Act, Role, Story

LONG_S, SHORT_S = 8.0, 4.0
"""How long callers talk with the agent."""


async def agree(act: Act) -> None:
    """Listen, agree while the question is asked, talk."""
    await act.listen(Part.INFORMATION)
    await act.listen(Part.QUESTION, for_s=3.5)
    await act.press("yes, you may record")
    await act.reach_agent()
    await act.talk(LONG_S)
    await act.hang_up()


async def refuse(act: Act) -> None:
    """Refuse in the middle of the information: a no counts at any moment."""
    await act.listen(Part.INFORMATION, for_s=7.0)
    await act.press("no, do not record")
    await act.reach_agent()
    await act.talk(LONG_S)
    await act.hang_up()


async def stay_silent(act: Act) -> None:
    """Give no answer at all: silence is never an agreement."""
    await act.listen(Part.INFORMATION)
    await act.listen(Part.QUESTION)
    await act.say_nothing(Part.QUESTION)
    await act.reach_agent()
    await act.talk(SHORT_S)
    await act.hang_up()


async def stay_on(act: Act) -> None:
    """Hear the notice to its end and stay on the line."""
    await act.listen(Part.INFORMATION)
    await act.await_agent("stays on the line")
    await act.talk(LONG_S)
    await act.hang_up()


async def choose_and_stay(act: Act) -> None:
    """Choose a language, hear everything in it, and do not object."""
    await act.listen(Part.MENU, for_s=4.0)
    await act.choose()
    await act.listen(Part.INFORMATION)
    await act.listen(Part.QUESTION)
    await act.await_agent("does not object")
    await act.talk(LONG_S)
    await act.hang_up()


async def object_in_menu(act: Act) -> None:
    """Object before a language was chosen: that counts too."""
    await act.listen(Part.MENU, for_s=3.0)
    await act.press("do not record")
    await act.reach_agent()
    await act.talk(LONG_S)
    await act.hang_up()


async def choose_nothing(act: Act) -> None:
    """Choose no language: then nobody was informed, and nothing is recorded."""
    await act.listen(Part.MENU)
    await act.say_nothing(Part.MENU)
    await act.reach_agent()
    await act.talk(SHORT_S)
    await act.hang_up()


async def hang_up_early(act: Act) -> None:
    """Hang up while the information is read out."""
    await act.listen(Part.INFORMATION, for_s=5.0)
    await act.hang_up("has hung up in the announcement")


async def just_talk(act: Act) -> None:
    """Call where nothing is asked: nothing may come before the agent."""
    await act.reach_agent()
    await act.talk(SHORT_S)
    await act.hang_up()


_ANSWERS: tuple[tuple[str, str, str, str, str, Outcome | None, str, Story], ...] = (
    ("Anna", "agrees", "1001", "p1-nl", "nl", Outcome.GIVEN, "1", agree),
    ("Bram", "refuses", "1001", "p1-nl", "nl", Outcome.REFUSED, "2", refuse),
    ("Carla", "says nothing", "1021", "p1-nl", "en", Outcome.NO_CHOICE, "", stay_silent),
    ("Dina", "agrees", "1002", "p2-nb", "nb", Outcome.GIVEN, "1", agree),
    ("Emil", "stays", "1003", "p3-nl", "nl", Outcome.INFORMED, "", stay_on),
    ("Fatima", "agrees", "1004", "p4-logging", "en", Outcome.GIVEN, "1", agree),
    ("Gijs", "just calls", "1005", "p4-plain", "", None, "", just_talk),
    ("Hélène", "in French", "1006", "p5-be", "fr", Outcome.INFORMED, "", choose_and_stay),
    ("Ivo", "objects", "1006", "p5-be", "", Outcome.OBJECTED, "9", object_in_menu),
    ("Jana", "hangs up", "1001", "p1-nl", "nl", Outcome.ABANDONED, "", hang_up_early),
    ("Kees", "needs help", "112", "", "", None, "", just_talk),
    ("Lena", "no language", "1006", "p5-be", "", Outcome.NO_CHOICE, "", choose_nothing),
)
"""Name, wish, number dialled, its policy, language, what must come of it, deciding digit, what happens."""

CAST: tuple[tuple[Role, Story], ...] = tuple(
    (
        Role(
            name=name,
            wish=wish,
            number=number,
            # Of Ofcom's numbers for drama a block that no test shows, so that a trace is the demo's own.
            caller_id=f"+44161496{101 + index:04d}",
            hz=420 + 40 * index,
            policy=policy,
            language=language,
            outcome=outcome,
            digit=digit,
        ),
        story,
    )
    for index, (name, wish, number, policy, language, outcome, digit, story) in enumerate(_ANSWERS)
)
WITHOUT_LOGGING, EMERGENCY = "Gijs", "Kees"
"""Who calls where nothing of the product may happen."""
