"""A canonical request as a Responses request for one deployment.

Absent stays absent, except where this format's own default would change the meaning: responses are not stored at the
provider unless the client said so (`store` is true by default), and encrypted reasoning is asked for where the
deployment has any, because the client may want to go on with it.
"""

from allgate.dialects.contract import UpstreamCall
from allgate.dialects.openai_responses import settings_encode as settings
from allgate.dialects.openai_responses.input_encode import InputWriter
from allgate.dialects.openai_responses.own import NAME, ORIGIN, own
from allgate.dialects.openai_responses.profile import LITE_HEADER, is_codex
from allgate.dialects.openai_responses.request_decode import BOOKKEEPING
from allgate.dialects.openai_responses.target import Target, refuse
from allgate.dialects.openai_responses.tools_encode import encode_tool_choice, encode_tools
from allgate.operations.chat.caps import Caps
from allgate.operations.chat.request import ChatRequest
from allgate.wire import json
from allgate.wire.headers import Headers
from allgate.wire.json import JsonObject

PATH = "/responses"


def encode_request(request: ChatRequest, model: str, caps: Caps) -> UpstreamCall:
    """The call of `POST /responses`. Raises: WireError: something whose silent loss would change the meaning."""
    target = Target(request, caps)
    _refuse_the_impossible(target)
    writer = InputWriter(target)
    writer.write()
    extra = own(request.extra)
    body: JsonObject = {
        "model": model,
        **({"instructions": writer.instructions} if writer.instructions else {}),
        "input": writer.items,
        **_tools(target),
        **encode_tool_choice(target),
        **settings.sampling(target),
        **settings.reasoning(target),
        **settings.output_format(target, writer.items),
        **settings.include(target),
        **settings.cache(target),
        **settings.identity(target),
        **settings.state(target),
        **{key: value for key, value in extra.items() if key not in BOOKKEEPING and key != "include"},
        "stream": request.stream,
    }
    target.notes += request.notes
    return UpstreamCall(
        path=PATH, body=json.encode(body), headers=_headers(request), notes=tuple(target.notes)
    )


def _headers(request: ChatRequest) -> Headers:
    accept = b"text/event-stream" if request.stream else b"application/json"
    is_own = request.dialect == NAME
    return (
        (b"content-type", b"application/json"),
        (b"accept", accept),
        *((b"openai-beta", beta.encode("latin-1", "replace")) for beta in request.betas if is_own),
        *((LITE_HEADER,) if is_own and is_codex(request) and _declares_in_input(request) else ()),
    )


def _declares_in_input(request: ChatRequest) -> bool:
    return any(own(tool.extra).get(ORIGIN) == "additional_tools" for tool in request.tools)


def _refuse_the_impossible(target: Target) -> None:
    request, caps = target.request, target.caps
    if (request.sampling.n or 1) > 1:
        raise refuse("More than one choice", "n")
    if "audio" in request.modalities or "video" in request.modalities:
        raise refuse("Audio or video output", "modalities")
    if "image" in request.modalities and "image_generation" not in caps.hosted:
        raise refuse("Image output", "modalities")
    if request.state.background and not caps.store:
        raise refuse("A background response", "background")
    for member in ("previous_response_id", "conversation", "prompt"):
        if getattr(request.state, member) is not None and not caps.store:
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
