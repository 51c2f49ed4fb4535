from allgate.dialects.gemini import GEMINI
from allgate.dialects.gemini.signatures import NO_SIGNATURE, for_client, unsealed
from allgate.operations.chat.parts import (
    FileRef,
    Hosted,
    Inline,
    Media,
    Opaque,
    Seal,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Url,
)
from dialects.gemini.exchange import BOX, decoded, model_parts

SIGNED = {"thoughtSignature": "c2ln"}
NATIVE = (Seal(origin="gemini", scope="client-declared", form="thought", value="c2ln"),)
CALL = {"functionCall": {"name": "f", "args": {"b": 1, "a": 9007199254740993}}}


def results(*responses: dict, calls: int = 1, ids: bool = False):
    """The tool turn that answers `calls` calls of `f`."""
    asked = [
        {"functionCall": {"name": "f", "args": {"n": n}, **({"id": f"id{n}"} if ids else {})}}
        for n in range(calls)
    ]
    contents = [
        {"role": "user", "parts": [{"text": "hi"}]},
        {"role": "model", "parts": asked},
        {"role": "user", "parts": [{"functionResponse": response} for response in responses]},
    ]
    request = decoded(contents=contents)
    return [part for part in request.turns[2].parts if isinstance(part, ToolResult)], request


def test_a_call_keeps_the_order_of_its_arguments_and_large_numbers():
    (call,) = model_parts(CALL)
    assert isinstance(call, ToolCall)
    assert call.input == '{"b":1,"a":9007199254740993}'
    assert call.call_id.startswith("call_")


def test_calls_without_ids_get_the_same_ids_on_every_retry_and_different_ones_each():
    first, second = model_parts(CALL, CALL)
    assert first.call_id != second.call_id
    assert model_parts(CALL, CALL) == (first, second)


def test_responses_without_ids_are_matched_by_name_and_order():
    found, request = results(
        {"name": "f", "response": {"output": "one"}}, {"name": "f", "response": {"output": "two"}}, calls=2
    )
    calls = [part.call_id for part in request.turns[1].parts]
    assert [(part.call_id, part.parts[0].text) for part in found] == [(calls[0], "one"), (calls[1], "two")]


def test_regression_28_a_missing_response_becomes_an_error_result():
    found, _ = results({"id": "id1", "name": "f", "response": {"output": "two"}}, calls=2, ids=True)
    assert [(part.call_id, part.is_error) for part in found] == [("id0", True), ("id1", False)]


def test_regression_29_a_response_object_is_kept_whole_and_reads_as_text():
    found, _ = results({"name": "f", "response": {"ok": True, "rows": [1, 2]}})
    assert found[0].structured == {"ok": True, "rows": [1, 2]}
    assert found[0].parts == (Text(text='{"ok":true,"rows":[1,2]}'),)


def test_the_only_text_of_a_response_is_its_text():
    for key in ("output", "result", "content"):
        assert results({"name": "f", "response": {key: "plain"}})[0][0].parts == (Text(text="plain"),)
    error = results({"name": "f", "response": {"error": "boom"}})[0][0]
    assert (error.parts, error.is_error) == ((Text(text="boom"),), True)


def test_media_inside_a_response_belong_to_the_result():
    inside = {"inlineData": {"mimeType": "image/png", "data": "iVBORw=="}}
    found, _ = results({"name": "f", "response": {"output": "see"}, "parts": [inside]})
    assert found[0].parts == (
        Text(text="see"),
        Media(kind="image", source=Inline(mime="image/png", base64="iVBORw==")),
    )


def test_seals_belong_to_exactly_their_part():
    thought, text, call = model_parts(
        {"text": "hm", "thought": True}, {"text": "so", **SIGNED}, {**CALL, **SIGNED}
    )
    assert isinstance(thought, Thinking)
    assert not thought.seals
    assert text == Text(text="so", seals=NATIVE)
    assert call.seals == NATIVE


def test_the_dummy_signature_is_no_seal():
    for dummy in ("skip_thought_signature_validator", NO_SIGNATURE):
        assert model_parts({**CALL, "thoughtSignature": dummy})[0].seals == ()


def test_pieces_of_one_text_are_put_together_unless_one_is_signed():
    """A chat session that recorded a stream sends every chunk as a part of its own."""
    parts = model_parts(
        {"text": "a"}, {"text": "b"}, {"text": "c", **SIGNED}, {"text": "d"}, {"text": "", **SIGNED}
    )
    assert [(part.text, bool(part.seals)) for part in parts] == [
        ("ab", False),
        ("c", True),
        ("d", False),
        ("", True),
    ]


def test_a_stream_that_a_chat_session_recorded_is_one_turn():
    """Python's chats send back every chunk as a content of its own, the last one with an empty text."""
    seal = Seal(origin="anthropic", scope="a", form="signature", value="v")
    chunks = [
        {"text": "hm", "thought": True},
        {"text": "one, ", "thoughtSignature": for_client(seal, BOX)},
        {"text": "two"},
        {"text": ", three"},
        CALL,
        {"text": ""},
    ]
    contents = [
        {"role": "user", "parts": [{"text": "hi"}]},
        *({"role": "model", "parts": [chunk]} for chunk in chunks),
    ]
    _, turn = decoded(contents=contents).turns
    thought, text, call = turn.parts
    assert (thought.text, thought.seals, text.text, call.name) == ("hm", (seal,), "one, two, three", "f")


