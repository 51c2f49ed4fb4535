"""Tools that the provider runs: every spelling of every client, in the words of every vendor, and what they found, told back.

Behind the gateway stands the strict stand-in of each vendor. A search cites one page for two words of an answer whose
characters are longer than a byte, so a place that is counted in the wrong unit is a wrong place.
"""

from itertools import product
from typing import Any

import pytest

from stand import Reply, Stand, Vendor, stand

CLIENTS = ("openai_chat", "openai_responses", "anthropic", "gemini")
TEXT = "Die Brücke — 花火 — steht. Ende."
CITED = "花火 — steht"
SCENE = f"text='{TEXT}' cited='{CITED}' annotations=1"
PAGE = "https://example.com/source/0"
START, END = TEXT.index(CITED), TEXT.index(CITED) + len(CITED)
WORDS = "What is new?"
PRICE = '{ input = "3", output = "15", web_search = "0.01", code_execution = "0.03" }'

SEARCHES: dict[str, dict[str, dict[str, Any]]] = {
    "openai_chat": {
        "web_search_options": {"web_search_options": {}},
        "web_search_options low": {"web_search_options": {"search_context_size": "low"}},
        "web_search_options medium": {"web_search_options": {"search_context_size": "medium"}},
        "web_search_options high": {"web_search_options": {"search_context_size": "high"}},
        "web_search_preview": {"tools": [{"type": "web_search_preview"}]},
        "web_search": {"tools": [{"type": "web_search", "search_context_size": "low"}]},
        "googleSearch": {"tools": [{"type": "function", "function": {"name": "googleSearch"}}]},
        "googleSearch alone": {"tools": [{"googleSearch": {}}]},
        "google_search alone": {"tools": [{"google_search": {}}]},
        "Anthropic's": {"tools": [{"type": "web_search_20250305", "name": "web_search", "max_uses": 5}]},
    },
    "openai_responses": {
        "web_search": {"tools": [{"type": "web_search"}]},
        "web_search low": {"tools": [{"type": "web_search", "search_context_size": "low"}]},
        "web_search high": {"tools": [{"type": "web_search", "search_context_size": "high"}]},
        "web_search_preview": {"tools": [{"type": "web_search_preview", "search_context_size": "medium"}]},
        "web_search_preview_2025_03_11": {"tools": [{"type": "web_search_preview_2025_03_11"}]},
        "web_search_2025_08_26": {"tools": [{"type": "web_search_2025_08_26"}]},
    },
    "anthropic": {
        "web_search_20250305": {"tools": [{"type": "web_search_20250305", "name": "web_search"}]},
        "1": {"tools": [{"type": "web_search_20250305", "name": "web_search", "max_uses": 1}]},
        "5": {"tools": [{"type": "web_search_20250305", "name": "web_search", "max_uses": 5}]},
        "10": {"tools": [{"type": "web_search_20250305", "name": "web_search", "max_uses": 10}]},
        "web_search_20260209": {
            "tools": [{"type": "web_search_20260209", "name": "web_search", "max_uses": 3}]
        },
    },
    "gemini": {
        "googleSearch": {"tools": [{"googleSearch": {}}]},
        "google_search": {"tools": [{"google_search": {}}]},
    },
}
SIZES = {"low": 1, "medium": 5, "high": 10}
OPTIONS = Vendor(
    "simulator",
    ["openai_chat"],
    own_caps="{ openai_chat = { hosted = ['web_search'], web_search_style = 'options' } }",
)
VENDORS = {
    "openai_chat": OPTIONS,
    **{name: Vendor("simulator", [name]) for name in ("openai_responses", "anthropic", "gemini")},
}


def size_of(said: dict[str, Any]) -> str | None:
    """How much a spelling asks for: a size, or what its uses come to."""
    tool = said.get("web_search_options") or (said.get("tools") or [{}])[0]
    if uses := tool.get("max_uses"):
        return "low" if uses <= 1 else "medium" if uses < 8 else "high"
    return tool.get("search_context_size")


