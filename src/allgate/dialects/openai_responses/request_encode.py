"""A canonical request as a Responses request for one deployment.

Absent stays absent, except where this format's own default would change the meaning: responses are not stored at the
provider unless the client said so (`store` is true by default), and encrypted reasoning is asked for where the
deployment has any, because the client may want to go on with it.
"""

from allgate.dialects.contract import UpstreamCall
from allgate.dialects.openai_responses import settings_encode as settings
from allgate.dialects.openai_responses.head import FIELDS, PATH
from allgate.dialects.openai_responses.input_encode import InputWriter
from allgate.dialects.openai_responses.own import NAME, ORIGIN, own
from allgate.dialects.openai_responses.plain_call import plain_body
from allgate.dialects.openai_responses.profile import LITE_HEADER, is_codex
from allgate.dialects.openai_responses.request_decode import BOOKKEEPING, TEXT
from allgate.dialects.openai_responses.target import Target, refuse
from allgate.dialects.openai_responses.tools_encode import encode_tool_choice, encode_tools
from allgate.operations.chat.caps import Caps
from allgate.operations.chat.request import ChatRequest
from allgate.wire import json
from allgate.wire.headers import Headers
from allgate.wire.json import JsonObject

_UNSENT = BOOKKEEPING | {"include"}  # of the extra: it is told by `settings`


def encode_request(request: ChatRequest, model: str, caps: Caps) -> UpstreamCall:
    """The call of `POST /responses`. Raises: WireError: something whose silent loss would change the meaning."""
    body = plain_body(request, model, caps)
    if body is not None:
        return UpstreamCall(path=PATH, body=body, headers=FIELDS[request.stream])
    return encode_any_request(request, model, caps)


def encode_any_request(request: ChatRequest, model: str, caps: Caps) -> UpstreamCall:
    """The same, for a request of any kind."""
    target = Target(request, caps)
    _refuse_the_impossible(target)
    writer = InputWriter(target)
    writer.write()
    extra = own(request.extra) if request.extra else {}
    body: JsonObject = {"model": model}
    if writer.instructions:
        body["instructions"] = writer.instructions
    body["input"] = writer.items
    if request.tools or request.modalities:
        body |= _tools(target)
    if request.tool_choice is not None:
        body |= encode_tool_choice(target)
    body |= settings.sampling(target)
    if request.reasoning is not None:
        body |= settings.reasoning(target)
    if request.output is not None or TEXT in extra:
        body |= settings.output_format(target, writer.items)
    body |= settings.include(target)
    body |= settings.cache(target)
    body |= settings.identity(target)
    body |= settings.state(target)
    if extra:
        body |= {key: value for key, value in extra.items() if key not in _UNSENT}
    body["stream"] = request.stream
    notes = (*target.notes, *request.notes)
    return UpstreamCall(path=PATH, body=json.encode(body), headers=_headers(request), notes=notes)


def _headers(request: ChatRequest) -> Headers:
    fields = FIELDS[request.stream]
    if request.dialect != NAME:
        return fields
    for beta in request.betas:
        fields += ((b"openai-beta", beta.encode("latin-1", "replace")),)
    return (*fields, LITE_HEADER) if is_codex(request) and _declares_in_input(request) else fields


def _declares_in_input(request: ChatRequest) -> bool:
    return any(own(tool.extra).get(ORIGIN) == "additional_tools" for tool in request.tools)


def _refuse_the_impossible(target: Target) -> None:
    request, caps, state = target.request, target.caps, target.request.state
    if (request.sampling.n or 1) > 1:
        raise refuse("More than one choice", "n")
    if "audio" in request.modalities or "video" in request.modalities:
        raise refuse("Audio or video output", "modalities")
    if "image" in request.modalities and "image_generation" not in caps.hosted:
        raise refuse("Image output", "modalities")
    if state.background and not caps.store:
        raise refuse("A background response", "background")
    for member, value in (
        ("previous_response_id", state.previous_response_id),
        ("conversation", state.conversation),
        ("prompt", state.prompt),
    ):
        if value is not None and not caps.store:
            raise refuse(f"'{member}'", member)
    if request.output and request.output.kind == "grammar" and not caps.grammar_output:
        raise refuse("Grammar output", "text.format")


def _tools(target: Target) -> JsonObject:
    if not target.caps.tools and target.request.tools:
        raise refuse("Calling tools", "tools")
    tools = encode_tools(target)
    if "image" in target.request.modalities and not any(
        tool.get("type") == "image_generation" for tool in tools
    ):
        tools.append({"type": "image_generation"})
    return {"tools": tools} if tools else {}
