import pytest

from allgate.dialects.anthropic import hosted
from allgate.operations.chat.parts import Hosted, HostedResult, SearchHit
from dialects.anthropic.exchange import native


def use(name: str, **given) -> dict:
    return {"type": "server_tool_use", "id": "srvtoolu_1", "name": name, "input": given}


def outcome(kind: str, content, **members) -> HostedResult:
    block = {"type": f"{kind}_tool_result", "tool_use_id": "srvtoolu_1", "content": content, **members}
    return hosted.result_of(block, "anthropic", "acct")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("web_search", "web_search"), ("web_fetch", "web_fetch"), ("code_execution", "code_execution"),
        ("bash_code_execution", "code_execution"), ("text_editor_code_execution", "code_execution"),
        ("tool_search_tool_regex", "tool_search"), ("tool_search_tool_bm25", "tool_search"), ("advisor", "other"),
    ],
)  # fmt: skip
def test_names_tell_the_kind(name, kind):
    part = hosted.use_part(use(name, query="q"))
    assert (part.tool, part.name, part.status) == (kind, name, "in_progress")
    assert part.queries == (("q",) if kind == "web_search" else ())


def test_an_mcp_call_keeps_its_server():
    block = {
        "type": "mcp_tool_use",
        "id": "mcptoolu_1",
        "name": "ask",
        "server_name": "wiki",
        "input": {"a": 1},
    }
    part = hosted.use_part(block)
    assert (part.tool, part.input) == ("mcp", '{"a":1}')
    assert hosted.own_use(part) == block


def test_search_hits_carry_their_seals():
    hit = {
        "type": "web_search_result",
        "url": "u",
        "title": "t",
        "encrypted_content": "ZQ==",
        "page_age": "1 day",
    }
    assert outcome("web_search", [hit]).hits == (
        SearchHit(url="u", title="t", age="1 day", seal=native("ZQ==", "encrypted", "acct")),
    )


def test_code_fetch_search_and_mcp_results_are_read():
    code = outcome("bash_code_execution", {"stdout": "1", "stderr": "w", "return_code": 0, "content": []})
    assert (code.stdout, code.stderr, code.exit_code) == ("1", "w", 0)
    page = {
        "url": "u",
        "retrieved_at": "now",
        "content": {"title": "t", "source": {"type": "text", "data": "body"}},
    }
    assert outcome("web_fetch", page).hits == (SearchHit(url="u", title="t", snippet="body", age="now"),)
    assert (
        outcome("tool_search", {"tool_references": [{"tool_name": "a"}, {"tool_name": "b"}]}).text == "a, b"
    )
    assert outcome("mcp", [{"type": "text", "text": "x"}]).text == "x"


@pytest.mark.parametrize(
    ("kind", "content", "members", "error"),
    [
        (
            "web_search",
            {"type": "web_search_tool_result_error", "error_code": "max_uses_exceeded"},
            {},
            "max_uses_exceeded",
        ),
        ("mcp", [{"type": "text", "text": "no"}], {"is_error": True}, "no"),
        ("mcp", [], {"is_error": True}, "error"),
    ],
)
def test_errors_are_read(kind, content, members, error):
    assert outcome(kind, content, **members).error == error


def test_a_result_keeps_its_raw_block():
    raw = outcome("web_search", []).raw
    assert hosted.own_result(Hosted(call_id="c", tool="web_search", result=HostedResult(raw=raw))) == raw


def test_a_result_without_its_call_is_written_alone():
    block = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_9", "content": []}
    part = hosted.result_part(block, hosted.result_of(block, "anthropic", ""))
    assert (part.call_id, part.tool) == ("srvtoolu_9", "web_search")
    assert hosted.own_use(part) is None
    assert hosted.own_result(part) == block
    assert hosted.is_own(part)
