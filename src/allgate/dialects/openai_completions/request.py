"""Legacy text completions: `{prompt, suffix, echo, best_of, logprobs, …}` → the canonical request, and back.

A prompt becomes one user turn, so that every chat model can complete it. What only an engine for completions can do
(a suffix, several prompts, token ids) goes through to a deployment that speaks this dialect, and is refused elsewhere;
`echo` is ours: the answer begins with the prompt.
"""

from allgate.core.errors import unsupported, wire_error
from allgate.core.value import changed
from allgate.dialects.contract import Head, UpstreamCall
from allgate.dialects.openai_chat.head import raw_members
from allgate.dialects.openai_chat.head_messages import SEALED
from allgate.dialects.openai_chat.request_decode import merged_extra_body, model_of
from allgate.dialects.openai_chat.request_encode import JSON_HEADERS
from allgate.dialects.openai_chat.sampling_decode import decode_sampling
from allgate.dialects.openai_chat.sampling_encode import encode_sampling
from allgate.dialects.passes.lenient import list_of
from allgate.operations.chat.caps import Caps
from allgate.operations.chat.notes import Note, dropped
from allgate.operations.chat.parts import Text
from allgate.operations.chat.request import ChatRequest, Identity, Turn
from allgate.wire import json
from allgate.wire.json import (
    Json,
    JsonObject,
    optional_bool,
    optional_int,
    optional_object,
    optional_text,
)
from allgate.wire.message import WireRequest

NAME = "openai_completions"
PATH = "/completions"
ECHO = "echo"
"""In `extra`: the client wants the prompt back in front of the answer."""

_READ = ("model", "stream", "stream_options", "max_tokens", "n", "best_of", "prompt")
_KNOWN = frozenset(
    {
        "model", "prompt", "suffix", "max_tokens", "temperature", "top_p", "n", "stream", "stream_options", "logprobs",
        "echo", "stop", "presence_penalty", "frequency_penalty", "best_of", "logit_bias", "user", "seed", "extra_body",
        "top_k",
    }
)  # fmt: skip


def read_head(request: WireRequest) -> Head:
    """The head of a completions body: `n` counts every answer that is generated, of all prompts.

    Raises: WireError: no JSON object, no model, or a wrong type in what is read.
    """
    raw = raw_members(request.body)
    body = {name: json.decode(raw[name], name) for name in _READ if name in raw}
    options = optional_object(body, "stream_options") or {}
    prompts = list_of(body.get("prompt"))
    several = (
        len(prompts) if prompts and not isinstance(prompts[0], int) else 1
    )  # numbers: one prompt as token ids
    answers = max(optional_int(body, "n") or 1, optional_int(body, "best_of") or 1)
    return Head(
        model=model_of(body),
        stream=optional_bool(body, "stream") or False,
        stream_usage=optional_bool(options, "include_usage", "stream_options.include_usage") or False,
        output_tokens_max=optional_int(body, "max_tokens"),
        n=answers * several,
        fields=frozenset(raw),
        sealed=SEALED in request.body,
        input_bytes=len(request.body),
    )


def decode_request(request: WireRequest) -> ChatRequest:
    """The request in these bytes. Raises: WireError: not a completions body, or one that no chat model can answer."""
    body = merged_extra_body(json.decode_object(request.body))
    options = optional_object(body, "stream_options") or {}
    rest = {key: value for key, value in body.items() if key not in _KNOWN}
    if optional_bool(body, "echo"):
        rest[ECHO] = True
    if optional_text(body, "suffix"):
        raise unsupported("A suffix needs a model that speaks text completions itself", param="suffix")
    notes: tuple[Note, ...] = ()
    if (optional_int(body, "best_of") or 1) > (optional_int(body, "n") or 1):
        notes = (dropped("best_of", "chat models give their first answers"),)
    return ChatRequest(
        dialect=NAME,
        model=model_of(body),
        turns=(Turn(role="user", parts=(Text(text=_prompt(body.get("prompt"))),)),),
        sampling=decode_sampling(body),
        identity=Identity(user=optional_text(body, "user")),
        stream=optional_bool(body, "stream") or False,
        stream_usage=optional_bool(options, "include_usage", "stream_options.include_usage") or False,
        extra={NAME: rest} if rest else {},
        notes=notes,
    )


def encode_request(request: ChatRequest, model: str, caps: Caps) -> UpstreamCall:
    """The call for a deployment that speaks text completions.

    Raises: WireError: a conversation, tools or media: only a chat model can answer those.
    """
    notes: list[Note] = []
    parts = [part for turn in request.turns for part in turn.parts]
    if request.tools or len(request.turns) != 1 or not all(isinstance(part, Text) for part in parts):
        raise unsupported(
            "This model completes one text: it takes no conversations, tools or media", param="messages"
        )
    texts = [
        *(text.text for text in request.system),
        *(part.text for part in parts if isinstance(part, Text)),
    ]
    body: JsonObject = {"model": model, "prompt": "\n\n".join(texts)}
    wish = changed(request, sampling=changed(request.sampling, logprobs=None, top_logprobs=None))
    body |= encode_sampling(wish, changed(caps, max_tokens_field="max_tokens"), notes)
    if request.sampling.logprobs and caps.logprobs:
        body["logprobs"] = request.sampling.top_logprobs or 0
    if request.identity.user is not None and caps.user:
        body["user"] = request.identity.user
    if request.stream:
        body["stream"] = True
        if caps.stream_usage_switch:
            body["stream_options"] = {"include_usage": True}
    own = {key: value for key, value in request.extra.get(NAME, {}).items() if key != ECHO}
    return UpstreamCall(
        path=PATH, body=json.encode({**own, **body}), headers=JSON_HEADERS, notes=tuple(notes)
    )


def prompt_of(request: ChatRequest) -> str:
    """What `echo` gives back; empty where the client did not ask for it."""
    if not request.extra.get(NAME, {}).get(ECHO):
        return ""
    return "".join(part.text for turn in request.turns for part in turn.parts if isinstance(part, Text))


def _prompt(value: Json) -> str:
    """One text. Several prompts and token ids need an engine of their own."""
    prompts = list_of(value) if isinstance(value, list) else [value]
    if len(prompts) > 1 and isinstance(prompts[0], str):
        raise unsupported(
            f"This model completes one prompt per request, {len(prompts)} were given", param="prompt"
        )
    if len(prompts) != 1 or not isinstance(prompts[0], str):
        raise wire_error("'prompt' must be text: token ids cannot be read by this model", param="prompt")
    return prompts[0]
