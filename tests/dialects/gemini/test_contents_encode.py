import json

import pytest

from allgate.core.errors import ErrorKind, WireError
from allgate.core.value import changed
from allgate.dialects.gemini import GEMINI
from allgate.dialects.gemini.contents_encode import BEGIN, CONTINUE
from allgate.dialects.gemini.signatures import NO_SIGNATURE
from allgate.operations.chat.parts import (
    Annotation,
    FileRef,
    Hosted,
    HostedResult,
    Inline,
    Media,
    Opaque,
    Refusal,
    Seal,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Url,
)
from allgate.operations.chat.request import ChatRequest, Turn
from dialects.gemini.exchange import CAPS, REQUEST, USER, encoded, notes_of

FOREIGN = changed(REQUEST, dialect="anthropic", extra={})
PNG = Media(kind="image", source=Inline(mime="image/png", base64="iVBORw=="))
OWN_SEAL = Seal(origin="gemini", scope="", form="thought", value="c2ln")
NEXT_SEAL = Seal(origin="gemini", scope="", form="thought", value="dHdv")
OTHER_SEAL = Seal(origin="anthropic", scope="x", form="signature", value="y")


def call(call_id: str, text: str = "{}", **more) -> ToolCall:
    return ToolCall(call_id=call_id, name="f", input=text, **more)


def result(call_id: str, *parts, **more) -> ToolResult:
    return ToolResult(call_id=call_id, name="f", parts=parts or (Text(text="done"),), **more)


def talk(*turns: Turn) -> ChatRequest:
    return changed(FOREIGN, turns=turns)


def said(role: str, *parts) -> Turn:
    return Turn(role=role, parts=parts)


def contents(*turns: Turn, **narrowed) -> list[dict]:
    return encoded(talk(*turns), **narrowed)["contents"]


def test_neighbours_of_one_role_are_merged():
    found = contents(
        USER,
        said("user", Text(text="there")),
        said("assistant", Text(text="a")),
        said("assistant", Text(text="b")),
        USER,
    )
    assert [(content["role"], len(content["parts"])) for content in found] == [
        ("user", 2),
        ("model", 2),
        ("user", 1),
    ]


def test_regression_14_responses_stand_in_a_content_of_their_own_behind_their_calls():
    found = contents(
        USER,
        said("assistant", call("a"), call("b")),
        said("tool", result("a"), result("b")),
        said("user", Text(text="go on")),
    )
    assert [content["role"] for content in found] == ["user", "model", "user", "user"]
    assert [part["functionCall"]["id"] for part in found[1]["parts"]] == ["a", "b"]
    assert [part["functionResponse"]["id"] for part in found[2]["parts"]] == ["a", "b"]
    assert found[3]["parts"] == [{"text": "go on"}]


def test_regression_17_only_the_first_call_of_each_step_of_the_current_turn_gets_the_dummy():
    found = contents(
        USER,
        said("assistant", call("old")), said("tool", result("old")),
        said("user", Text(text="again")),
        said("assistant", call("a"), call("b")), said("tool", result("a"), result("b")),
        said("assistant", call("c")), said("tool", result("c")),
    )  # fmt: skip
    signatures = [
        part.get("thoughtSignature")
        for content in found
        for part in content["parts"]
        if "functionCall" in part
    ]
    assert signatures == [None, NO_SIGNATURE, None, NO_SIGNATURE]


def test_a_model_that_thinks_by_budget_gets_no_dummy():
    found = contents(USER, said("assistant", call("a")), said("tool", result("a")), thinking="budget")
    assert "thoughtSignature" not in found[1]["parts"][0]


def test_regressions_12_13_and_16_every_signature_returns_on_its_own_part_only():
    found = contents(
        USER,
        said("assistant", Text(text="I call"), call("a", seals=(OWN_SEAL,)), call("b")), said("tool", result("a"), result("b")),
        said("assistant", call("c", seals=(NEXT_SEAL,))), said("tool", result("c")),
    )  # fmt: skip
    assert [part.get("thoughtSignature") for part in found[1]["parts"]] == [None, "c2ln", None]
    assert found[3]["parts"][0]["thoughtSignature"] == "dHdv"


def test_a_thought_is_replayed_only_with_its_own_signature():
    mine, other = Thinking(text="mm", seals=(OWN_SEAL,)), Thinking(text="no", seals=(OTHER_SEAL,))
    request = talk(USER, said("assistant", mine, other, Thinking(text="plain"), Text(text="x")), USER)
    assert encoded(request)["contents"][1]["parts"] == [
        {"text": "mm", "thought": True, "thoughtSignature": "c2ln"},
        {"text": "x"},
    ]
    assert {"thinking", "signature"} <= notes_of(request)


def test_arguments_go_out_as_the_model_wrote_them():
    request = talk(
        USER, said("assistant", call("a", '{"z": 9007199254740993, "a": 1.0}')), said("tool", result("a"))
    )
    assert b'"args":{"z": 9007199254740993, "a": 1.0}' in GEMINI.encode_request(request, "up", CAPS).body


@pytest.mark.parametrize(
    ("text", "args"),
    [
        ("", {}),
        ("[1]", {"value": [1]}),
        ('"x"', {"value": "x"}),
        ('{"a": ', {"_raw": '{"a": '}),
        ('{"a":\n1}', {"a": 1}),
    ],
)
def test_arguments_that_are_no_object_become_one(text, args):
    found = contents(USER, said("assistant", call("a", text)), said("tool", result("a")))
    assert found[1]["parts"][0]["functionCall"]["args"] == args


