"""Reads a call as Asterisk hands it to us, and forgets at once what may not be known.

Every value here comes from outside. A number or name that the caller withheld is dropped in this module, before
anything can log, index or store it, even though the network supplied it (ETSI EN 300 089; RFC 3325 section 7).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from asterisk_consent.dialogue.withdrawal.receipt import RECEIPT_DIGITS
from asterisk_consent.model import MAX_OUTSIDE_TEXT, Call, CallId, Direction, Party
from asterisk_consent.pbx.ari import CallerId, ChannelSnapshot

_CHANNEL = re.compile(r"[A-Za-z0-9]+/(.+)-[0-9a-f]{8}")
_ALIAS = re.compile(r"[0-9a-f]{16}")

NO_REGIONS: Mapping[str, str] = MappingProxyType({})
APP = "asterisk-consent"
"""The Stasis application that the dialplan names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A call at the door: the call itself, and what remains of the administrator's own limit in seconds (0: none)."""

    call: Call
    limit_s: float


def new_receipt(randomness: Callable[[int], bytes]) -> str:
    """Make the receipt of a call: 12 digits that say nothing about it."""
    return f"{int.from_bytes(randomness(8), 'big') % 10**RECEIPT_DIGITS:0{RECEIPT_DIGITS}}"


def read_arrival(
    channel: ChannelSnapshot,
    args: list[str],
    *,
    call_id: CallId,
    at: int,
    regions: Mapping[str, str] = NO_REGIONS,
    receipt: str = "",
) -> Arrival:
    """Make an ``Arrival`` of a channel and the arguments that ``[asterisk-consent]`` gave to ``Stasis``.

    :param args: ``ask, policy, presentation of number, of name, dialled number, remaining limit, alias``; what is
        missing counts as empty, and an empty presentation as withheld.
    :param regions: country by the name of the trunk.
    """
    values = [*args, *[""] * 7]
    _, policy, number_presentation, name_presentation, dialled, limit, alias = values[:7]
    return Arrival(
        call=Call(
            call_id=call_id,
            channel=channel.id,
            party=_party(channel.caller, number_presentation, name_presentation),
            dialled=dialled,
            policy=policy,
            language=channel.language,
            direction=Direction.INCOMING,
            started_at=at,
            region=regions.get(trunk_of(channel.name), ""),
            alias=alias if _ALIAS.fullmatch(alias) else "",
            receipt=receipt,
        ),
        limit_s=_seconds(limit),
    )


def trunk_of(channel_name: str) -> str:
    """Return the endpoint that a channel belongs to: ``trunk-de`` of ``PJSIP/trunk-de-0000002a``."""
    found = _CHANNEL.fullmatch(channel_name)
    return found[1] if found else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineCall:
    """A call to the withdrawal line of a controller; ``number`` is ``None`` where the caller withheld it."""

    channel: str
    controller: str
    number: str | None
    limit_s: float


def is_for_the_line(args: list[str]) -> bool:
    """Tell whether a call was sent to the withdrawal line."""
    return args[:1] == ["withdraw"]


def read_line_call(channel: ChannelSnapshot, args: list[str]) -> LineCall:
    """Make a ``LineCall`` of a channel and the arguments that ``[asterisk-consent-withdrawal]`` gave to ``Stasis``.

    :param args: ``withdraw, controller, presentation of number, remaining limit``; what is missing counts as empty.
    """
    _, controller, presentation, limit = [*args, *[""] * 4][:4]
    return LineCall(
        channel=channel.id,
        controller=controller,
        number=_party(channel.caller, presentation, "").number,
        limit_s=_seconds(limit),
    )


def args_of(channel: ChannelSnapshot) -> list[str]:
    """Return the Stasis arguments of a channel that was found waiting; empty where it is not ours."""
    if channel.dialplan.app_name != "Stasis":
        return []
    app, *args = channel.dialplan.app_data.split(",")
    return args if app == APP else []


def _party(caller: CallerId, number_presentation: str, name_presentation: str) -> Party:
    if not number_presentation.startswith("allowed"):
        return Party(number=None, name=None)
    shown = name_presentation.startswith("allowed")
    return Party(
        number=caller.number[:MAX_OUTSIDE_TEXT] or None,
        name=(caller.name[:MAX_OUTSIDE_TEXT] or None) if shown else None,
    )


def _seconds(text: str) -> float:
    try:
        return max(0.0, min(float(text), 1e6))
    except ValueError:
        return 0.0
