"""What a model may call, and how it must choose."""

from typing import Literal, TypeAlias

from allgate.core.value import Value
from allgate.operations.chat.parts import CacheMark, Extra
from allgate.wire.json import Json, JsonObject

BuiltinKind = Literal[
    "web_search", "web_fetch", "code_execution", "file_search", "image_generation", "mcp", "computer", "shell",
    "tool_search", "bash", "text_editor", "memory", "local_shell", "apply_patch", "google_maps", "other",
]  # fmt: skip


class Function(Value, frozen=True, kw_only=True):
    """A function with a JSON schema for its arguments. `schema` None means the client gave none (no arguments).

    `strict` None means not said (the dialects have different defaults). `namespace` is the Responses namespace the
    function was declared in. `deferred` tools are declared but not shown to the model until found by a tool search.
    """

    name: str
    description: str | None = None
    schema: JsonObject | None = None
    strict: bool | None = None
    namespace: str | None = None
    deferred: bool = False
    examples: tuple[Json, ...] = ()
    cache: CacheMark | None = None
    extra: Extra = {}


class Grammar(Value, frozen=True, kw_only=True):
    syntax: Literal["lark", "regex"]
    definition: str


class Custom(Value, frozen=True, kw_only=True):
    """A tool that takes raw text, optionally within a grammar (OpenAI's custom tools; Codex's apply_patch)."""

    name: str
    description: str | None = None
    grammar: Grammar | None = None
    namespace: str | None = None
    deferred: bool = False
    cache: CacheMark | None = None
    extra: Extra = {}


class Builtin(Value, frozen=True, kw_only=True):
    """A tool whose behaviour the vendor defines. `runs` says who executes it.

    Canonical `config` members (others stay in `raw`): web_search: `context_size` low|medium|high, `max_uses`,
    `allowed_domains`, `blocked_domains`, `user_location` {city, country, region, timezone}, `external_web_access`.
    `raw` is the tool as `dialect` wrote it; the same dialect's encoder sends that. `optional`: the client declares it in
    every request and works without it (Codex and its web search), so a target without it is no reason to refuse.
    """

    kind: BuiltinKind
    runs: Literal["server", "client"]
    name: str | None = None
    config: JsonObject = {}
    raw: Json = None
    dialect: str = ""
    optional: bool = False
    cache: CacheMark | None = None
    extra: Extra = {}


Tool: TypeAlias = Function | Custom | Builtin


class ToolChoice(Value, frozen=True, kw_only=True):
    """auto: may call; any: must call some tool; tool: must call `names[0]`; allowed: only `names`, by `allowed_mode`.

    `parallel` False: at most one call per answer; None: not said. `raw` keeps a hosted or vendor-only choice for
    its own dialect (`raw_dialect`).
    """

    mode: Literal["auto", "any", "none", "tool", "allowed"] | None = None
    names: tuple[str, ...] = ()
    allowed_mode: Literal["auto", "any"] | None = None
    parallel: bool | None = None
    raw: Json = None
    raw_dialect: str | None = None