def uses_of(said: dict[str, Any]) -> int | None:
    tool = (said.get("tools") or [{}])[0]
    return tool.get("max_uses") or SIZES.get(size_of(said) or "")


def wanted(upstream: str, said: dict[str, Any]) -> dict[str, Any]:
    """The search in the vendor's own words."""
    size, uses = size_of(said), uses_of(said)
    match upstream:
        case "openai_chat":
            return {"web_search_options": {"search_context_size": size} if size else {}}
        case "openai_responses":
            return {"tools": [{"type": "web_search"} | ({"search_context_size": size} if size else {})]}
        case "anthropic":
            tool = {"type": "web_search_20250305", "name": "web_search"}
            return {"tools": [tool | ({"max_uses": uses} if uses else {})]}
        case _:
            return {"tools": [{"googleSearch": {}}]}


def asks(client: str, said: dict[str, Any], *, stream: bool = False) -> tuple[str, dict[str, Any]]:
    match client:
        case "openai_chat":
            messages = [{"role": "user", "content": WORDS}]
            return "/v1/chat/completions", {"model": "m", "stream": stream, "messages": messages, **said}
        case "openai_responses":
            return "/v1/responses", {"model": "m", "stream": stream, "input": WORDS, **said}
        case "anthropic":
            messages = [{"role": "user", "content": WORDS}]
            body = {"model": "m", "stream": stream, "max_tokens": 999, "messages": messages, **said}
            return "/v1/messages", body
        case _:
            how = "streamGenerateContent?alt=sse" if stream else "generateContent"
            return f"/v1beta/models/m:{how}", {
                "contents": [{"role": "user", "parts": [{"text": WORDS}]}],
                **said,
            }


async def sent(s: Stand) -> dict[str, Any]:
    await s.settled()
    return s.sim.ledger.body(s.sim.ledger.last)


@pytest.mark.parametrize("client", CLIENTS)
async def test_a_search_reaches_every_vendor_in_its_own_words(client: str, subtests: pytest.Subtests) -> None:
    for upstream, (name, said) in product(CLIENTS, SEARCHES[client].items()):
        with subtests.test(upstream=upstream, spelling=name):
            async with stand({"m": ["sim-echo"]}, vendors=[VENDORS[upstream]], price=PRICE) as s:
                reply = await s.post(*asks(client, said))
                assert reply.status == 200, reply.body
                body = await sent(s)
                found = {key: body[key] for key in ("tools", "web_search_options") if key in body}
                own = client == upstream and (client != "openai_chat" or "web_search_options" in said)
                assert found == (said if own else wanted(upstream, said))


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("upstream", CLIENTS)
@pytest.mark.parametrize("client", CLIENTS)
async def test_what_was_cited_comes_back_in_the_clients_form(
    client: str, upstream: str, stream: bool
) -> None:
    (said, *_) = SEARCHES[client].values()
    async with stand({"m": ["sim-echo"]}, vendors=[VENDORS[upstream]], price=PRICE) as s:
        s.sim.script(SCENE)
        reply = await s.post(*asks(client, said, stream=stream))
        assert reply.status == 200, reply.body
        assert cited(reply, client, stream=stream) == (TEXT, [(PAGE, CITED)])


def cited(reply: Reply, client: str, *, stream: bool) -> tuple[str, list[tuple[str, str]]]:
    """The text of an answer, and (page, words cited for it) by the client's own rules."""
    match client:
        case "openai_chat":
            return _chat(reply, stream=stream)
        case "openai_responses":
            return _responses(reply, stream=stream)
        case "anthropic":
            return _messages(reply, stream=stream)
        case _:
            return _gemini(reply, stream=stream)


