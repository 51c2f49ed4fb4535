"""A Responses request in canonical words.

Members that the vocabulary has a word for are read; all others are kept as they are for this dialect, and never refused:
clients of this format (Codex above all) send members that no document names. State on the server
(`previous_response_id`, `conversation`) is only carried: who keeps responses resolves it.
"""

from allgate.core.errors import WireError, wire_error
from allgate.dialects.openai_responses.input_decode import InputReader
from allgate.dialects.openai_responses.own import NAME, rest
from allgate.dialects.openai_responses.plain_request import plain_request
from allgate.dialects.openai_responses.profile import CLIENT, client_of
from allgate.dialects.openai_responses.said import KNOWN, Said, said_in
from allgate.dialects.openai_responses.tools_decode import (
    decode_tool_choice,
    decode_tools,
    without_repeats,
)
from allgate.dialects.passes.lenient import object_of, texts_of
from allgate.dialects.seals import SealBox
from allgate.operations.chat.normal import Normal, normal_form
from allgate.operations.chat.parts import Extra, Text, ToolCall, ToolResult
from allgate.operations.chat.request import (
    CacheHints,
    ChatRequest,
    Effort,
    Identity,
    OutputFormat,
    Reasoning,
    Sampling,
    State,
    Turn,
)
from allgate.wire.json import (
    JsonObject,
    decode_object,
    object_at,
    optional_bool,
    optional_object,
    optional_text,
    text_at,
)
from allgate.wire.message import WireRequest

_REASONING = frozenset({"effort", "summary", "generate_summary", "context"})
_EFFORTS: dict[str, Effort] = {
    "none": "none", "minimal": "minimal", "low": "low", "medium": "medium", "high": "high", "xhigh": "xhigh",
    "max": "max", "ultra": "max",
}  # fmt: skip
_FORMAT = frozenset({"type", "name", "description", "schema", "strict", "json_schema"})
_STYLES = ("auto", "concise", "detailed")
_CONTEXTS = ("auto", "current_turn", "all_turns")

ENCRYPTED_REASONING = "reasoning.encrypted_content"
TEXT_LOGPROBS = "message.output_text.logprobs"
_UNDERSTOOD = (ENCRYPTED_REASONING, TEXT_LOGPROBS)

# Members of the request's extra that are no members of the wire body.
TEXT = "text"  # what `text` holds beyond the vocabulary
BOOKKEEPING = frozenset({TEXT, CLIENT})


def decode_request(request: WireRequest, seals: SealBox) -> ChatRequest:
    """What a client asks. Raises: WireError: naming the member that is wrong, in the vendor's manner."""
    return plain_request(request) or decode_any_request(request, seals)


def decode_any_request(request: WireRequest, seals: SealBox) -> ChatRequest:
    """The same, for a request of any kind."""
    body = decode_object(request.body)
    said = said_in(body)
    fields = dict(reversed(request.headers))  # of several with one name the first
    state = _state(said)
    continued = bool(said.previous_response_id or said.conversation)
    reader = InputReader(seals)
    if said.input is not None:
        reader.read(said.input)
    elif not (continued or said.prompt):
        words = "One of 'input', 'previous_response_id', 'prompt' or 'conversation' must be provided."
        raise _missing(words, "input")
    tools = (*(decode_tools(said.tools, "tools") if said.tools is not None else ()), *reader.tools)
    system, turns, notes = _normal(reader, said.instructions, kept_elsewhere=continued)
    include = texts_of(said.include) if said.include else ()
    reasons = include or said.reasoning is not None
    if not said.model and not said.prompt:  # a stored prompt may name the model itself
        raise _missing("Missing required parameter: 'model'.", "model")
    beta = fields.get(b"openai-beta")
    return ChatRequest(
        dialect=NAME,
        model=said.model or "",
        system=system,
        turns=turns,
        tools=without_repeats(tools) if tools else (),
        tool_choice=decode_tool_choice(said.tool_choice, said.parallel_tool_calls),
        sampling=Sampling(
            temperature=said.temperature,
            top_p=said.top_p,
            max_tokens=said.max_output_tokens,
            logprobs=True if TEXT_LOGPROBS in include else None,
            top_logprobs=said.top_logprobs,
        ),
        reasoning=_reasoning(said.reasoning, replay=ENCRYPTED_REASONING in include) if reasons else None,
        output=_output(said.text) if said.text else None,
        cache=CacheHints(
            key=said.prompt_cache_key,
            retention=said.prompt_cache_retention,
            options=said.prompt_cache_options,
        ),
        identity=Identity(user=said.user, safety_id=said.safety_identifier, metadata=said.metadata),
        service_tier=said.service_tier,
        state=state,
        stream=bool(said.stream),
        stream_usage=True,
        betas=(beta.decode("latin-1"),) if beta else (),
        extra=_extra(body, said, include, client_of(fields, body)),
        notes=(*reader.notes, *notes),
    )


