"""ChatRequest → a call of generateContent.

Members that only Gemini has a word for go back as they came. What it has no word for is noted, or refused where silence
would change the meaning. Equal requests give equal bytes, and a longer history begins with the same ones, so that a
provider's prefix cache keeps hitting.
"""

from functools import lru_cache
from urllib.parse import quote

from allgate.core.errors import unsupported, wire_error
from allgate.dialects.contract import UpstreamCall
from allgate.dialects.gemini.address import ALT, STREAM_VERB, WHOLE_VERB
from allgate.dialects.gemini.config_encode import Config, config_of
from allgate.dialects.gemini.contents_encode import ContentsEncoder
from allgate.dialects.gemini.plain_call import plain_body
from allgate.dialects.gemini.tools_encode import offer_of
from allgate.dialects.passes.tool_names import GEMINI_NAME, ToolNames
from allgate.operations.chat.caps import Caps
from allgate.operations.chat.notes import Note, dropped
from allgate.operations.chat.request import ChatRequest, Turn
from allgate.wire.headers import Headers
from allgate.wire.json import JsonObject, encode

JSON_HEADERS: Headers = ((b"content-type", b"application/json"),)

_MERGED = frozenset({ALT, "generationConfig", "toolConfig"})
_ORDINARY_TIERS = (None, "auto", "default", "standard")  # what a request without the member gets
_PATHS_REMEMBERED = 1_024  # models that an operator has in use
_BY_GEMINI = "not supported by gemini"


def names_for(request: ChatRequest, caps: Caps) -> ToolNames:
    """The names of this request's tools, as this deployment is told them and answers with them."""
    return ToolNames(request, caps.tool_name_characters_max, GEMINI_NAME)


def encode_request(request: ChatRequest, model: str, caps: Caps) -> UpstreamCall:
    """Raises: WireError: something that this deployment cannot do and that must not be left out."""
    if (body := plain_body(request, caps)) is None:
        return encode_members(request, model, caps)
    path = path_for(model, STREAM_VERB if request.stream else WHOLE_VERB)
    return UpstreamCall(path=path, body=encode(body), headers=JSON_HEADERS)


def encode_members(request: ChatRequest, model: str, caps: Caps) -> UpstreamCall:
    """Any request, all that it may hold being asked for. Raises: WireError."""
    _refuse_state(request)
    names = names_for(request, caps)
    offer = offer_of(request, caps, names)
    config = config_of(request, caps, with_functions=offer.functions > 0)
    writer = ContentsEncoder(request, caps, names)
    contents = writer.contents()
    if not contents:
        raise wire_error("messages must contain at least one user message", param="messages")
    members, notes = _settings(request, caps)
    own = request.extra.get("gemini")
    body: JsonObject = {key: value for key, value in own.items() if key not in _MERGED} if own else {}
    if instruction := _instruction(request, config):
        body["systemInstruction"] = instruction
    body["contents"] = contents
    if offer.tools:
        body["tools"] = list(offer.tools)
    if offer.config:
        body["toolConfig"] = offer.config
    body |= members
    if config.members:
        body["generationConfig"] = config.members
    return UpstreamCall(
        path=path_for(model, STREAM_VERB if request.stream else WHOLE_VERB),
        body=encode(body),
        headers=JSON_HEADERS,
        notes=(*offer.notes, *config.notes, *writer.notes, *notes),
    )


@lru_cache(_PATHS_REMEMBERED)
def path_for(model: str, verb: str, *, framed: bool = True) -> str:
    """Where a call goes. A name with a collection (`tunedModels/x`) is its own address. `framed`: streams as SSE."""
    name = quote(model, safe="/:@")
    address = name if name.startswith("tunedModels/") else f"models/{name}"
    return f"/v1beta/{address}:{verb}{'?alt=sse' if framed and verb == STREAM_VERB else ''}"


def _instruction(request: ChatRequest, config: Config) -> JsonObject | None:
    texts = [part.text for part in request.system if part.text]
    if config.instruction:
        texts.append(config.instruction)
    return {"parts": [{"text": text} for text in texts]} if texts else None


def _refuse_state(request: ChatRequest) -> None:
    state = request.state
    if state.background:
        raise unsupported("Background responses are not available on this model", param="background")
    if state.previous_response_id is not None:
        raise unsupported("The previous response is not stored here", param="previous_response_id")
    if state.prompt is not None:
        raise unsupported("Prompts are not stored here: send the text itself", param="prompt")
    if state.conversation is not None:
        raise unsupported("Conversations are not stored here", param="conversation")


def _settings(request: ChatRequest, caps: Caps) -> tuple[JsonObject, tuple[Note, ...]]:
    """The members beside contents, tools and generationConfig."""
    from_gemini = request.dialect == "gemini"
    members: JsonObject = {}
    notes: list[Note] = []
    tier = None if request.service_tier in _ORDINARY_TIERS else request.service_tier
    for member, value, possible in (
        ("safetySettings", request.safety, caps.safety_settings),
        ("cachedContent", request.cache.handle, from_gemini),
        ("serviceTier", tier, tier in caps.service_tiers),
        ("labels", request.identity.metadata if from_gemini else None, caps.metadata),
        ("store", request.state.store if from_gemini else None, caps.store),
    ):
        if value is not None and possible:
            members[member] = value
        elif value is not None:
            notes.append(dropped(member, "not supported by this model"))
    if not from_gemini:
        notes += _foreign(request)
    return members, tuple(notes)


def _foreign(request: ChatRequest) -> list[Note]:
    """What another dialect's client said and Gemini has no word for."""
    cache, identity, state = request.cache, request.identity, request.state
    said = {
        "metadata": identity.metadata,
        "user": identity.user,
        "safety_identifier": identity.safety_id,
        "prompt_cache_key": cache.key,
        "prompt_cache_retention": cache.retention,
        "prompt_cache_options": cache.options,
        "cache_control": cache.auto or _has_marks(request.turns),
        "store": state.store,
        "truncation": state.truncation,
        "context_management": state.context_management,
    }
    for members in request.extra.values():
        for key in members:
            if key[:1] != "_":
                said[key] = True
    return [dropped(path, _BY_GEMINI) for path, value in said.items() if value]


def _has_marks(turns: tuple[Turn, ...]) -> bool:
    for turn in turns:
        for part in turn.parts:
            if part.cache is not None:
                return True
    return False
