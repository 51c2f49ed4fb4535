"""What routing learns of a body, and the bytes that are passed through."""

import json

import pytest

from allgate.core.errors import WireError
from allgate.core.value import changed
from allgate.dialects.contract import Head
from allgate.dialects.openai_chat import OPENAI_CHAT
from allgate.operations.chat.caps import CAPS_DEFAULT
from allgate.operations.chat.features import features_of
from allgate.operations.chat.parts import Seal
from allgate.wire.message import WireRequest
from dialects.openai_chat.exchange import BOX, decoded, posted

IMAGE = {"type": "image_url", "image_url": {"url": "https://e.x/a.png"}}
FILM = {"type": "image_url", "image_url": {"url": "https://e.x/a.mp4"}}
SOUND = {"type": "input_audio", "input_audio": {"data": "", "format": "wav"}}
USER = {"role": "user", "content": "hi"}
BIG_FILM = {
    "type": "image_url",
    "image_url": {"detail": "low", "url": "data:video/mp4;base64," + "A" * 8_000},
}
BIG_FILE = {"type": "file", "file": {"filename": "a.pdf", "file_data": "A" * 8_000}}
FILE = {"type": "file", "file": {"file_data": "data:application/pdf;base64,JVBERg=="}}


def wire(body: bytes) -> WireRequest:
    return WireRequest(method="POST", path="/v1/chat/completions", body=body)


def passed(body: bytes, model: str = "up", **narrowed) -> bytes:
    request = wire(body)
    return OPENAI_CHAT.passthrough(
        request, OPENAI_CHAT.read_head(request), model, changed(CAPS_DEFAULT, **narrowed)
    ).body


def test_the_head_of_a_request():
    request = posted(
        stream=True, stream_options={"include_usage": True}, max_tokens=5, max_completion_tokens=6, n=3
    )
    assert OPENAI_CHAT.read_head(request) == Head(
        model="m",
        stream=True,
        stream_usage=True,
        output_tokens_max=6,
        n=3,
        fields=frozenset(
            {"model", "messages", "stream", "stream_options", "max_tokens", "max_completion_tokens", "n"}
        ),
        input_bytes=len(request.body),
    )


def test_a_count_may_be_written_as_a_float_and_nulls_say_nothing():
    head = OPENAI_CHAT.read_head(posted(stream=None, stream_options=None, max_tokens=5.0, n=None))
    assert (head.stream, head.stream_usage, head.output_tokens_max, head.n) == (False, False, 5, 1)


def test_a_wrong_type_is_named_with_its_path():
    with pytest.raises(WireError) as caught:
        OPENAI_CHAT.read_head(posted(stream_options={"include_usage": "yes"}))
    assert caught.value.failure.param == "stream_options.include_usage"


def test_what_stands_in_extra_body_counts_where_the_body_is_silent():
    request = wire(
        json.dumps(
            {"messages": [USER], "n": 2, "extra_body": {"model": "inner", "n": 4, "stream": True}}
        ).encode()
    )
    head = OPENAI_CHAT.read_head(request)
    assert (head.model, head.n, head.stream) == ("inner", 2, True)
    assert head.fields == {"messages", "n", "extra_body"}


@pytest.mark.parametrize(
    ("body", "features"),
    [
        ({}, set()),
        (
            {"messages": [{"role": "user", "content": [IMAGE, SOUND, FILE]}]},
            {"image_input", "audio_input", "document_input"},
        ),
        ({"messages": [{"role": "user", "content": [FILM]}]}, {"video_input"}),
        ({"messages": [{"role": "user", "content": 'the word "image_url" alone'}]}, set()),
        ({"messages": [{"role": "user", "content": "image_url"}]}, set()),
        (
            {
                "messages": [
                    {"role": "assistant", "content": "a", "images": [IMAGE], "audio": {"id": "x"}},
                    USER,
                ]
            },
            {"image_input", "audio_input"},
        ),
        (
            {"messages": [{"role": "user", "content": [BIG_FILM, BIG_FILE]}]},
            {"video_input", "document_input"},
        ),
        ({"messages": [{"role": "user", "content": ["plain", IMAGE]}]}, {"image_input"}),
        ({"tools": [{"type": "function", "function": {"name": "f"}}]}, {"tools"}),
        ({"functions": [{"name": "f"}]}, {"tools"}),
        ({"tools": [{"type": "custom", "custom": {"name": "c"}}]}, {"tools", "custom_tools"}),
        ({"tools": [{"type": "function", "function": {"name": "googleSearch"}}]}, {"web_search"}),
        ({"tools": [{"type": "web_search_preview"}]}, {"web_search"}),
        ({"web_search_options": {}}, {"web_search"}),
        ({"extra_body": {"web_search_options": {}}}, {"web_search"}),
        ({"modalities": ["text", "image"]}, {"image_output"}),
    ],
)
def test_features_are_those_of_the_decoded_request(body, features):
    assert OPENAI_CHAT.read_head(posted(**body)).features == features == features_of(decoded(**body))


def test_an_envelope_in_the_body_is_noticed():
    sealed = BOX.wrap(Seal(origin="gemini", scope="g", form="thought", value="v"))
    assert OPENAI_CHAT.read_head(posted(x=sealed)).sealed
    assert not OPENAI_CHAT.read_head(posted()).sealed


