"""Counting tokens before sending: what the dialects ask, and how they want the answer."""

from allgate.core.value import changed
from allgate.wire.json import JsonObject, decode_object, encode, optional_object
from allgate.wire.message import WireRequest


def countable(request: WireRequest, dialect: str) -> WireRequest:
    """The request whose input is to be counted, in the form its dialect decodes.

    Gemini may wrap it (`generateContentRequest`); Anthropic leaves out `max_tokens`, which its Messages demand.
    Raises: WireError: not an object.
    """
    body = decode_object(request.body)
    if dialect == "gemini" and (inner := optional_object(body, "generateContentRequest")) is not None:
        return changed(request, body=encode(inner))
    if dialect == "anthropic" and "max_tokens" not in body:
        return changed(request, body=encode({**body, "max_tokens": 1}))
    return request


def encode_token_count(tokens: int, dialect: str) -> bytes:
    """The answer in the words of the dialect."""
    return encode(_SHAPES[dialect](tokens))


def _anthropic(tokens: int) -> JsonObject:
    return {"input_tokens": tokens}


def _responses(tokens: int) -> JsonObject:
    return {"object": "response.input_tokens", "input_tokens": tokens}


def _gemini(tokens: int) -> JsonObject:
    return {"totalTokens": tokens, "promptTokensDetails": [{"modality": "TEXT", "tokenCount": tokens}]}


_SHAPES = {"anthropic": _anthropic, "openai_responses": _responses, "gemini": _gemini}
