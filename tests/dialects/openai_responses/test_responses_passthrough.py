"""The head, the span edit, and the meter of a passed-through exchange."""

import json
import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allgate.core.errors import ErrorKind, WireError
from allgate.core.usage import Usage
from allgate.dialects.contract import Head
from allgate.dialects.openai_responses import OPENAI_RESPONSES
from allgate.operations.chat.caps import CAPS_DEFAULT
from allgate.operations.chat.parts import Seal
from allgate.wire.message import WireRequest
from dialects.openai_responses.exchange import (
    BOX,
    CREATED,
    completed,
    frame,
    function_call,
    message,
    posted,
    response,
)

HEAD = Head(model="m")
USAGE = {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}


def delta(text: str) -> bytes:
    return frame("response.output_text.delta", output_index=0, content_index=0, item_id="msg_1", delta=text)


def metered(*pieces: bytes):
    meter = OPENAI_RESPONSES.meter(HEAD, CAPS_DEFAULT)
    return meter, [meter.feed(piece) for piece in pieces]


def head(**body) -> Head:
    return OPENAI_RESPONSES.read_head(posted(**body))


def test_the_head_reads_what_routing_needs():
    found = head(model="gpt", stream=True, max_output_tokens=9, store=False)
    assert (found.model, found.stream, found.stream_usage, found.output_tokens_max) == ("gpt", True, True, 9)
    assert found.fields == {"model", "input", "stream", "max_output_tokens", "store"}
    assert not found.sealed
    assert found.input_bytes > 50


def test_the_head_names_features():
    picture = [{"role": "user", "content": [{"type": "input_image", "image_url": "https://e.x"}]}]
    assert head(input=picture).features == {"image_input"}
    quoted = [{"role": "user", "content": json.dumps({"type": "input_image"})}]
    assert head(input=quoted).features == frozenset(), "a text that quotes a part is none"
    assert head(tools=[{"type": "custom", "name": "x"}, {"type": "web_search"}]).features == {
        "tools", "custom_tools", "web_search",
    }  # fmt: skip
    tools_inside = [{"type": "additional_tools", "role": "developer", "tools": []}]
    assert head(input=tools_inside).features == {"tools"}


def test_the_head_sees_an_envelope_of_ours():
    env = BOX.wrap(Seal(origin="anthropic", scope="", form="signature", value="x"))
    assert head(input=[{"type": "reasoning", "summary": [], "encrypted_content": env}]).sealed


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b'{"model":5}', b'{"input":"x"}', b'{"model":"m","stream":"yes"}']
)
def test_a_body_that_is_none_is_refused(body):
    with pytest.raises(WireError):
        OPENAI_RESPONSES.read_head(WireRequest(method="POST", path="/", body=body))


def test_only_the_model_is_edited():
    body = b'{ "input" : "x",\n "model":"public", "temperature": 1.0, "metadata": {"model": "keep"}}'
    headers = (
        (b"authorization", b"Bearer sk"), (b"openai-beta", b"b"), (b"x-codex-window-id", b"w"), (b"session-id", b"s"),
        (b"x-openai-internal-codex-responses-lite", b"true"), (b"openai-organization", b"org"), (b"user-agent", b"codex"),
    )  # fmt: skip
    wire = WireRequest(method="POST", path="/v1/responses", headers=headers, body=body)
    made = OPENAI_RESPONSES.passthrough(wire, OPENAI_RESPONSES.read_head(wire), "up", CAPS_DEFAULT)
    assert made.body == body.replace(b'"public"', b'"up"')
    assert made.path == "/responses"
    names = {name for name, _ in made.headers}
    assert names == {b"content-type", b"accept", b"openai-beta", b"x-codex-window-id", b"session-id",
                     b"x-openai-internal-codex-responses-lite"}  # fmt: skip


def test_the_same_model_leaves_the_bytes_alone():
    wire = posted(model="m")
    assert OPENAI_RESPONSES.passthrough(wire, HEAD, "m", CAPS_DEFAULT).body is wire.body


def test_chunks_pass_as_they_are_and_the_terminal_event_waits():
    chunks = [CREATED, delta("Hel"), delta("lo"), completed(message("Hello"), usage=USAGE)]
    meter, passed = metered(*chunks)
    assert all(out is chunk for out, chunk in zip(passed[1:3], chunks[1:3], strict=True))
    assert passed[3] == b""
    assert meter.close() == chunks[3]
    facts = meter.facts()
    assert (facts.usage, facts.finished, facts.empty, facts.text) == (
        Usage(input_tokens=3, output_tokens=2), True, False, "Hello",
    )  # fmt: skip


def test_content_starts_with_the_first_word_or_call():
    meter, _ = metered(CREATED, frame("response.in_progress", response={}), frame("keepalive"))
    assert not meter.started
    meter.feed(frame("response.output_item.added", output_index=0, item={"type": "message", "id": "m"}))
    assert not meter.started
    meter.feed(frame("response.output_item.added", output_index=0, item=function_call()))
    assert meter.started
    again, _ = metered(CREATED, frame("response.reasoning_summary_text.delta", delta="h"))
    assert again.started


