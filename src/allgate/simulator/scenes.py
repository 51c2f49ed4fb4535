"""Scenes: what a request makes the simulator do, as one table of knobs and one of named settings.

A scene is said in a line: a name from `SCENES`, then `knob=value` pairs, each a field of `Scene`; either may be left
out. It reaches the simulator in four places, and what a later one sets wins:

1. the model name, with commas: `sim-cut,cut=3,how=reset`
2. the key, with commas: `sk-scene-error,status=429`
3. the header `x-sim-scene: think calls=2`
4. a line of the last user message that begins with `!scene`: `!scene paced words=50 delay_ms=20`

So two credentials or two deployments can fail in different ways under one prompt. `Simulator.script` goes before
all of them. Frames are counted from 0: `cut=3` means three frames leave whole. The single body of an answer that is
not streamed is one frame.
"""

import re
import shlex
from typing import Literal

import msgspec

from allgate.core.value import Value

MODEL_PREFIX = "sim-"
KEY_PREFIX = "sk-scene-"
HEADER = "x-sim-scene"
LINE_CHARS_MAX = 500
"""Characters of a scene line: every knob at once takes about 400."""

_SPOKEN = re.compile(r"^[ \t]*!scene\b[ \t]*([^\n]*)\n?", re.MULTILINE)
_PEEK_MODEL = re.compile(rb'"model"\s*:\s*"sim-([^"\\]*)"')
_PEEK_SPOKEN = re.compile(rb"!scene\b[ \t]*([^\\\"\n]*)")
How = Literal["close", "reset", "drop", "end"]


class SceneError(ValueError):
    """The scene line names a scene or knob that does not exist, or a value of the wrong type."""