def _chat(reply: Reply, *, stream: bool) -> tuple[str, list[tuple[str, str]]]:
    if stream:
        deltas = [choice["delta"] for frame in reply.frames for choice in frame["choices"]]
        text = "".join(delta.get("content") or "" for delta in deltas)
        notes = [note for delta in deltas for note in delta.get("annotations") or ()]
    else:
        message = reply.json["choices"][0]["message"]
        text, notes = message["content"], message["annotations"]
    places = [note["url_citation"] for note in notes]
    return text, [(one["url"], text[one["start_index"] : one["end_index"]]) for one in places]


def _responses(reply: Reply, *, stream: bool) -> tuple[str, list[tuple[str, str]]]:
    body = reply.frames[-1]["response"] if stream else reply.json
    (message,) = (item for item in body["output"] if item["type"] == "message")
    found = []
    for part in message["content"]:
        found += [
            (one["url"], part["text"][one["start_index"] : one["end_index"]]) for one in part["annotations"]
        ]
    return "".join(part["text"] for part in message["content"]), found


def _messages(reply: Reply, *, stream: bool) -> tuple[str, list[tuple[str, str]]]:
    blocks = _blocks(reply.frames) if stream else reply.json["content"]
    texts = [block for block in blocks if block["type"] == "text"]
    found = [
        (
            one["url"],
            one["cited_text"] if stream else block["text"],
        )  # of a block that has left, the quote tells
        for block in texts
        for one in block.get("citations") or ()
    ]
    return "".join(block["text"] for block in texts), found


def _blocks(frames: list[dict[str, Any]]) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = []
    for frame in frames:
        if frame["type"] == "content_block_start":
            blocks.append(dict(frame["content_block"]))
        elif frame["type"] == "content_block_delta":
            delta = frame["delta"]
            if delta["type"] == "text_delta":
                blocks[-1]["text"] += delta["text"]
            elif delta["type"] == "citations_delta":
                blocks[-1]["citations"] = [*(blocks[-1].get("citations") or ()), delta["citation"]]
    return blocks


def _gemini(reply: Reply, *, stream: bool) -> tuple[str, list[tuple[str, str]]]:
    """Places are bytes of UTF-8 in the part of the given number."""
    chunks = reply.frames if stream else [reply.json]
    candidates = [chunk["candidates"][0] for chunk in chunks if chunk.get("candidates")]
    parts = [part for one in candidates for part in one.get("content", {}).get("parts") or ()]
    text = "".join(part["text"] for part in parts if "text" in part and not part.get("thought"))
    grounding = next(one["groundingMetadata"] for one in candidates if "groundingMetadata" in one)
    found = []
    for support in grounding["groundingSupports"]:
        segment = support["segment"]
        within = text if stream else parts[segment.get("partIndex", 0)]["text"]
        words = within.encode()[segment.get("startIndex", 0) : segment["endIndex"]].decode()
        pages = grounding["groundingChunks"]
        found += [(pages[number]["web"]["uri"], words) for number in support["groundingChunkIndices"]]
    return text, found


CODES: dict[str, dict[str, dict[str, Any]]] = {
    "openai_chat": {
        "codeExecution": {"tools": [{"type": "function", "function": {"name": "codeExecution"}}]},
        "codeExecution alone": {"tools": [{"codeExecution": {}}]},
        "code_interpreter": {"tools": [{"type": "code_interpreter", "container": {"type": "auto"}}]},
    },
    "openai_responses": {
        "code_interpreter": {"tools": [{"type": "code_interpreter", "container": {"type": "auto"}}]}
    },
    "anthropic": {
        "code_execution_20250825": {"tools": [{"type": "code_execution_20250825", "name": "code_execution"}]},
        "code_execution_20250522": {"tools": [{"type": "code_execution_20250522", "name": "code_execution"}]},
    },
    "gemini": {
        "codeExecution": {"tools": [{"codeExecution": {}}]},
        "code_execution": {"tools": [{"code_execution": {}}]},
    },
}
RUNS = {
    "openai_responses": {"tools": [{"type": "code_interpreter", "container": {"type": "auto"}}]},
    "anthropic": {"tools": [{"type": "code_execution_20250825", "name": "code_execution"}]},
    "gemini": {"tools": [{"codeExecution": {}}]},
}