def _missing(message: str, param: str) -> WireError:
    return wire_error(message, param=param, code="missing_required_parameter")


def _extra(body: JsonObject, said: Said, include: tuple[str, ...], client: str | None) -> Extra:
    """What this dialect alone understands of the request as a whole."""
    kept: JsonObject = {}
    if not KNOWN.issuperset(body):
        kept = {key: value for key, value in body.items() if key not in KNOWN}
    if include and (others := [word for word in include if word not in _UNDERSTOOD]):
        kept["include"] = others
    if said.text and (text := _text_rest(said.text)):
        kept[TEXT] = text
    if client:
        kept[CLIENT] = client
    return {NAME: kept} if kept else {}


def _normal(reader: InputReader, instructions: str | None, *, kept_elsewhere: bool) -> Normal:
    """The conversation in normal form. `kept_elsewhere`: results may answer calls that the server keeps."""
    system = (Text(text=instructions), *reader.system) if instructions else tuple(reader.system)
    turns = tuple(reader.turns)
    missing = _calls_kept_elsewhere(turns) if kept_elsewhere else ()
    if not missing:
        return normal_form(system, turns)
    system, turns, notes = normal_form(system, (Turn(role="assistant", parts=missing), *turns))
    return system, turns[1:], notes


def _calls_kept_elsewhere(turns: tuple[Turn, ...]) -> tuple[ToolCall, ...]:
    """Stand-ins for the calls whose results this request brings without the calls."""
    called = {part.call_id for turn in turns for part in turn.parts if isinstance(part, ToolCall)}
    return tuple(
        ToolCall(call_id=part.call_id, name=part.name or "", input_kind=part.input_kind)
        for turn in turns
        for part in turn.parts
        if isinstance(part, ToolResult) and part.call_id not in called
    )


def _reasoning(source: JsonObject | None, *, replay: bool) -> Reasoning | None:
    if source is None:
        return Reasoning(replay=True) if replay else None
    effort = optional_text(source, "effort", "reasoning.effort")
    if effort is not None and effort not in _EFFORTS:
        raise wire_error(
            f"Invalid value: '{effort}'. Supported values are: {_listed(tuple(_EFFORTS))}.",
            param="reasoning.effort",
            code="invalid_value",
        )
    style = optional_text(source, "summary", "reasoning.summary") or optional_text(
        source, "generate_summary", "reasoning.generate_summary"
    )
    context = optional_text(source, "context", "reasoning.context")
    return Reasoning(
        effort=None if effort is None else _EFFORTS[effort],
        show="none" if style == "none" else "summary" if style else None,
        summary_style=style if style in _STYLES else None,
        context=context if context in _CONTEXTS else None,
        replay=replay,
        extra=rest(
            source, _REASONING if context is None or context in _CONTEXTS else _REASONING - {"context"}
        ),
    )


def _listed(words: tuple[str, ...]) -> str:
    return ", ".join(f"'{word}'" for word in words)


def _output(text: JsonObject) -> OutputFormat | None:
    verbosity = optional_text(text, "verbosity", "text.verbosity")
    form = optional_object(text, "format", "text.format")
    if form is None:
        return OutputFormat(verbosity=verbosity) if verbosity else None
    kind = form.get("type", "text")
    if kind not in ("text", "json_object", "json_schema", "grammar"):
        raise wire_error(
            f"Invalid value: '{kind}'. Supported values are: 'text', 'json_object', and 'json_schema'.",
            param="text.format.type",
        )
    nested = optional_object(form, "json_schema", "text.format.json_schema") or form  # the Chat spelling
    return OutputFormat(
        kind=kind,
        name=optional_text(nested, "name", "text.format.name"),
        description=optional_text(nested, "description", "text.format.description"),
        schema=optional_object(nested, "schema", "text.format.schema"),
        strict=optional_bool(nested, "strict", "text.format.strict"),
        verbosity=verbosity,
    )


def _text_rest(text: JsonObject) -> JsonObject:
    """The members of `text` and `text.format` that `_output` does not read."""
    form = {key: value for key, value in object_of(text.get("format")).items() if key not in _FORMAT}
    unknown = {key: value for key, value in text.items() if key not in ("format", "verbosity")}
    return {**unknown, "format": form} if form else unknown


def _state(said: Said) -> State:
    conversation = said.conversation
    if conversation is not None and not isinstance(conversation, str):
        text_at(object_at(conversation, "conversation").get("id"), "conversation.id")
    return State(
        store=said.store,
        prompt=said.prompt,
        previous_response_id=said.previous_response_id,
        conversation=conversation,
        background=said.background,
        truncation=said.truncation,
        context_management=said.context_management,
    )
