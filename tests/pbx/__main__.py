"""``python -m tests.pbx up|down|status``: the development PBX on loopback.

Exit status: 0 fine (``status``: it is up), 1 not, 2 wrong usage.
"""

import sys

from tests.pbx.development import DevelopmentPbx
from tests.pbx.settings import PROJECT, CannotSetUpError, Settings

USAGE = "usage: python -m tests.pbx up|down|status"
NUMBERS = """
  1001  p1-nl, opt-in: asks in Dutch, then an agent who sounds 1000 Hz
  1021  the same in English, chosen by the number dialled
  1002  p2-nb, opt-in: asks in Norwegian
  1003  p3-nl, notice: tells in Dutch and asks nothing
  1004  p4-logging, opt-in: a customer with voice logging, in English
  1005  p4-plain, off: a customer without; nothing is asked, recorded or kept
  1006  p5-be, opt-out: a menu of four languages; 9 objects at any moment
  1008  a legal entity that p5-be excludes: the agent, never asked
  1007  as 1001, then a queue with 8 s of music
  1011  as 1001, over FastAGI
  1016  as 1006, over FastAGI
  112   an emergency number: straight to the agent, never asked, never recorded
  1090  the withdrawal line of the controller voorbeeld, in Dutch and English
  1099  a policy that does not exist: the agent, unrecorded

Call from this machine with any SIP phone, without registration: sip:1001@127.0.0.1:{port} (UDP).
Look:  {sudo}{program} --config {config} calls list
End:   make pbx-down"""


def main(arguments: list[str]) -> int:
    """Carry out one command and return the exit status."""
    if len(arguments) != 1 or arguments[0] not in ("up", "down", "status"):
        print(USAGE, file=sys.stderr)
        return 2
    try:
        return _run(arguments[0])
    except CannotSetUpError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _run(command: str) -> int:
    settings = Settings.from_environment()
    pbx = DevelopmentPbx.of(settings)
    if command == "up":
        pbx.up(_say)
        program, config = (
            path.relative_to(PROJECT) if path.is_relative_to(PROJECT) else path
            for path in (settings.program, settings.config_file)
        )
        sudo = "sudo " if settings.developer_uid else ""
        print(NUMBERS.format(port=settings.sip_port, sudo=sudo, program=program, config=config))
        return 0
    if command == "down":
        pbx.down(_say)
        return 0
    for program_ in (pbx.asterisk.program, pbx.service.program):
        running = program_.running()
        print(f"{program_.name}: {f'process {running.pid}' if running else 'not running'}")
    return 0 if pbx.is_up() else 1


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
