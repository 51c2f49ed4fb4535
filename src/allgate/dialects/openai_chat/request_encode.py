"""The canonical request → a chat body for one deployment, as its Caps allow.

Members stand in a fixed order, so that the same conversation gives the same bytes and providers' prompt caches stay
warm. Each rule that leaves something out says so in a note; what may not be lost in silence is refused. What most requests
say nothing of is asked for in one comparison.
"""

from hashlib import blake2b

from allgate.core.errors import unsupported
from allgate.dialects.contract import UpstreamCall
from allgate.dialects.openai_chat.message_encode import MessageEncoder
from allgate.dialects.openai_chat.output_encode import encode_output
from allgate.dialects.openai_chat.own import LEGACY_FUNCTIONS, NAME, own
from allgate.dialects.openai_chat.reasoning_encode import encode_reasoning
from allgate.dialects.openai_chat.sampling_encode import encode_sampling
from allgate.dialects.openai_chat.tool_encode import encode_tools
from allgate.dialects.passes.tool_names import OPENAI_NAME, ToolNames
from allgate.operations.chat.caps import Caps
from allgate.operations.chat.notes import Note, added, dropped
from allgate.operations.chat.plain import texts_in
from allgate.operations.chat.request import NO_CACHE, NOBODY, STATELESS, AudioOut, ChatRequest
from allgate.wire import json
from allgate.wire.headers import Headers
from allgate.wire.json import Json, JsonObject

PATH = "/chat/completions"
JSON_HEADERS: Headers = ((b"content-type", b"application/json"),)

_TIERS = {"standard": "default"}


def encode_request(request: ChatRequest, model: str, caps: Caps) -> UpstreamCall:
    """The call for this deployment. Raises: WireError: something it lacks that may not be lost in silence."""
    if request.state != STATELESS:
        _refuse_state(request)
    notes: list[Note] = []
    messages = None if request.tools or request.output else plain_messages(request, caps)
    body: JsonObject = {"model": model, "messages": messages}
    if messages is None:
        body |= _conversation(request, caps, notes)
    body |= encode_sampling(request, caps, notes)
    if request.reasoning:
        body |= encode_reasoning(request, caps, notes)
    if request.modalities or request.image_out:
        body |= _modalities(request, caps, notes)
    body |= _account(request, caps, notes)
    if request.stream:
        body["stream"] = True
        if caps.stream_usage_switch:
            body["stream_options"] = {**_stream_options(request), "include_usage": True}
    if request.extra or request.safety is not None:
        body = _with_extra(request, body, caps, notes)
    return UpstreamCall(path=PATH, body=json.encode(body), headers=JSON_HEADERS, notes=tuple(notes))


def plain_messages(request: ChatRequest, caps: Caps) -> list[JsonObject] | None:
    """The messages of a question, and of a talk before it, that are nothing but texts; None for any other."""
    spoken = texts_in(request)
    if not spoken or spoken[-1][0] != "user":  # what ends with the assistant is to be continued
        return None
    found: list[JsonObject] = []
    if request.system:
        text = "\n\n".join([text.text for text in request.system])
        found.append({"role": caps.system_role, "content": text})
    for role, text in spoken:
        if role != "user" and role != "assistant":
            return None
        found.append({"role": role, "content": text})
    return found


def _conversation(request: ChatRequest, caps: Caps, notes: list[Note]) -> JsonObject:
    """Any messages, with the tools and the form of the answer: names, calls and instructions of ours stand in both."""
    names = ToolNames(request, caps.tool_name_characters_max, OPENAI_NAME)
    tools = encode_tools(request, caps, names, notes) if request.tools else {}
    output, instruction = encode_output(request, caps, notes) if request.output else ({}, "")
    return {"messages": MessageEncoder(request, caps, names, notes).messages(instruction), **tools, **output}


def _refuse_state(request: ChatRequest) -> None:
    """What another provider holds, or would go on doing, cannot be asked for here: silence would change the answer."""
    state = request.state
    if state.previous_response_id or state.conversation:
        raise unsupported("This model keeps no earlier responses", param="previous_response_id")
    if state.prompt is not None:
        raise unsupported("This model knows no stored prompts: send the text itself", param="prompt")
    if state.background:
        raise unsupported("This model has no background mode", param="background")


