import pytest

from allgate.dialects.anthropic import hosted, hosted_shown
from allgate.operations.chat.parts import Hosted, HostedResult, SearchHit
from dialects.anthropic.exchange import BOX, other_seal


def shown(tool, result: HostedResult | None, **members):
    return hosted_shown.shown(Hosted(call_id="ws-1", tool=tool, result=result, **members), BOX)


def test_a_foreign_search_is_told_with_its_hits():
    hits = (SearchHit(url="u", title="t", seal=other_seal()), SearchHit(url="v"))
    used, found = shown("web_search", HostedResult(hits=hits), input='{"query":"q"}')
    assert (used["id"], used["input"]) == ("srvtoolu_allgate_ws_1", {"query": "q"})
    first, second = found["content"]
    assert BOX.unwrap(first["encrypted_content"]).seal == other_seal()
    assert (second["title"], second["encrypted_content"]) == ("v", "")


@pytest.mark.parametrize(
    ("tool", "result", "kind"),
    [
        ("web_search", None, None),
        ("web_search", HostedResult(error="x"), "web_search_tool_result_error"),
        ("web_fetch", HostedResult(hits=(SearchHit(url="u", snippet="s"),)), "web_fetch_result"),
        ("web_fetch", HostedResult(), "web_fetch_tool_result_error"),
        ("code_execution", HostedResult(stdout="1"), "code_execution_result"),
        ("code_execution", None, "code_execution_tool_result_error"),
    ],
)
def test_every_outcome_of_a_foreign_call_has_a_shape(tool, result, kind):
    _, block = shown(tool, result)
    assert block["type"] == f"{tool}_tool_result"
    assert (block["content"]["type"] if isinstance(block["content"], dict) else None) == kind


def test_a_foreign_mcp_call_and_those_without_a_shape():
    used, told = shown("mcp", HostedResult(text="42"), name="ask")
    assert (used["type"], told["content"]) == ("mcp_tool_use", [{"type": "text", "text": "42"}])
    assert shown("file_search", HostedResult()) == []


def test_a_foreign_call_that_came_back_is_known_by_its_id():
    used, found = shown("web_search", HostedResult(hits=(SearchHit(url="u"),)))
    part = hosted.joined(hosted.use_part(used), hosted.result_of(found, "anthropic", ""))
    assert not hosted.is_own(part)
