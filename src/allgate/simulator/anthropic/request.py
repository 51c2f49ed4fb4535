"""A Messages request, read as strictly as Anthropic reads it. Raises `Rejected` only.

Both API versions: under `2026-10-21` the sampling fields do not exist, documents may not stand directly in assistant
messages, and citations may not stand on user text. Fields that need a beta header are unknown without it.
"""

from allgate.simulator import models, tokens
from allgate.simulator.answer import Ask
from allgate.simulator.anthropic.blocks import array, check_block, extra, missing, shape
from allgate.simulator.anthropic.messages import Talk, check_cache_marks, read_messages
from allgate.simulator.anthropic.models import Claude, traits
from allgate.simulator.anthropic.thinking import read_thinking
from allgate.simulator.anthropic.tools import read_choice, read_output, read_tools
from allgate.simulator.exchange import Rejected, Request
from allgate.simulator.reading import items, part
from allgate.wire import json
from allgate.wire.headers import text
from allgate.wire.json import Json, JsonObject

VERSIONS = ("2023-06-01", "2026-10-21")
NEWEST = VERSIONS[1]
SAMPLING = ("temperature", "top_p", "top_k")

_FIELDS = frozenset(
    {
        "model", "max_tokens", "messages", "system", "stop_sequences", "stream", "temperature", "top_p", "top_k", "tools",
        "tool_choice", "thinking", "metadata", "output_config", "service_tier", "cache_control", "container",
        "inference_geo", "diagnostics", "speed", "user_profile_id", "workspace_id",
    }
)  # fmt: skip

_COUNT_FIELDS = frozenset(
    {
        "model",
        "messages",
        "system",
        "tools",
        "tool_choice",
        "thinking",
        "output_config",
        "cache_control",
        "speed",
    }
)

# field → what a beta named in `anthropic-beta` must begin with
_BETA_FIELDS = {
    "context_management": "context-management-",
    "mcp_servers": "mcp-client-",
    "output_format": "structured-outputs-",
    "safeguards": "dangerous-tool-use-",
    "fallbacks": "model-fallback-",
    "thread": "threads-",
}


def read(request: Request, body: JsonObject, secret: bytes) -> Ask:
    """A `/v1/messages` request as an Ask. Raises: Rejected."""
    model, claude, betas = _check_head(request, body, _FIELDS)
    limit = _max_tokens(body, claude)
    _check_sampling(request, body, claude)
    _check_scalars(body)
    return _ask(request, body, model, claude, betas, secret, limit)


def read_count(request: Request, body: JsonObject, secret: bytes) -> Ask:
    """A `/v1/messages/count_tokens` request as an Ask whose `input_tokens` is the answer. Raises: Rejected."""
    model, claude, betas = _check_head(request, body, _COUNT_FIELDS)
    return _ask(request, body, model, claude, betas, secret, None)


def _ask(
    request: Request, body: JsonObject, model: str, claude: Claude, betas: tuple[str, ...], secret: bytes, limit: int | None
) -> Ask:  # fmt: skip
    tools = read_tools(body)
    forced, may_call, parallel = read_choice(body, tools, claude)
    thinks = read_thinking(body, claude, limit, forced)
    version = text(request.headers, "anthropic-version") or ""
    talk: Talk = read_messages(body, claude, secret, version=version, betas=betas)
    check_cache_marks(body)
    schema = read_output(body, claude, betas)
    thinking = part(body, "thinking")
    shown = thinking.get("display") or ("summarized" if thinking.get("type") == "enabled" else "omitted")
    tool_tokens = sum(tokens.count(json.encode_text(tool)) for tool in items(body, "tools"))
    return Ask(
        model=model,
        prompt=talk.prompt,
        input_tokens=talk.input_tokens + _system_tokens(body) + tool_tokens,
        stream=body.get("stream") is True,
        tools=tuple(tool for tool in tools if not tool.hosted),
        forced=forced,
        may_call=may_call,
        parallel=parallel,
        results=talk.results,
        seals=talk.seals,
        schema=schema,
        max_tokens=limit or None,
        stop=tuple(items(body, "stop_sequences")),
        think=thinks,
        show_thinking=thinks and shown != "omitted",
        search=any(str(tool.get("type") or "").startswith("web_search_") for tool in items(body, "tools")),
        code=any(str(tool.get("type") or "").startswith("code_execution_") for tool in items(body, "tools")),
        body=body,
    )