class Scene(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every knob. The default is an honest vendor that echoes."""

    name: str = "echo"

    # the answer
    text: str | None = None  # these words instead of the echo
    words: int | None = None  # numbered words instead of the echo
    thinking: str | None = None  # reasoning before the answer
    redacted: bool = False  # … encrypted, where the vendor does that (Anthropic)
    calls: int | None = None  # tool calls to make; None: the request decides
    again: bool = False  # … also after tool results
    arguments: str | None = None  # raw tool arguments, right or wrong
    refuse: bool = False
    finish: Literal["length", "content_filter", "pause"] | None = None
    annotations: int = 0  # web citations on the text …
    cited: str | None = None  # … on these words of it; None: on all of it
    pieces: int | None = None  # stream the text in this many deltas; None: one per token
    usage: Literal["asked", "none", "finish", "every"] = "asked"
    input: int | None = None  # reported token counts; None: counted
    output: int | None = None
    cached: int | None = None
    cache_write: int | None = None
    reasoning: int | None = None

    # an error instead
    status: int | None = None
    code: str | None = None  # the vendor's code where a status has several, such as insufficient_quota
    retry_after: float | None = None  # seconds
    should_retry: bool | None = None
    page: Literal["json", "html", "empty"] = "json"

    # time
    first_ms: float = 0  # before the response head
    delay_ms: float = 0  # between frames
    hold: str | None = None  # wait for Simulator.release(name) …
    hold_at: int | None = None  # … before this frame; None: before the response head
    mute: bool = False  # never answer
    silence: int | None = None  # no byte more from this frame on

    # frames of a stream
    cut: int | None = None  # the body ends before this frame …
    inside: bool = False  # … or in its middle
    how: How = "close"  # by FIN, by RST, by FIN without TLS close_notify, or by a well-formed end of body
    bad: Literal["json", "truncated", "no_blank_line", "utf8"] | None = None
    bad_at: int = 1
    error_at: int | None = None  # the vendor's in-band error instead of this frame
    no_finish: bool = False
    no_done: bool = False
    comments: bool = False  # a keep-alive between frames, in the vendor's form

    # HTTP
    reset: Literal["accept", "reading", "read"] | None = (
        None  # RST: on connect, before the body is read, after
    )
    early: bool = False  # answer while the body is still coming in
    interim: int = 0  # 1xx responses before the real one …
    interim_status: int = 103
    slice: int | None = None  # HTTP chunks of at most so many bytes
    trailers: int = 0  # trailer fields after the last chunk
    header_bytes: int = 0  # one more header of this size
    header_count: int = 0  # so many more headers
    extension_bytes: int = 0  # a chunk extension of this size on every chunk
    length: int | None = None  # Content-Length, and this much off
    two_lengths: bool = False  # Content-Length and Transfer-Encoding together
    stale: Literal["close", "next"] | None = (
        None  # end the kept connection unsaid: now, or at its next request
    )
    close: bool = False  # Connection: close
    http10: bool = False  # HTTP/1.0, the body ends with the connection
    garbage: bool = False  # bytes after the end of the message
    malformed: Literal["status_line", "header", "chunk_size", "chunk_end"] | None = (
        None  # what is not HTTP at all
    )


SCENES: dict[str, dict[str, object]] = {
    "echo": {},
    "paced": {"words": 20, "delay_ms": 10},
    "empty": {"text": ""},
    "tools": {"calls": 1},
    "parallel": {"calls": 2},
    "think": {"thinking": "Let me think about this step by step."},
    "redacted": {"thinking": "Not for your eyes.", "redacted": True},
    "think_tools": {"thinking": "I need a tool for this.", "calls": 1},
    "search": {"annotations": 1},
    "refuse": {"refuse": True},
    "filter": {"finish": "content_filter"},
    "length": {"finish": "length"},
    "pause": {"finish": "pause"},
    "no_usage": {"usage": "none"},
    "usage_on_finish": {"usage": "finish"},
    "usage_every": {"usage": "every"},
    "error": {"status": 500},
    "rate_limit": {"status": 429, "retry_after": 1},
    "quota": {"status": 429, "code": "insufficient_quota"},
    "overloaded": {"status": 529},
    "html": {"status": 502, "page": "html"},
    "slow": {"first_ms": 1000},
    "mute": {"mute": True},
    "silence": {"silence": 3},
    "cut": {"cut": 3},
    "cut_inside": {"cut": 3, "inside": True},
    "cut_reset": {"cut": 3, "how": "reset"},
    "cut_clean": {"cut": 3, "how": "end"},
    "bad_json": {"bad": "json"},
    "truncated_json": {"bad": "truncated"},
    "no_blank_line": {"bad": "no_blank_line"},
    "bad_utf8": {"bad": "utf8"},
    "error_frame": {"error_at": 3},
    "no_finish": {"no_finish": True},
    "no_done": {"no_done": True},
    "comments": {"comments": True},
    "early": {"early": True, "status": 413},
    "interim": {"interim": 1},
    "trailers": {"trailers": 1},
    "big_header": {"header_bytes": 1_000_000},
    "many_headers": {"header_count": 1_000},
    "chunk_extensions": {"extension_bytes": 100_000},
    "long_length": {"length": 50},
    "short_length": {"length": -10},
    "two_lengths": {"two_lengths": True},
    "reset_before": {"reset": "reading"},
    "reset_after": {"reset": "read"},
    "stale": {"stale": "close"},
    "stale_next": {"stale": "next"},
    "close": {"close": True},
    "http10": {"http10": True},
    "garbage": {"garbage": True},
    "malformed": {"malformed": "status_line"},
}

_KNOBS = frozenset(Scene.__struct_fields__) - {"name"}


def scene_of(*lines: str | None) -> Scene:
    """The scene that these lines say together, the later winning. Raises: SceneError.

    >>> scene_of("cut", "how=reset").how
    'reset'
    """
    settings: dict[str, object] = {}
    for line in lines:
        if line:
            settings |= _settings(line)
    try:
        return msgspec.convert(settings, Scene, strict=False)
    except msgspec.ValidationError as error:
        raise SceneError(f"bad scene {' '.join(line for line in lines if line)!r}: {error}") from error


def spoken(prompt: str) -> tuple[str | None, str]:
    """The scene line of a prompt, if it has one, and the prompt without it."""
    match = _SPOKEN.search(prompt)
    if match is None:
        return None, prompt
    return match[1], (prompt[: match.start()] + prompt[match.end() :]).strip()


def of_model(model: str) -> str | None:
    """The scene line in a model name; None for a model that says none."""
    return model.removeprefix(MODEL_PREFIX).replace(",", " ") if model.startswith(MODEL_PREFIX) else None


def of_key(key: str) -> str | None:
    """The scene line in a key; None for a key that says none."""
    return key.removeprefix(KEY_PREFIX).replace(",", " ") if key.startswith(KEY_PREFIX) else None


def peek(body: bytes | bytearray) -> tuple[str | None, str | None]:
    """What the model and the prompt seem to say in a body that has not come in whole."""
    model, line = _PEEK_MODEL.search(body), _PEEK_SPOKEN.search(body)
    return (
        model[1].decode("utf-8", "replace").replace(",", " ") if model else None,
        line[1].decode("utf-8", "replace") if line else None,
    )


def _settings(line: str) -> dict[str, object]:
    if len(line) > LINE_CHARS_MAX:
        raise SceneError(f"the scene line is longer than {LINE_CHARS_MAX} characters")
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise SceneError(f"bad scene {line!r}: {error}") from error
    settings: dict[str, object] = {}
    for word in words:
        knob, equals, value = word.partition("=")
        if not equals:
            if knob not in SCENES:
                raise SceneError(f"no scene is called {knob!r}; there are {', '.join(SCENES)}")
            settings |= {"name": knob, **SCENES[knob]}
        elif knob in _KNOBS:
            settings[knob] = None if value == "none" and knob != "usage" else value
        else:
            raise SceneError(f"no knob is called {knob!r}; there are {', '.join(sorted(_KNOBS))}")
    return settings
