"""A string that does not show itself: not in repr, str, format, logs, tracebacks or JSON."""

from typing import final


@final
class Secret:
    """Holds a key or token. `reveal()` is the only way to the text, so every use can be found by its name."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "Secret(…)"

    __str__ = __repr__

    def __format__(self, format_spec: str) -> str:
        return repr(self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(("Secret", self._text))

    def __reduce__(self) -> str | tuple[object, ...]:
        raise TypeError("a Secret is never serialized")
