import json

import pytest

from allgate.core.errors import WireError
from allgate.core.value import changed
from allgate.dialects.anthropic import ANTHROPIC
from allgate.dialects.anthropic.head import IMAGE_TOKENS_MAX
from allgate.operations.chat.features import features_of
from allgate.wire.message import WireRequest
from dialects.anthropic.exchange import BOX, BUDGET, other_seal, posted, result, user

IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "A" * 40_000}}
PDF = {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBE"}}


def head(**body):
    return ANTHROPIC.read_head(posted(**body))


def test_the_head_of_a_small_request():
    found = head(stream=True, odd=1)
    assert (found.model, found.stream, found.stream_usage, found.output_tokens_max, found.n) == (
        "m",
        True,
        True,
        4096,
        1,
    )
    assert found.fields == {"model", "max_tokens", "messages", "stream", "odd"}
    assert found.features == frozenset()
    assert found.sealed is False
    assert found.input_bytes == len(posted(stream=True, odd=1).body)


@pytest.mark.parametrize(
    "body",
    [
        {"tools": [{"name": "f"}, {"type": "custom", "name": "g"}]},
        {
            "tools": [
                {"type": "web_search_20250305", "name": "web_search"},
                {"type": "bash_20250124", "name": "bash"},
            ]
        },
        {"tools": [{"type": "tool_search_tool_regex_20251119", "name": "t"}]},
        {"mcp_servers": [{"type": "url", "name": "wiki", "url": "u"}]},
        {"messages": [user(IMAGE, PDF)]},
        {"messages": [user("see"), user(result(content=[IMAGE]))]},
    ],
)
def test_the_features_are_those_of_the_decoded_request(body):
    request = posted(**body)
    assert ANTHROPIC.read_head(request).features == features_of(ANTHROPIC.decode_request(request, BOX))


def test_a_word_in_a_text_is_no_media():
    assert (
        head(
            messages=[
                user(
                    '{"type":"image"}', {"type": "tool_use", "id": "t", "name": "f", "input": {"x": "image"}}
                )
            ]
        ).features
        == frozenset()
    )


def test_a_picture_counts_by_its_tokens_and_not_by_its_bytes():
    request = posted(messages=[user(IMAGE)])
    assert ANTHROPIC.read_head(request).input_bytes == len(request.body) - 40_000 + IMAGE_TOKENS_MAX


def test_an_envelope_of_ours_is_seen():
    thinking = {"type": "thinking", "thinking": "h", "signature": BOX.wrap(other_seal())}
    assert head(messages=[user("a"), {"role": "assistant", "content": [thinking]}]).sealed


def test_a_content_that_is_a_text_holds_no_envelope_and_no_picture():
    """Both stand in blocks; what a text spells is the text's own affair."""
    spelt = f'"image" {BOX.wrap(other_seal())}'
    found = head(messages=[{"role": "user", "content": spelt}])
    assert (found.sealed, found.features) == (False, frozenset())


def test_white_space_about_the_messages_hides_nothing():
    body = b'{"model":"m", "messages" : [ {"role":"user","content": [ {"type":"image","source":{}} ]} ] }'
    assert ANTHROPIC.read_head(WireRequest(method="POST", path="", body=body)).features == {"image_input"}


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"model":1}', b'{"model":"m","stream":"x"}', b"\xff"])
def test_what_cannot_be_routed_is_refused(body):
    with pytest.raises(WireError):
        ANTHROPIC.read_head(WireRequest(method="POST", path="/v1/messages", body=body))


@pytest.mark.parametrize(
    ("said", "found"),
    [
        (b'"max_tokens":5.0', ("m", False, 5)),
        (b'"max_tokens":null,"stream":null', ("m", False, None)),
        (b'"max_tokens":5,"max_tokens":6,"stream":true', ("m", True, 6)),
        (b'"model":"\\ud83d"', ("\ufffd", False, None)),
    ],
)
def test_settings_that_are_written_otherwise_are_read(said, found):
    body = b'{"model":"m","messages":[],%b}' % said
    head = ANTHROPIC.read_head(WireRequest(method="POST", path="", body=body))
    assert (head.model, head.stream, head.output_tokens_max) == found


def test_half_an_emoji_does_not_stop_the_head():
    body = b'{"model":"m","messages":[{"role":"user","content":"\\ud83d"}]}'
    assert ANTHROPIC.read_head(WireRequest(method="POST", path="", body=body)).model == "m"


def passed(request: WireRequest, model: str = "up", **narrowed):
    return ANTHROPIC.passthrough(request, ANTHROPIC.read_head(request), model, changed(BUDGET, **narrowed))


def test_pass_through_edits_the_model_and_no_other_byte():
    body = b'{ "max_tokens" : 1.0e1, "x":[1 , 2],"model":"m", "messages":[{"role":"user","content":"the \\"model\\" is m"}] }'
    body = body.replace(b"1.0e1", b"10")
    call = passed(WireRequest(method="POST", path="/v1/messages", body=body))
    assert call.body == body.replace(b'"model":"m"', b'"model":"up"')
    assert call.path == "/v1/messages"
    same = passed(WireRequest(method="POST", path="/v1/messages", body=body), model="m")
    assert same.body is body


def test_pass_through_forwards_version_and_betas_and_never_a_key():
    fields = (
        (b"x-api-key", b"sk"), (b"authorization", b"Bearer sk"), (b"anthropic-version", b"2026-10-21"),
        (b"anthropic-beta", b"a"), (b"anthropic-beta", b"b"), (b"idempotency-key", b"i"), (b"user-agent", b"x"),
    )  # fmt: skip
    call = passed(posted(fields))
    assert call.headers == ((b"content-type", b"application/json"), *fields[2:6])


def test_a_missing_version_and_bound_are_added():
    body = json.dumps({"model": "m", "messages": []}).encode()
    call = passed(WireRequest(method="POST", path="/v1/messages", body=body, query=b"beta=true"))
    assert json.loads(call.body) == {"max_tokens": 32_000, "model": "up", "messages": []}
    assert call.headers[1] == (b"anthropic-version", b"2023-06-01")
    assert call.path == "/v1/messages?beta=true"
    assert [note.path for note in call.notes] == ["max_tokens"]
