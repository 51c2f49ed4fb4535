"""Members of a provider's reply, read without complaint: a value of another type than the wanted one counts as absent.

A client's request is read with the strict readers of `wire.json`, which name the path; a provider cannot be told to do
better, and one odd member must not cost the answer. Values come from a JSON decoder, so their types are exact: `dict is
type(value)` asks so without the call of a `cast`.
"""

from allgate.wire.json import Json, JsonObject


def object_of(value: Json) -> JsonObject:
    """`value` if it is an object, else an empty one."""
    return value if dict is type(value) else {}


def objects_of(value: Json) -> list[JsonObject]:
    """The objects in an array; nothing for any other value."""
    return [item for item in value if dict is type(item)] if value and list is type(value) else []


def list_of(value: Json) -> list[Json]:
    """`value` if it is an array, else an empty one."""
    return value if list is type(value) else []


def text_of(value: Json) -> str:
    """`value` if it is a string, else an empty one."""
    return value if isinstance(value, str) else ""


def text_or_none(value: Json) -> str | None:
    """`value` if it is a string that is not empty, else None."""
    return value if isinstance(value, str) and value else None


def texts_of(value: Json) -> tuple[str, ...]:
    """The strings in an array."""
    return tuple(item for item in list_of(value) if isinstance(item, str))


def count_of(value: Json) -> int | None:
    """`value` if it is a whole number of at least 0 (5.0 is one, true is not), else None."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def counts_of(value: Json) -> dict[str, int]:
    """The members of an object that are counts. One pass over what is there, instead of a question for all that may be."""
    counts: dict[str, int] = {}
    if dict is not type(value):
        return counts
    for name, member in value.items():
        if type(member) is int and member >= 0:
            counts[name] = member
        elif type(member) is float and (whole := count_of(member)) is not None:
            counts[name] = whole
    return counts