def test_a_foreign_thought_seal_returns_from_the_part_it_rode_on():
    """Gemini CLI drops thoughts and keeps calls: the seal must not be lost with the thought."""
    seal = Seal(origin="openai", scope="openai/main", form="encrypted", value="gAAA")
    carried = {**CALL, "thoughtSignature": for_client(seal, BOX)}
    hidden, call = model_parts(carried)
    assert hidden == Thinking(form="hidden", seals=(seal,))
    assert call.seals == ()
    shown, call = model_parts({"text": "hm", "thought": True}, carried)
    assert (shown.text, shown.seals, call.seals) == ("hm", (seal,), ())


def test_our_mark_on_an_unsigned_call_gives_the_thinking_before_it_back_and_nothing_else():
    marked = {**CALL, "thoughtSignature": for_client(unsealed("hm"), BOX)}
    thought, call = model_parts(marked)
    assert (thought, call.seals) == (Thinking(text="hm"), ())
    shown, call = model_parts({"text": "hm, shown", "thought": True}, marked)
    assert (shown.text, shown.seals, call.seals) == ("hm, shown", (), ())
    (call,) = model_parts({**CALL, "thoughtSignature": for_client(unsealed(""), BOX)})
    assert call.seals == ()


def test_an_envelope_of_a_gemini_seal_stays_on_its_part():
    seal = Seal(origin="gemini", scope="gemini/a", form="thought", value="not base64!")
    (call,) = model_parts({**CALL, "thoughtSignature": for_client(seal, BOX)})
    assert call.seals == (seal,)


def test_media_by_kind_and_place():
    parts = [
        {
            "inlineData": {"mimeType": "audio/wav", "data": "_-8"},
            "mediaResolution": {"level": "MEDIA_RESOLUTION_ULTRA_HIGH"},
        },
        {
            "fileData": {"fileUri": "https://www.youtube.com/watch?v=x"},
            "videoMetadata": {"startOffset": "1s", "fps": 2},
        },
        {"fileData": {"fileUri": "gs://bucket/a.pdf"}},
        {"file_data": {"mime_type": "image/png", "file_uri": "https://example.com/a"}},
        {
            "fileData": {
                "fileUri": "https://generativelanguage.googleapis.com/v1beta/files/abc",
                "mimeType": "text/plain",
            }
        },
    ]
    audio, video, paper, picture, file = decoded(contents=[{"parts": parts}]).turns[0].parts
    assert (audio.kind, audio.source, audio.detail) == (
        "audio",
        Inline(mime="audio/wav", base64="/+8="),
        "original",
    )
    assert (video.kind, video.source, video.clip.start, video.clip.fps) == (
        "video",
        Url(url="https://www.youtube.com/watch?v=x"),
        "1s",
        2,
    )
    assert (paper.kind, paper.source) == ("document", FileRef(origin="gemini", ref="gs://bucket/a.pdf"))
    assert (picture.kind, picture.source) == ("image", Url(url="https://example.com/a", mime="image/png"))
    assert (file.kind, file.source.origin) == ("document", "gemini")


def test_hosted_calls_are_joined_with_their_results():
    parts = model_parts(
        {"executableCode": {"language": "PYTHON", "code": "print(1)"}, **SIGNED},
        {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1\n"}},
        {"toolCall": {"id": "t", "toolType": "GOOGLE_SEARCH_WEB", "args": {"queries": ["a", "b"]}}},
        {"toolResponse": {"id": "t", "tool_type": "GOOGLE_SEARCH_WEB", "response": {}}, **SIGNED},
    )
    code, search = parts
    assert isinstance(code, Hosted)
    assert isinstance(search, Hosted)
    assert (code.tool, code.input, code.result.stdout, code.seals) == (
        "code_execution",
        "print(1)",
        "1\n",
        NATIVE,
    )
    assert (search.tool, search.queries, search.seals) == ("web_search", ("a", "b"), NATIVE)
    assert search.result.raw["toolType"] == "GOOGLE_SEARCH_WEB"


def test_what_has_no_word_is_kept_whole():
    (part,) = model_parts({"brandNew": {"x": 1}})
    assert part == Opaque(dialect="gemini", raw={"brandNew": {"x": 1}})


def test_a_thought_picture_is_no_picture_of_the_answer():
    (part,) = model_parts({"inlineData": {"mimeType": "image/png", "data": "iVBORw=="}, "thought": True})
    assert isinstance(part, Opaque)


def test_a_user_text_beside_responses_follows_them():
    request = decoded(
        contents=[
            {"role": "user", "parts": [{"text": "hi"}]},
            {"role": "model", "parts": [CALL]},
            {
                "role": "user",
                "parts": [{"text": "and also"}, {"functionResponse": {"name": "f", "response": {}}}],
            },
        ]
    )
    assert [turn.role for turn in request.turns] == ["user", "assistant", "tool", "user"]
    assert GEMINI.name == request.dialect
