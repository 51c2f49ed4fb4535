"""What is near to plain: JSON with members left out, doubled or odd, and values of ours with other fields."""

import copy
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec
from hypothesis import strategies as st

from allgate.core.errors import WireError
from allgate.core.value import AnyValue, changed

ODD = (
    'null', '""', '"a"', '"\\u00e9 \\ud83d\\ude00"', '"\\ud83d"', "0", "1", "-1", "1.0", "0.5", "1e400", str(2**70), "NaN", "true",
    "false", "[]", "[[]]", "{}", '{"a":{}}', "[" * 250 + "]" * 250, '"\\x"', '"\x01"', "{", "\u00e9",
)  # fmt: skip
"""Values of every type as JSON, and some that are no JSON."""

_ELSEWHERE = (
    "id", "status", "phase", "name", "annotations", "logprobs", "tools", "metadata", "user", "include", "reasoning", "prompt",
    "conversation", "cost", "arguments", "refusal", "type", "\u00e9",
)  # fmt: skip
"""Names of members that other objects of this dialect have, or none."""


@st.composite
def near(draw: st.DrawFn, plain: Sequence[dict]) -> bytes:
    """One of these values as JSON, in which one object may lack a member or have an odd, another or a second one."""
    value = copy.deepcopy(draw(st.sampled_from(plain)))
    changed = draw(st.sampled_from(list(_objects(value))))
    lacking = draw(st.sampled_from((*(None for _ in changed), *changed)))
    members = [(name, json.dumps(member)) for name, member in changed.items() if name != lacking]
    names, places = (*changed, *_ELSEWHERE), st.integers(0, len(members))
    for odd in draw(st.lists(st.tuples(st.sampled_from(names), st.sampled_from(ODD)), max_size=1)):
        members.insert(draw(places), odd)  # of two with one name the last counts
    changed.clear()
    changed["@"] = None
    text = ",".join(f"{json.dumps(name)}:{member}" for name, member in members)
    return json.dumps(value).replace('{"@": null}', "{" + text + "}").encode()


def _objects(value: object) -> Iterator[dict]:
    """All objects in a value, itself first."""
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    for member in value if isinstance(value, list) else ():
        yield from _objects(member)


def varied(value: AnyValue, /, **fields: st.SearchStrategy) -> st.SearchStrategy[AnyValue]:
    """`value` with up to three of these fields drawn anew."""
    names = st.lists(st.sampled_from(list(fields)), max_size=3, unique=True)
    drawn = names.flatmap(lambda chosen: st.fixed_dictionaries({name: fields[name] for name in chosen}))
    return drawn.map(lambda members: changed(value, **members))


def outcome(step: Callable[..., object], *arguments: object) -> object:
    """What a step gives, to the type of each number; or how it failed."""
    try:
        return exact(step(*arguments))
    except WireError as error:
        return error.failure


def exact(value: object) -> bytes:
    """Bytes that differ wherever two values do: 1 is neither 1.0 nor true."""
    return repr(value).encode() if value is None else msgspec.json.encode(value, order="sorted")


def recorded(recordings: Path, side: str) -> list[bytes]:
    """The bodies of the recorded requests or responses of this dialect."""
    rows = json.loads((recordings / "index.json").read_text())["files"]
    sides = [
        json.loads((recordings / row["file"]).read_text())[side]
        for row in rows
        if row["endpoint"] == "responses"
    ]
    return [
        json.dumps(side["body"]).encode() for side in sides if side and isinstance(side.get("body"), dict)
    ]