def _check_head(
    request: Request, body: JsonObject, fields: frozenset[str]
) -> tuple[str, Claude, tuple[str, ...]]:
    """Version, beta headers, model, and that every field is one that Anthropic knows."""
    version = text(request.headers, "anthropic-version")
    if version is None:
        raise Rejected("anthropic-version: header is required")
    if version not in VERSIONS:
        raise Rejected(f'anthropic-version: "{version}" is not a valid version')
    betas = tuple(
        beta.strip() for beta in (text(request.headers, "anthropic-beta") or "").split(",") if beta.strip()
    )
    if "model" not in body:
        raise missing("model")
    model = shape(body["model"], str, "model", "string")
    gone = Rejected(f"model: {model}", status=404, kind="not_found_error")
    models.known(model, "anthropic", gone)
    for name in body:
        beta = _BETA_FIELDS.get(name)
        if name not in fields and not (beta and any(given.startswith(beta) for given in betas)):
            raise extra(name)
    return model, traits(model), betas


def _max_tokens(body: JsonObject, claude: Claude) -> int:
    if "max_tokens" not in body:
        raise missing("max_tokens")
    limit = shape(body["max_tokens"], int, "max_tokens", "integer")
    if limit < 0:
        raise Rejected("max_tokens: Input should be greater than or equal to 0")
    if limit > claude.output_tokens_max:
        raise Rejected(
            f"max_tokens: {limit} > {claude.output_tokens_max}, which is the maximum allowed number of output tokens "
            f"for {body['model']}"
        )
    return limit


def _check_sampling(request: Request, body: JsonObject, claude: Claude) -> None:
    given = [name for name in SAMPLING if name in body]
    if given and text(request.headers, "anthropic-version") == NEWEST:
        raise extra(given[0])
    given = [name for name in given if body[name] is not None]
    if given and not claude.sampling:
        raise Rejected(f"`{given[0]}` is deprecated for this model.")
    for name in given:
        if not isinstance(body[name], (int, float)) or isinstance(body[name], bool):
            raise Rejected(f"{name}: Input should be a valid number")
        if body[name] < 0 or (name != "top_k" and body[name] > 1):
            bound = "less than or equal to 1" if body[name] > 1 else "greater than or equal to 0"
            raise Rejected(f"{name}: Input should be {bound}")
    if "temperature" in given and "top_p" in given and not claude.both_temperatures:
        raise Rejected(
            "`temperature` and `top_p` cannot both be specified for this model. Please use only one."
        )


def _check_scalars(body: JsonObject) -> None:
    for place, stop in enumerate(items(body, "stop_sequences")):
        if not shape(stop, str, f"stop_sequences.{place}", "string").strip():
            raise Rejected("stop_sequences: each stop sequence must contain non-whitespace")
    tier = body.get("service_tier")
    if tier not in (None, "auto", "standard_only"):
        raise Rejected("service_tier: Input should be 'auto' or 'standard_only'")
    metadata = part(body, "metadata")
    for name in metadata:
        if name != "user_id":
            raise extra(f"metadata.{name}")
    user = metadata.get("user_id")
    if isinstance(user, str) and "@" in user and not user.startswith("{"):
        raise Rejected("metadata.user_id: user_id appears to contain an email address")
    if "stream" in body:
        shape(body["stream"], bool, "stream", "boolean")


def _system_tokens(body: JsonObject) -> int:
    system: Json = body.get("system")
    if system is None:
        return 0
    if isinstance(system, str):
        return tokens.count(system)
    found = array(system, "system")
    for place, block in enumerate(found):
        check_block(block, f"system.{place}", ("text",))
    return sum(tokens.count(block["text"]) for block in found)
