"""JSON near a plain one, for tests that hold two readers to each other: any member may be wrong, missing or doubled."""

import json
from collections.abc import Callable, Mapping

from hypothesis import strategies as st

from allgate.core.errors import Failure, WireError

ODD = st.sampled_from(
    [
        "null", "true", "false", "0", "1", "1.0", "-3", "0.5", "5e0", "-0", "1e400", "NaN", "18446744073709551616",
        "123456789012345678901234567890", '""', '"  "', '"x"', '"\\ud83d"', '"\\ud83d\\ude00"', '"\\u0000"', "[]", "{}",
        '["x"]', "[null]", '{"x":1}', '"end_turn"', '"tool_use"', '"user"', '"text"', "[" * 250 + "]" * 250, "",
    ]
)  # fmt: skip


@st.composite
def near(draw: Callable[..., object], plain: Mapping[str, st.SearchStrategy[str]]) -> str:
    """An object of these members, each a strategy of JSON texts; sometimes one is missing, odd, new or doubled."""
    members = [(name, draw(text)) for name, text in plain.items()]
    match draw(st.sampled_from([*[""] * 6, "missing", "odd", "added"])):
        case "missing":
            kept = draw(st.sets(st.sampled_from([*plain])))
            members = [pair for pair in members if pair[0] in kept]
        case "odd":
            name = draw(st.sampled_from([*plain]))
            members = [(other, draw(ODD) if other == name else text) for other, text in members]
        case "added":
            name = draw(st.sampled_from([*plain, "novel", "cache_control"]))
            members.insert(draw(st.integers(0, len(members))), (name, draw(ODD)))
    return "{" + ",".join(f"{json.dumps(name)}:{text}" for name, text in members) + "}"


def outcome(step: Callable[[], object]) -> object | Failure:
    """What a step gives, or why it refuses. Its `repr` tells 1 from 1.0 and from true, which equality does not."""
    try:
        return repr(step())
    except WireError as error:
        return repr(error.failure)