@pytest.mark.parametrize("client", CLIENTS)
async def test_the_running_of_code_reaches_every_vendor_in_its_own_words(
    client: str, subtests: pytest.Subtests
) -> None:
    for upstream, (name, said), stream in product(RUNS, CODES[client].items(), (False, True)):
        with subtests.test(upstream=upstream, spelling=name, stream=stream):
            async with stand({"m": ["sim-echo"]}, vendors=[VENDORS[upstream]], price=PRICE) as s:
                reply = await s.post(*asks(client, said, stream=stream))
                assert reply.status == 200, reply.body
                body = await sent(s)
                assert body["tools"] == (said if client == upstream else RUNS[upstream])["tools"]
                assert ran(reply, client, stream=stream)
                assert s.rows[0].outcome == "ok"


def ran(reply: Reply, client: str, *, stream: bool) -> bool:
    """The code that was run is told where the client's format has a word for it; nobody is asked to run it."""
    body = reply.body.decode()
    assert '"tool_calls"' not in body.replace('"tool_calls":null', "").replace('"tool_calls":[]', "")
    assert '"function_call"' not in body
    assert '"functionCall"' not in body
    match client:
        case "openai_responses":
            output = (reply.frames[-1]["response"] if stream else reply.json)["output"]
            (call,) = (item for item in output if item["type"] == "code_interpreter_call")
            return "6 * 7" in call["code"]
        case "anthropic":
            assert '"type":"tool_use"' not in body
            return '"server_tool_use"' in body and ("6 * 7" in body or stream) and "42" in body
        case "gemini":
            return '"executableCode"' in body and "6 * 7" in body and '"output":"42' in body
        case _:
            return True  # chat has no word for it: the text tells


@pytest.mark.parametrize("client", CLIENTS)
async def test_a_model_that_has_none_is_a_400_that_names_those_that_have(client: str) -> None:
    """Every model of the catalogue that this key may use and that can do all of what was asked."""
    places = {
        "m": ["gpt-4o"],
        "finds": [(1, "sim-echo")],
        "finds too": [(2, "sim-echo")],
        "other": ["gpt-4o"],
    }
    vendors = [Vendor("simulator", ["openai_chat"]), VENDORS["anthropic"], VENDORS["gemini"]]
    (said, *_) = SEARCHES[client].values()
    async with stand(places, vendors=vendors, price=PRICE) as s:
        reply = await s.post(*asks(client, said))
        assert reply.status == 400
        message = reply.json["error"]["message"]
        assert "The model 'm' does not support web search." in message
        assert message.endswith("Models that can: finds, finds too.")
        assert not s.sim.ledger.lines
        assert not s.rows


async def test_no_model_is_named_that_lacks_something_else_of_the_request() -> None:
    vendors = [Vendor("simulator", ["openai_chat"]), VENDORS["anthropic"]]
    sound = [{"type": "input_audio", "input_audio": {"data": "", "format": "wav"}}]
    async with stand({"m": ["gpt-4o"], "finds": [(1, "sim-echo")]}, vendors=vendors, price=PRICE) as s:
        messages = [{"role": "user", "content": sound}]
        body = {"model": "m", "messages": messages, "web_search_options": {}}
        reply = await s.post("/v1/chat/completions", body)
        assert reply.status == 400
        assert reply.error["message"].endswith("No model that this key may use can do it.")