@pytest.mark.parametrize("event", ["response.failed", "error"])
def test_a_failure_in_band_is_withheld_with_all_that_follows(event):
    said = {"response": {"error": {"code": "server_is_overloaded", "message": "busy"}}} if event != "error" else {
        "code": "server_is_overloaded", "message": "busy"}  # fmt: skip
    meter, passed = metered(CREATED, frame(event, **said), delta("late"))
    assert passed[1:] == [b"", b""]
    assert (meter.failure.kind, meter.failure.message) == (ErrorKind.OVERLOADED, "busy")
    assert not meter.facts().finished
    assert meter.close() == b""


def test_a_stream_that_was_cut_is_not_finished():
    meter, _ = metered(CREATED, delta("x"))
    assert meter.close() == b""
    assert not meter.facts().finished


def test_an_incomplete_answer_is_a_finished_one():
    meter, _ = metered(frame("response.incomplete", response=response(message("x"), status="incomplete")))
    assert meter.facts().finished
    assert b"response.incomplete" in meter.close()


def test_a_terminal_event_without_its_blank_line_counts():
    last = completed(message("x"))
    meter, _ = metered(CREATED, last[:-2])
    assert meter.close() == last
    assert meter.facts().finished


def test_odd_characters_pass_and_no_json_is_a_failure():
    half = delta("x").replace(b'"x"', b'"\\ud83d"')
    meter, passed = metered(CREATED, half)
    assert passed[1] == half
    assert not meter.failure
    assert meter.feed(b"data: <html>\n\n") == b""
    assert meter.failure


def test_an_item_of_no_type_passes():
    meter, passed = metered(
        CREATED, odd := frame("response.output_item.added", output_index=0, item={"type": []})
    )
    assert passed[1] == odd
    assert meter.started
    assert not meter.failure


def test_text_is_counted_also_where_no_piece_came():
    meter, _ = metered(completed(message("only here"), function_call("add", '{"a":1}')))
    assert meter.facts().text == 'only hereadd{"a":1}'
    calls, _ = metered(
        frame("response.output_item.added", output_index=0, item=function_call("add", "")),
        frame("response.function_call_arguments.delta", output_index=0, delta='{"a":1}'),
    )
    assert calls.facts().text == 'add{"a":1}'


def test_any_slicing_lets_the_same_bytes_through():
    stream = b"".join(
        [CREATED, b": comment\n\n", delta("Grüße "), delta("😀"), b"event: keepalive\ndata: {}\n\n"]
    )
    last = completed(message("x"), usage=USAGE)
    dice = random.Random(3)
    for _ in range(40):
        cuts = sorted(dice.sample(range(len(stream + last)), 6))
        pieces = [(stream + last)[a:b] for a, b in pairwise([0, *cuts, len(stream + last)])]
        meter, passed = metered(*pieces)
        assert b"".join(passed) == stream
        assert meter.close() == last
        assert meter.facts().text == "Grüße 😀"


def test_what_follows_the_terminal_event_waits_with_it():
    last = completed(message("x"))
    meter, passed = metered(CREATED, last + delta("late"), delta("later"))
    assert passed[1:] == [b"", b""]
    assert meter.close() == last + delta("late") + delta("later")


@given(st.lists(st.binary(max_size=30), max_size=6))
def test_a_meter_never_raises(pieces):
    meter, _ = metered(*pieces)
    meter.close()
    meter.facts()


def test_facts_of_a_whole_reply():
    body = json.dumps(response({"type": "reasoning", "summary": []}, message("hi"), usage=USAGE)).encode()
    facts = OPENAI_RESPONSES.read_facts(body)
    assert (facts.usage, facts.finished, facts.empty) == (Usage(input_tokens=3, output_tokens=2), True, False)
    assert OPENAI_RESPONSES.read_facts(json.dumps(response(message("hi"))).encode()).text == "hi"
    assert OPENAI_RESPONSES.read_facts(json.dumps(response({"type": "reasoning"})).encode()).empty
    assert not OPENAI_RESPONSES.read_facts(json.dumps(response(status="queued")).encode()).finished
    failed = OPENAI_RESPONSES.read_facts(b'{"status":"failed","error":{"code":"server_error","message":"x"}}')
    assert failed.failure.kind is ErrorKind.INTERNAL
    for odd in (b"[]", b"{", b'{"choices":[]}'):
        with pytest.raises(WireError):
            OPENAI_RESPONSES.read_facts(odd)


@given(st.binary(max_size=60))
def test_facts_of_any_bytes_are_facts_or_a_wire_error(body):
    for read in (OPENAI_RESPONSES.read_facts, lambda raw: OPENAI_RESPONSES.decode_error(500, (), raw)):
        try:
            read(body)
        except WireError:
            continue