@pytest.mark.parametrize(
    ("members", "sealed"),
    [
        ({"reasoning_details": [{"type": "reasoning.text", "signature": "S"}]}, True),
        ({"thinking_blocks": [{"type": "thinking", "signature": "S"}]}, True),
        ({"tool_calls": [{"extra_content": {"google": {"thought_signature": "S"}}}]}, True),
        ({"images": [{"image_url": {"url": "https://e.x"}, "extra_content": "S"}]}, True),
        ({"content": [{"type": "text", "text": "hi", "x": "S"}]}, True),
        ({"content": 7, "x": "S"}, True),
        ({"content": "S"}, False),
    ],
)
def test_an_envelope_is_noticed_in_whatever_is_no_text(members, sealed):
    envelope = BOX.wrap(Seal(origin="gemini", scope="g", form="thought", value="v"))
    message = json.loads(
        json.dumps({"role": "assistant", "content": "a", **members}).replace('"S"', f'"{envelope}"')
    )
    assert OPENAI_CHAT.read_head(posted(messages=[USER, message])).sealed is sealed


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"7",
        b"{",
        b'{"model":7}',
        b'{"messages":[]}',
        b'{"model":"m","stream":"yes"}',
        b'{"model":"m","n":"2"}',
    ],
)
def test_a_body_that_cannot_be_routed_is_refused(body):
    with pytest.raises(WireError):
        OPENAI_CHAT.read_head(wire(body))


@pytest.mark.parametrize(
    ("members", "borrowed"),
    [
        ({"reasoning_effort": "high", "tool_choice": "required", "top_k": 5}, set()),
        ({"extra_body": {"google": {}}}, {"extra_body"}),
        ({"google": {}, "thinking": {"type": "enabled"}}, {"google", "thinking"}),
        ({"tool_choice": "any"}, {"tool_choice"}),
        ({"tool_choice": {"type": "tool", "name": "f"}}, {"tool_choice"}),
        ({"tool_choice": {"type": "function", "function": {"name": "f"}}}, set()),
        ({"messages": [{**USER, "content": 'is "reasoning_content" a word?'}]}, set()),
        ({"messages": [{"role": "assistant", "reasoning_content": "hm"}, USER]}, {"reasoning_content"}),
        ({"messages": [{"role": "assistant", "reasoning_details": []}, USER]}, {"reasoning_details"}),
    ],
)
def test_words_of_other_vendors_are_told_apart(members, borrowed):
    body = {"model": "m", "messages": [USER], **members}
    assert OPENAI_CHAT.read_head(wire(json.dumps(body).encode())).borrowed == borrowed


def test_only_the_model_changes_and_every_other_byte_stays():
    body = b'{ "temperature": 1.0,\n  "model":"pub", "messages":[{"role":"user","content":"model: \\"model\\""}], "model2":"x" }'
    assert passed(body) == body.replace(b'"model":"pub"', b'"model":"up"')
    assert passed(body, model="pub") == body


def test_a_model_named_inside_the_messages_is_left_alone():
    body = b'{"messages":[{"role":"user","content":"hi","model":"inner"}],"model":"pub"}'
    assert passed(body) == b'{"messages":[{"role":"user","content":"hi","model":"inner"}],"model":"up"}'


def test_the_bound_of_the_answer_has_the_provider_s_word():
    """Models of OpenAI that think refuse `max_tokens`, and none takes both."""
    body = b'{"model":"m", "max_tokens" : 5,"messages":[{"role":"user","content":"max_tokens"}]}'
    new = {"max_tokens_field": "max_completion_tokens"}
    assert passed(body, model="m", **new) == body.replace(b'"max_tokens"', b'"max_completion_tokens"', 1)
    assert passed(body, model="m") == body
    both = b'{"model":"m","max_tokens":5,"max_completion_tokens":6,"messages":[]}'
    assert passed(both, model="m", **new) == both


@pytest.mark.parametrize(
    ("members", "options"),
    [
        (b"", {"include_usage": True}),
        (
            b',"stream_options":{"include_obfuscation":false}',
            {"include_obfuscation": False, "include_usage": True},
        ),
        (b',"stream_options":{"include_usage":false}', {"include_usage": True}),
        (b',"stream_options":null', {"include_usage": True}),
    ],
)
def test_usage_is_asked_for_where_a_stream_would_end_without(members, options):
    body = b'{"model":"m","messages":[],"stream":true' + members + b"}"
    assert json.loads(passed(body))["stream_options"] == options


def test_usage_is_not_asked_for_where_it_is_not_needed():
    for body in (
        b'{"model":"m","messages":[],"stream":true,"stream_options": { "include_usage" : true }}',
        b'{"model":"m","messages":[]}',
    ):
        assert passed(body, model="m") == body
    silent = b'{"model":"m","messages":[],"stream":true}'
    assert passed(silent, model="m", stream_usage_switch=False) == silent


def test_only_the_vendor_s_own_headers_go_along():
    headers = (
        (b"authorization", b"Bearer k"),
        (b"openai-beta", b"x"),
        (b"cookie", b"c"),
        (b"idempotency-key", b"i"),
    )
    request = changed(wire(b'{"model":"m","messages":[]}'), headers=headers)
    call = OPENAI_CHAT.passthrough(request, OPENAI_CHAT.read_head(request), "up", CAPS_DEFAULT)
    assert call.headers == (
        (b"content-type", b"application/json"),
        (b"openai-beta", b"x"),
        (b"idempotency-key", b"i"),
    )
