"""An answer as a stream.

Grammar that every decoder guarantees and every encoder relies on:

    stream  = Start (Opened Delta* Closed | UsageSeen | Finished | Tick)* (Ended | Failed)

- `Start` exactly once and first; exactly one `Ended` or `Failed`, last.
- `index` is dense from 0 per choice and at most one part per choice is open. Where a provider interleaves (parallel
  tool calls), the decoder buffers the others and releases them in order.
- A ToolCall's skeleton has its `call_id` and full `name`; its arguments always arrive in at least one Delta if there are
  any at all, also where the provider sent them whole.
- A seal arrives as a Delta(channel="seal") before Closed of its part. `Closed.part` is complete.
- `Finished` once per choice, after its last Closed. A stream that ends before every open choice has finished is
  `Failed`, never a success.
"""

from typing import Literal, TypeAlias

from allgate.core.errors import Failure
from allgate.core.usage import Usage
from allgate.core.value import Value
from allgate.operations.chat.parts import Annotation, Extra, HostedResult, Part, Seal
from allgate.operations.chat.response import Finish
from allgate.wire.json import Json

Channel = Literal[
    "text", "thinking", "summary", "input", "refusal", "data", "transcript", "annotation", "seal", "logprobs",
    "status", "result",
]  # fmt: skip


class Start(Value, frozen=True, kw_only=True):
    id: str
    model: str
    created_s: int | None = None
    usage: Usage | None = None
    service_tier: str | None = None
    extra: Extra = {}


class Opened(Value, frozen=True, kw_only=True):
    """A part begins: `part` is its skeleton (kind, call_id, name, MIME type…), without content."""

    index: int
    part: Part
    choice: int = 0


class Delta(Value, frozen=True, kw_only=True, gc=False):
    """A piece of the open part.

    `text` is the piece for the text-like channels (text, thinking, summary, input, refusal, data as base64, transcript,
    status). The other channels use their own field. `segment` counts the paragraphs of a summary from 0.
    """

    index: int
    channel: Channel
    text: str = ""
    choice: int = 0
    segment: int = 0
    annotation: Annotation | None = None
    seal: Seal | None = None
    logprobs: Json = None
    result: HostedResult | None = None


class Closed(Value, frozen=True, kw_only=True):
    """The part is complete: `part` is its final value."""

    index: int
    part: Part
    choice: int = 0


class UsageSeen(Value, frozen=True, kw_only=True):
    """A cumulative snapshot; replaces earlier ones field by field (`core.usage.merged`)."""

    usage: Usage


class Finished(Value, frozen=True, kw_only=True):
    finish: Finish
    choice: int = 0
    logprobs: Json = None


class Ended(Value, frozen=True, kw_only=True):
    """The answer is complete; `usage` is final (None: the provider never said). `extra`: e.g. grounding metadata."""

    usage: Usage | None = None
    extra: Extra = {}


class Failed(Value, frozen=True, kw_only=True):
    """The answer broke off. Replaces Finished and Ended."""

    failure: Failure


class Tick(Value, frozen=True, kw_only=True):
    """Nothing happened for a while: keep the connection alive."""


Event: TypeAlias = Start | Opened | Delta | Closed | UsageSeen | Finished | Ended | Failed | Tick