@pytest.mark.parametrize("client", ["openai_chat", "openai_responses", "anthropic"])
async def test_a_search_beside_functions_is_left_out_where_a_model_takes_one_of_them(client: str) -> None:
    """Gemini 2.5: the functions win, because the client waits for their calls; the note says so."""
    gemini = Vendor("gemini", own_caps="{ gemini = { tool_combo = false, call_ids = false } }")
    schema = {"type": "object", "properties": {}}
    function: dict[str, Any] = {
        "openai_chat": {"type": "function", "function": {"name": "f", "parameters": schema}},
        "openai_responses": {"type": "function", "name": "f", "parameters": schema},
        "anthropic": {"name": "f", "input_schema": schema},
    }[client]
    search = (
        {"type": "web_search_20250305", "name": "web_search"}
        if client == "anthropic"
        else {"type": "web_search"}
    )
    async with stand({"m": ["gemini-2.5-flash"]}, vendors=[gemini], price=PRICE) as s:
        reply = await s.post(*asks(client, {"tools": [function, search]}))
        assert reply.status == 200, reply.body
        assert [list(tool) for tool in (await sent(s))["tools"]] == [["functionDeclarations"]]
        assert "dropped tools.googlesearch" in reply.headers["x-allgate-notes"]


async def test_of_two_dialects_of_a_vendor_the_one_that_searches_is_spoken() -> None:
    """Seed 000 §3.4 asks for `web_search_preview` on chat: OpenAI's Responses can, its chat cannot."""
    both = Vendor("openai", path="/v1")
    (said,) = (SEARCHES["openai_chat"]["web_search_preview"],)
    async with stand({"m": ["gpt-5.5"]}, vendors=[both], price=PRICE) as s:
        assert (await s.post(*asks("openai_chat", said))).status == 200
        assert (await s.chat("m")).status == 200
        await s.settled()
        assert [line.dialect for line in s.sim.ledger.lines] == ["openai_responses", "openai_chat"]


@pytest.mark.parametrize("upstream", ["openai_responses", "anthropic", "gemini"])
async def test_a_messages_client_sees_what_was_found_wherever(upstream: str) -> None:
    """A call of the provider's and its result: two blocks, neither of which the client is asked to run."""
    (said, *_) = SEARCHES["anthropic"].values()
    async with stand({"m": ["sim-echo"]}, vendors=[VENDORS[upstream]], price=PRICE) as s:
        blocks = (await s.post(*asks("anthropic", said))).json["content"]
        (use,) = (block for block in blocks if block["type"] == "server_tool_use")
        (result,) = (block for block in blocks if block["type"] == "web_search_tool_result")
        assert use["name"] == "web_search"
        assert result["tool_use_id"] == use["id"]
        assert [hit["url"] for hit in result["content"]] == [PAGE]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("client", CLIENTS)
async def test_a_search_is_charged_whoever_asked_and_whoever_ran_it(client: str, stream: bool) -> None:
    """Anthropic and Gemini count their searches, OpenAI's Responses shows them: each is one at its price."""
    (said, *_) = SEARCHES[client].values()
    for upstream in ("openai_responses", "anthropic", "gemini"):
        async with stand({"m": ["sim-echo"]}, vendors=[VENDORS[upstream]], price=PRICE) as s:
            s.sim.script("input=1000 output=100")
            assert (await s.post(*asks(client, said, stream=stream))).status == 200
            await s.settled()
            assert s.rows[0].usage.web_search_calls == 1
            assert s.rows[0].charged_nano_usd == 1000 * 3_000 + 100 * 15_000 + 10_000_000


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("client", ["openai_responses", "anthropic"])
async def test_a_session_of_code_at_openai_is_charged(client: str, stream: bool) -> None:
    (said, *_) = CODES[client].values()
    async with stand({"m": ["sim-echo"]}, vendors=[VENDORS["openai_responses"]], price=PRICE) as s:
        s.sim.script("input=1000 output=100")
        assert (await s.post(*asks(client, said, stream=stream))).status == 200
        await s.settled()
        assert s.rows[0].charged_nano_usd == 1000 * 3_000 + 100 * 15_000 + 30_000_000