def test_a_custom_call_is_wrapped():
    found = contents(
        USER, said("assistant", call("a", "*** Begin", input_kind="text")), said("tool", result("a"))
    )
    assert found[1]["parts"][0]["functionCall"]["args"] == {"input": "*** Begin"}


@pytest.mark.parametrize(
    ("given", "response"),
    [
        (result("a", Text(text="plain")), {"result": "plain"}),
        (result("a", Text(text='{"x": 1}')), {"x": 1}),
        (result("a", Text(text="{broken")), {"result": "{broken"}),
        (result("a", Text(text="boom"), is_error=True), {"error": "boom"}),
        (result("a", Text(text="t"), structured={"whole": [1]}), {"whole": [1]}),
    ],
)
def test_results_become_objects(given, response):
    found = contents(USER, said("assistant", call("a")), said("tool", given))
    assert found[2]["parts"][0]["functionResponse"]["response"] == response


def test_pictures_of_a_result_go_inside_or_behind():
    turns = (USER, said("assistant", call("a")), said("tool", result("a", Text(text="t"), PNG)))
    inside = contents(*turns)[2]["parts"][0]["functionResponse"]
    assert inside["parts"] == [{"inlineData": {"mimeType": "image/png", "data": "iVBORw=="}}]
    behind = contents(*turns, tool_images=False)
    assert "parts" not in behind[2]["parts"][0]["functionResponse"]
    assert behind[3]["parts"][1] == {"inlineData": {"mimeType": "image/png", "data": "iVBORw=="}}


def test_ids_are_left_out_for_models_that_refuse_them():
    found = contents(USER, said("assistant", call("a")), said("tool", result("a")), call_ids=False)
    assert "id" not in found[1]["parts"][0]["functionCall"]
    assert "id" not in found[2]["parts"][0]["functionResponse"]


def test_a_late_system_message_becomes_a_reminder_in_its_place():
    request = talk(
        USER,
        said("assistant", Text(text="a")),
        said("system", Text(text="be careful")),
        said("user", Text(text="b")),
    )
    last = encoded(request)["contents"][-1]
    assert last["parts"] == [{"text": "<system-reminder>\nbe careful\n</system-reminder>"}, {"text": "b"}]
    assert "messages[].role" in notes_of(request)


def test_a_history_begins_and_ends_with_the_user():
    found = contents(said("assistant", Text(text="a")), USER, said("assistant", Text(text="and")))
    assert (found[0]["parts"], found[-1]["parts"]) == ([{"text": BEGIN}], [{"text": CONTINUE}])
    assert contents(USER, said("assistant", Text(text="and")), prefill=True)[-1]["role"] == "model"


def test_a_request_without_a_user_message_is_refused():
    with pytest.raises(WireError, match="at least one user message"):
        encoded(changed(FOREIGN, turns=(), system=(Text(text="s"),)))


def test_an_empty_user_message_is_not_an_empty_part():
    assert contents(said("user"))[0]["parts"] == [{"text": "(empty message)"}]


@pytest.mark.parametrize(
    ("media", "narrowed", "words"),
    [
        (PNG, {"image_mimes": ()}, "no image input"),
        (changed(PNG, source=Inline(mime="image/tiff", base64="")), {}, "not image/tiff"),
        (changed(PNG, source=Url(url="https://e.x/a.png")), {}, "by URL"),
        (changed(PNG, source=FileRef(origin="openai", ref="file-1")), {}, "lives at openai"),
    ],
)
def test_media_that_a_model_cannot_take_are_refused(media, narrowed, words):
    with pytest.raises(WireError, match=words) as caught:
        encoded(talk(said("user", media)), **narrowed)
    assert caught.value.failure.kind is ErrorKind.UNSUPPORTED


def test_media_by_url_where_the_model_fetches_itself():
    video = Media(kind="video", source=Url(url="https://youtu.be/x"))
    assert contents(said("user", video))[0]["parts"] == [{"fileData": {"fileUri": "https://youtu.be/x"}}]
    picture = changed(PNG, source=Url(url="https://e.x/a.png", mime="image/png"))
    assert (
        contents(said("user", picture), image_url=True)[0]["parts"][0]["fileData"]["mimeType"] == "image/png"
    )


def test_detail_becomes_the_resolution_of_the_part():
    (part,) = contents(said("user", changed(PNG, detail="original")))[0]["parts"]
    assert part["mediaResolution"] == {"level": "MEDIA_RESOLUTION_ULTRA_HIGH"}


def test_a_text_file_is_read_to_a_model_that_takes_only_pdf():
    text = Media(kind="document", title="a.txt", source=Inline(mime="text/plain", base64="aGVsbG8="))
    assert contents(said("user", text))[0]["parts"] == [{"text": "[a.txt]\nhello"}]


def test_what_only_another_vendor_understands_is_dropped_with_a_note():
    search = Hosted(call_id="h", tool="web_search", result=HostedResult(raw=[], raw_dialect="anthropic"))
    request = talk(
        USER, said("assistant", search, Opaque(dialect="anthropic", raw={}), Refusal(text="no"), Text(text="x", annotations=(Annotation(kind="url"),))), USER
    )  # fmt: skip
    assert encoded(request)["contents"][1]["parts"] == [{"text": "no"}, {"text": "x"}]
    assert {"messages[].web_search", "messages[].content"} <= notes_of(request)


def test_equal_histories_give_equal_bytes_and_longer_ones_the_same_beginning():
    """So that a provider's prefix cache keeps hitting."""
    turns = (USER, said("assistant", call("a", '{"x": 1}')), said("tool", result("a")))
    longer = (*turns, said("assistant", call("b")), said("tool", result("b")))
    one, two = (json.dumps(contents(*given))[:-1] for given in (turns, longer))
    assert two.startswith(one)
