"""Reasoning that a server writes into the text: `<think>…</think>` and its variants, split off while it streams.

Open models answer with their chat template's tags in the content. Rules:
- Only at the very start of the answer, behind optional white space: a tag later in the text is something the user
  asked to see. After the first closing tag everything is text.
- Where the template has opened the tag already (`open_implicit`), the answer starts inside it. An opening tag that
  comes all the same is dropped.
- A piece that may be the beginning of a tag is held back; any slicing gives the same thinking and the same text.
- White space directly behind a tag belongs to the tag.
"""

from typing import Literal

Kind = Literal["thinking", "text"]
Piece = tuple[Kind, str]

_NAMES = ("think", "thinking", "thought", "reasoning")
_OPENING = (*(f"<{name}>" for name in _NAMES), "◁think▷")
_CLOSING = {f"<{name}>": f"</{name}>" for name in _NAMES} | {"◁think▷": "◁/think▷"}


class ThinkTags:
    """feed(text) → pieces of thinking and of text; close() → what was held back."""

    __slots__ = ("_closing", "_fresh", "_held", "_implicit", "_state")

    def __init__(self, *, open_implicit: bool = False) -> None:
        self._state: Literal["start", "inside", "text"] = "start"
        self._held = ""
        self._implicit = open_implicit
        self._closing = _CLOSING["<think>"]
        self._fresh = False  # directly behind a tag: white space is not content

    def feed(self, text: str) -> list[Piece]:
        """The pieces that `text` completes."""
        if self._state == "text" and not self._fresh:
            return [("text", text)] if text else []
        pieces: list[Piece] = []
        self._held += text
        while self._held and (step := self._step()) is not None:
            pieces += step
        return pieces

    def close(self) -> list[Piece]:
        """The rest, at the end of the answer: a tag that was never completed is what it looks like."""
        held, self._held = self._held, ""
        if not held:
            return []
        thinking = self._state == "inside" or (self._state == "start" and self._implicit)
        return [("thinking" if thinking else "text", held)]

    def _step(self) -> list[Piece] | None:
        """One advance over what is held; None where more is needed to decide."""
        if self._fresh and not self._skip_space():
            return None
        match self._state:
            case "start":
                return self._at_start()
            case "inside":
                return self._inside()
            case "text":
                text, self._held = self._held, ""
                return [("text", text)]

    def _skip_space(self) -> bool:
        self._held = self._held.lstrip()
        self._fresh = not self._held
        return not self._fresh

    def _at_start(self) -> list[Piece] | None:
        ahead = self._held.lstrip()
        opening = next((tag for tag in _OPENING if ahead.startswith(tag)), None)
        if opening:
            self._closing = _CLOSING[opening]
            self._held = ahead[len(opening) :]
            self._state, self._fresh = "inside", True
            return []
        if any(tag.startswith(ahead) for tag in _OPENING):
            return None
        self._state = "inside" if self._implicit else "text"
        return []

    def _inside(self) -> list[Piece] | None:
        thinking, tag, rest = self._held.partition(self._closing)
        if tag:
            self._held, self._state, self._fresh = rest, "text", True
            return [("thinking", thinking)] if thinking else []
        keep = _overlap(self._held, self._closing)
        thinking, self._held = self._held[: len(self._held) - keep], self._held[len(self._held) - keep :]
        return [("thinking", thinking)] if thinking else None


def _overlap(text: str, tag: str) -> int:
    """How many characters at the end of `text` may be the beginning of `tag`."""
    return next(
        (size for size in range(min(len(text), len(tag) - 1), 0, -1) if tag.startswith(text[-size:])), 0
    )
