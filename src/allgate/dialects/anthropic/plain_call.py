"""A plain request as a Messages call, written without asking for what is not there.

Plain are texts of users and assistants that take turns, a system prompt and sampling that the vendor has a word for.
What needs a repair or a note beside those of the bound and of sampling goes the long way of `request_encode`; for what
is plain both ways write the same call.
"""

from allgate.dialects.anthropic.auto_marks import auto_marked
from allgate.dialects.anthropic.request_encode import PATH, encode_any_request, output_bound
from allgate.dialects.anthropic.thinking_encode import encode_sampling
from allgate.dialects.anthropic.versions import call_headers, sent_version
from allgate.dialects.contract import UpstreamCall
from allgate.operations.chat.caps import Caps
from allgate.operations.chat.notes import Note
from allgate.operations.chat.plain import spoken_in
from allgate.operations.chat.request import ChatRequest, Role, Sampling
from allgate.wire.json import JsonObject, encode


def encode_request(request: ChatRequest, model: str, caps: Caps) -> UpstreamCall:
    """The call. Raises: WireError: something that this deployment cannot do and must not ignore."""
    spoken, wish = spoken_in(request, unkept=True), request.sampling
    messages = None if spoken is None or _is_odd(wish) else _messages(spoken)
    if messages is None:
        return encode_any_request(request, model, caps)
    version = sent_version(request, caps)
    notes: list[Note] = []
    body: JsonObject = {"model": model, "max_tokens": output_bound(request, caps, notes)[0]}
    if request.system:
        system: list[JsonObject] = []
        for text in request.system:
            if not text.text.strip():
                return encode_any_request(request, model, caps)
            system.append({"type": "text", "text": text.text})
        body["system"] = system
    body["messages"] = messages
    if wish.temperature is not None or wish.top_p is not None or wish.top_k is not None or wish.stop:
        sampling, more = encode_sampling(request, caps, version, thinking=False)
        body |= sampling
        notes += more
    if request.stream:
        body["stream"] = True
    sent = encode(body)
    if caps.cache_policy != "client":
        sent, marks = auto_marked(sent, caps)
        notes += marks
    headers = call_headers(version, request.betas)
    return UpstreamCall(path=PATH, body=sent, headers=headers, notes=tuple(notes))


def _is_odd(wish: Sampling) -> bool:
    """Whether the client wished what the vendor has no word for."""
    return (
        wish.n is not None or wish.seed is not None or wish.logprobs is not None or wish.top_logprobs is not None
        or wish.frequency_penalty is not None or wish.presence_penalty is not None or wish.logit_bias is not None
    )  # fmt: skip


def _messages(spoken: list[tuple[Role, str]]) -> list[JsonObject] | None:
    """The messages; None where they are not the user's and the assistant's by turns, the user's first and last."""
    if not spoken or spoken[-1][0] != "user":
        return None
    messages: list[JsonObject] = []
    due: Role = "user"
    for role, text in spoken:
        if role != due or not text.strip():
            return None
        messages.append({"role": role, "content": [{"type": "text", "text": text}]})
        due = "assistant" if due == "user" else "user"
    return messages
