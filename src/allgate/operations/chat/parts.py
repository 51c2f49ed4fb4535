"""What a turn is made of.

Ten kinds of part cover everything the four dialects say. `Media` is one type for image, audio, video and document;
a tool result is a list of parts, because three of the four dialects carry rich results; `Hosted` is a call that the
provider ran itself (web search, code), with its result once there is one.

Two carriers make crossing safe:
- `seals` hold provider-bound secrets (signatures, encrypted reasoning). They belong to exactly the part they came
  with: a sealed part is never merged with another.
- `extra` holds, per dialect name, members that the vocabulary has no word for. An encoder of the same dialect puts
  them back under what it writes itself; any other drops them and notes it.
"""

from typing import Literal, TypeAlias

from allgate.core.value import Value
from allgate.wire.json import Json, JsonObject

Extra: TypeAlias = dict[str, JsonObject]
"""Dialect name → members it sent that the vocabulary has no word for. Never changed after it was made."""

MediaKind = Literal["image", "audio", "video", "document"]
HostedKind = Literal[
    "web_search", "web_fetch", "code_execution", "file_search", "image_generation", "mcp", "computer", "shell",
    "tool_search", "other",
]  # fmt: skip


class Seal(Value, frozen=True, kw_only=True):
    """A secret that only its origin can read: to be returned to it unchanged, and to nobody else.

    `origin` is the vendor ("anthropic", "openai", "gemini", …), `scope` the trust domain that can read it
    (`anthropic/<account>/<family>`; "client-declared" for a native one that a client sent), `form` which slot it fills.
    """

    origin: str
    scope: str
    form: Literal["signature", "encrypted", "redacted", "thought"]
    value: str


class CacheMark(Value, frozen=True, kw_only=True):
    """A prompt-cache breakpoint behind this part. `ttl` as written ("5m", "1h", …), None for the vendor's default."""

    ttl: str | None = None


class Annotation(Value, frozen=True, kw_only=True):
    """A citation. `start`/`end` are Unicode code points into the owning Text; None means the whole part."""

    kind: Literal["url", "file", "document", "container_file"]
    url: str | None = None
    title: str | None = None
    file_id: str | None = None
    filename: str | None = None
    start: int | None = None
    end: int | None = None
    cited_text: str | None = None
    seal: Seal | None = None
    extra: Extra = {}


class Inline(Value, frozen=True, kw_only=True):
    """Bytes in the request: MIME type and padded standard base64 text, as it was sent."""

    mime: str
    base64: str


class Url(Value, frozen=True, kw_only=True):
    """A public http(s) address; the MIME type where the client said it."""

    url: str
    mime: str | None = None


class FileRef(Value, frozen=True, kw_only=True):
    """A file that lives at a provider: `origin` is the vendor that can resolve `ref` (an id or URI)."""

    origin: str
    ref: str
    mime: str | None = None


Source: TypeAlias = Inline | Url | FileRef


class Text(Value, frozen=True, kw_only=True):
    text: str
    annotations: tuple[Annotation, ...] = ()
    logprobs: Json = None  # the dialects' common list of {token, logprob, bytes, top_logprobs}
    cache: CacheMark | None = None
    seals: tuple[Seal, ...] = ()
    id: str | None = None
    extra: Extra = {}


class Clip(Value, frozen=True, kw_only=True):
    """A section of a video: offsets as the dialect writes them ("12.5s"), frames per second."""

    start: str | None = None
    end: str | None = None
    fps: float | None = None


class Media(Value, frozen=True, kw_only=True):
    """A picture, sound, film or document, in or out. `detail` is low/high/auto/original (Gemini: mediaResolution)."""

    kind: MediaKind
    source: Source
    title: str | None = None
    detail: str | None = None
    transcript: str | None = None
    clip: Clip | None = None
    citations: bool | None = None
    context: str | None = None
    cache: CacheMark | None = None
    seals: tuple[Seal, ...] = ()
    id: str | None = None
    extra: Extra = {}


class Thinking(Value, frozen=True, kw_only=True):
    """Reasoning. "raw" is the model's own, "summary" a digest (`segments` are its paragraphs), "hidden" has no text."""

    text: str = ""
    form: Literal["raw", "summary", "hidden"] = "raw"
    segments: tuple[str, ...] = ()
    cache: CacheMark | None = None
    seals: tuple[Seal, ...] = ()
    id: str | None = None
    extra: Extra = {}


class ToolCall(Value, frozen=True, kw_only=True):
    """A call of a tool that the client runs.

    `input` is text exactly as the model wrote it, so 64-bit integers, key order and duplicate keys survive; "json"
    means an object is expected, "text" a custom tool's raw input. `builtin` names the client-run built-in it belongs to
    ("local_shell", "apply_patch", "bash", …), None for ordinary functions.
    """

    call_id: str
    name: str
    input: str = ""
    input_kind: Literal["json", "text"] = "json"
    namespace: str | None = None
    builtin: str | None = None
    cache: CacheMark | None = None
    seals: tuple[Seal, ...] = ()
    id: str | None = None
    extra: Extra = {}


class ToolResult(Value, frozen=True, kw_only=True):
    """What the client's tool gave back: parts are Text, Media or Opaque. `structured` keeps a JSON object result whole."""

    call_id: str
    parts: tuple["Text | Media | Opaque", ...] = ()
    name: str | None = None
    is_error: bool = False
    structured: Json = None
    input_kind: Literal["json", "text"] = "json"
    builtin: str | None = None
    cache: CacheMark | None = None
    seals: tuple[Seal, ...] = ()
    id: str | None = None
    extra: Extra = {}


class SearchHit(Value, frozen=True, kw_only=True):
    url: str
    title: str | None = None
    snippet: str | None = None
    age: str | None = None
    seal: Seal | None = None


class HostedResult(Value, frozen=True, kw_only=True):
    """The outcome of a provider-run call; `raw` is always kept for the dialect named in `raw_dialect`."""

    hits: tuple[SearchHit, ...] = ()  # web_search, web_fetch, file_search
    stdout: str | None = None  # code_execution
    stderr: str | None = None
    exit_code: int | None = None
    media: tuple[Media, ...] = ()  # image_generation, files of code
    text: str | None = None  # mcp
    error: str | None = None
    raw: Json = None
    raw_dialect: str | None = None


class Hosted(Value, frozen=True, kw_only=True):
    """A call that the provider ran. `result` is None while it runs or when the provider does not show it."""

    call_id: str
    tool: HostedKind
    name: str = ""
    input: str = ""
    queries: tuple[str, ...] = ()
    status: Literal["in_progress", "completed", "failed", "incomplete"] = "completed"
    result: HostedResult | None = None
    cache: CacheMark | None = None
    seals: tuple[Seal, ...] = ()
    id: str | None = None
    extra: Extra = {}


class Refusal(Value, frozen=True, kw_only=True):
    text: str
    category: str | None = None
    cache: CacheMark | None = None
    seals: tuple[Seal, ...] = ()
    id: str | None = None
    extra: Extra = {}


class Opaque(Value, frozen=True, kw_only=True):
    """Something that only `dialect` understands, kept whole; dropped with a note when crossing."""

    dialect: str
    raw: Json
    cache: CacheMark | None = None
    seals: tuple[Seal, ...] = ()
    id: str | None = None
    extra: Extra = {}


Part: TypeAlias = Text | Media | Thinking | ToolCall | ToolResult | Hosted | Refusal | Opaque