def _stream_options(request: ChatRequest) -> JsonObject:
    """What the client wants of the stream beside usage."""
    options: Json = own(request.extra).get("stream_options") if request.extra else None
    return options or {}


def _modalities(request: ChatRequest, caps: Caps, notes: list[Note]) -> JsonObject:
    """Output beyond text, and how it is to be made."""
    members: JsonObject = {}
    for kind in request.modalities:
        if kind not in caps.modalities_out:
            raise unsupported(f"This model gives no {kind}", param="modalities")
    if set(request.modalities) - {"text"}:
        members["modalities"] = list(request.modalities)
    if (audio := request.audio_out) and "audio" in request.modalities:
        members["audio"] = _audio(audio, request, notes)
    if image := request.image_out:
        wanted = {"aspect_ratio": image.aspect_ratio, "image_size": image.resolution}
        config = {**own(image.extra), **{key: value for key, value in wanted.items() if value is not None}}
        if "image_config" in caps.vendor_fields:
            members["image_config"] = config
        elif config:
            notes.append(dropped("image_config", "this model has no picture settings"))
    return members


def _audio(audio: AudioOut, request: ChatRequest, notes: list[Note]) -> JsonObject:
    """OpenAI demands a format, which Gemini's clients cannot say; a stream has only raw samples."""
    wanted = audio.format
    if wanted is None:
        wanted = "pcm16" if request.stream else "wav"
        notes.append(added("audio.format", f"{wanted}, because one is demanded"))
    return {"format": wanted} if audio.voice is None else {"voice": audio.voice, "format": wanted}


def _account(request: ChatRequest, caps: Caps, notes: list[Note]) -> JsonObject:
    """Who asks, which tier serves, what is stored and cached."""
    keyed = caps.cache == "key"
    wanted: list[tuple[str, object, bool]] = [
        ("store", request.state.store, caps.store),
        ("prompt_cache_key", _cache_key(request) if keyed else request.cache.key, keyed),
    ]
    if request.identity != NOBODY or request.service_tier is not None:
        wanted = _named(request, caps) + wanted
    if request.cache != NO_CACHE:
        wanted.append(("prompt_cache_retention", request.cache.retention, keyed))
        wanted.append(("prompt_cache_options", request.cache.options, keyed))
    members: JsonObject = {}
    for name, value, taken in wanted:
        if value is not None and taken:
            members[name] = value
        elif value is not None:
            notes.append(dropped(name, "not offered by this model"))
    return members


def _named(request: ChatRequest, caps: Caps) -> list[tuple[str, object, bool]]:
    """(member, value, whether the deployment takes it) of what most clients do not say."""
    tier = request.service_tier
    tier = _TIERS.get(tier, tier) if tier else tier
    return [
        ("user", request.identity.user, caps.user),
        ("safety_identifier", request.identity.safety_id, caps.store),
        ("metadata", request.identity.metadata, caps.metadata),
        ("service_tier", tier, tier in caps.service_tiers),
    ]


def _cache_key(request: ChatRequest) -> str | None:
    """The client's key; for clients whose dialect has none, one that stays the same for the same system and tools.

    Providers route by it, and without it requests of one conversation land on machines with cold caches.
    """
    if request.cache.key is not None or request.dialect == NAME:
        return request.cache.key
    prefix = [text.text for text in request.system] + [tool.name or "" for tool in request.tools]
    if not prefix:
        return None
    text = "\x00".join(prefix).encode("utf-8", "surrogatepass")
    return "allgate-" + blake2b(text, digest_size=12).hexdigest()


def _with_extra(request: ChatRequest, body: JsonObject, caps: Caps, notes: list[Note]) -> JsonObject:
    """Members that only this dialect knows go under ours; another dialect's are noted."""
    for dialect, members in request.extra.items():
        if dialect != NAME:
            notes += [dropped(name, f"only {dialect} has it") for name in members]
    if request.safety is not None:
        notes.append(dropped("safety_settings", f"{NAME} has none"))
    kept = {
        key: value
        for key, value in own(request.extra).items()
        if key not in ("stream_options", LEGACY_FUNCTIONS)
    }
    if "google" in kept and "google" not in caps.vendor_fields:
        notes.append(dropped("google", "these settings are Gemini's own"))
        del kept["google"]
    return {**body, **{key: value for key, value in kept.items() if key not in body}}
