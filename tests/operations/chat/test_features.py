"""What a request needs of a deployment, and what a deployment lacks."""

from allgate.operations.chat.caps import Caps
from allgate.operations.chat.features import features_of, missing_feature
from allgate.operations.chat.parts import Inline, Media, Text, ToolResult
from allgate.operations.chat.request import ChatRequest, Turn
from allgate.operations.chat.tools import Builtin, Custom


def request(*tools, turns=()) -> ChatRequest:
    return ChatRequest(dialect="x", model="m", turns=turns, tools=tools)


def test_a_hosted_tool_is_a_feature_and_a_missing_one_is_named():
    needed = features_of(request(Builtin(kind="web_search", runs="server")))
    assert missing_feature(needed, Caps()) == "web_search"
    assert missing_feature(needed, Caps(hosted=("web_search",))) is None


def test_an_optional_tool_is_no_reason_to_refuse():
    assert not features_of(request(Builtin(kind="web_search", runs="server", optional=True)))


def test_custom_tools_are_covered_where_functions_are():
    assert missing_feature(features_of(request(Custom(name="exec"))), Caps()) is None
    assert missing_feature(features_of(request(Custom(name="exec"))), Caps(tools=False)) == "custom_tools"


def test_media_counts_also_inside_a_tool_result():
    picture = Media(kind="image", source=Inline(mime="image/png", base64="AAAA"))
    result = ToolResult(call_id="1", parts=(Text(text="see"), picture))
    assert features_of(request(turns=(Turn(role="tool", parts=(result,)),))) == {"image_input"}
