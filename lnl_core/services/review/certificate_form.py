"""The form of a certificate: which parts it has, and of which kind each is.

What is not checked must not be stated: somebody reads it as if it were.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lnl_core.store.goals import RECALL

FORMAT = "lnl-review certificate 3"
EARLIER = ("lnl-review certificate 1", "lnl-review certificate 2")
"""Of programs that did not state all of what is checked now."""

_Kinds = tuple[type, ...]
_COUNT: _Kinds = (int,)
_TEXT: _Kinds = (str,)
_NUMBER: _Kinds = (int, float)
_NONE = type(None)

_PARTS: dict[str, _Kinds] = {
    **dict.fromkeys(("format", "dataset", "content", "issued_at", "method", "checksum"), _TEXT),
    **dict.fromkeys(("labels", "last_decision", "found", "known_wrong", "kept"), _COUNT),
    **dict.fromkeys(("at_most_left", "auto_fixed", "seed"), _COUNT),
    **dict.fromkeys(("risk", "confidence"), (float,)),
    "goal": (int, _NONE),
    "stopping": (dict,),
    "assumptions": (list,),
    "people": (dict,),
    "draws": (list,),
}
_MAY_HAVE: dict[str, _Kinds] = {"rests_on_until": _TEXT}
_GOAL: dict[str, _Kinds] = {
    **dict.fromkeys(("goal", "kind", "said"), _TEXT),
    **dict.fromkeys(("set_by", "set_at"), (str, _NONE)),
    "value": (*_NUMBER, _NONE),
    "number": (int, _NONE),
}
_SHARE: dict[str, _Kinds] = {
    **dict.fromkeys(("sample", "to_pass", "depth", "draws_made"), (int, _NONE)),
    "confidence": (float,),
    "sampled_errors": (list,),
    "order": _TEXT,
}
_PEOPLE: dict[str, _Kinds] = {
    **dict.fromkeys(("at_most_left", "passed_over"), (int, _NONE)),
    **dict.fromkeys(("taken_back", "needed", "reviewers", "last_look", "last_answer"), _COUNT),
    **dict.fromkeys(("too_few", "assumption"), _TEXT),
    "gold": (dict,),
}
_GOLD: dict[str, _Kinds] = dict.fromkeys(("wrong", "caught", "right", "alarms"), _COUNT)
_DRAW: dict[str, _Kinds] = {
    **dict.fromkeys(("number", "eligible", "last_decision", "unreviewed", "found"), _COUNT),
    **dict.fromkeys(("id", "said"), _TEXT),
}


def wrong_in(body: Mapping[str, Any]) -> str:
    """Say what a certificate lacks, states beside its parts, or states as another kind of value.

    Returns:
        The words; "" where it has the form.
    """
    wrong = _wrong(body, _PARTS, "", _MAY_HAVE)
    if wrong:
        return wrong
    stopping, people, draws = body["stopping"], body["people"], body["draws"]
    share = _SHARE if stopping.get("kind") == RECALL else {}
    wrong = _wrong(stopping, _GOAL | share, "stopping: ") or _wrong(people, _PEOPLE, "people: ")
    wrong = wrong or _wrong(people["gold"], _GOLD, "people, gold: ")
    for each in draws:
        wrong = wrong or _wrong(each, _DRAW, "draws: ")
    if not wrong and len({each["number"] for each in draws}) < len(draws):
        return "one of its draws is stated twice"
    return wrong


def _wrong(
    body: Any, parts: Mapping[str, _Kinds], where: str, may_have: Mapping[str, _Kinds] | None = None
) -> str:
    if not isinstance(body, dict):
        return f"{where}a list of parts is missing"
    known = {**parts, **(may_have or {})}
    if missing := sorted(parts.keys() - body.keys()):
        return f"{where}it does not state “{missing[0]}”"
    if more := sorted(body.keys() - known.keys()):
        return f"{where}it states “{more[0][:60]}”, which no certificate does and nobody checks"
    strange = [name for name, value in body.items() if type(value) not in known[name]]
    return f"{where}“{strange[0]}” is no value of its kind" if strange else ""
