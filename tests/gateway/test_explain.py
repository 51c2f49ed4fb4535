"""What an explanation shows is what then leaves: compared on the wire, between the gateway and the simulator."""

import asyncio
import json
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

import anthropic
import msgspec
import pytest

from allgate.routing.affinity import Home
from stand import ASK, KEY, Reply, Stand, Vendor, connection, serving, stand

DIALECTS = ("openai_chat", "openai_responses", "anthropic", "gemini")


class Tap:
    """A TCP line to the simulator that keeps what goes up."""

    def __init__(self) -> None:
        self.sent = b""
        self.port = 0

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self.port)

        async def up() -> None:
            while chunk := await reader.read(65_536):
                self.sent += chunk
                up_writer.write(chunk)
            up_writer.close()

        async def down() -> None:
            while chunk := await up_reader.read(65_536):
                writer.write(chunk)
            writer.close()

        await asyncio.gather(up(), down(), return_exceptions=True)

    def took(self) -> tuple[bytes, bytes]:
        """The head and the body of the one request that went up."""
        head, _, body = self.sent.partition(b"\r\n\r\n")
        self.sent = b""
        return head, body


@asynccontextmanager
async def tapped(
    models: dict[str, list], vendors: list[Vendor] | None = None, **options
) -> AsyncGenerator[tuple[Stand, Tap]]:
    """A stand whose first upstream is reached through a tap."""
    tap = Tap()
    server = await asyncio.start_server(tap.carry, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        async with stand(models, vendors=vendors, base_urls={0: url}, **options) as s:
            tap.port = s.sim.port
            yield s, tap
    finally:
        server.close()


def said_of(explained: bytes, place: int = 0) -> tuple[dict, bytes]:
    """A candidate's request, and its body as it stands in the explanation."""
    raw = msgspec.json.decode(explained, type=dict[str, msgspec.Raw])
    candidates = msgspec.json.decode(raw["candidates"], type=list[dict[str, msgspec.Raw]])
    request = msgspec.json.decode(candidates[place]["request"], type=dict[str, msgspec.Raw])
    return json.loads(bytes(candidates[place]["request"])), bytes(request["body"])


VENDORS = {
    "openai_chat": (Vendor("openai", ["openai_chat"], "/v1"), "gpt-4o"),
    "openai_responses": (Vendor("openai", ["openai_responses"], "/v1"), "gpt-4o"),
    "anthropic": (Vendor("anthropic"), "claude-sonnet-4-6"),
    "gemini": (Vendor("gemini"), "gemini-3-pro-preview"),
}
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
FUNCTION = {"name": "weather", "description": "Of a city: \u00e9\u6c34\U0001f30a", "parameters": SCHEMA}
RICH: dict[str, tuple[str, dict]] = {
    "openai_chat": (
        "/v1/chat/completions",
        {
            "model": "m",
            "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Paris?"}],
            "tools": [{"type": "function", "function": FUNCTION}],
            "max_tokens": 300,
            "seed": 7,
        },
    ),
    "openai_responses": (
        "/v1/responses",
        {
            "model": "m",
            "instructions": "Be brief.",
            "input": [{"role": "user", "content": [{"type": "input_text", "text": "Paris?"}]}],
            "tools": [{"type": "function", **FUNCTION}],
            "max_output_tokens": 300,
        },
    ),
    "openai_completions": (
        "/v1/completions",
        {"model": "m", "prompt": "Once upon a time", "max_tokens": 300, "echo": False},
    ),
    "anthropic": (
        "/v1/messages",
        {
            "model": "m",
            "system": "Be brief.",
            "max_tokens": 300,
            "messages": [{"role": "user", "content": "Paris?"}],
            "tools": [{"name": "weather", "description": "Of a city", "input_schema": SCHEMA}],
        },
    ),
    "gemini": (
        "/v1beta/models/m:generateContent",
        {
            "systemInstruction": {"parts": [{"text": "Be brief."}]},
            "contents": [{"role": "user", "parts": [{"text": "Paris?"}]}],
            "tools": [{"functionDeclarations": [FUNCTION]}],
            "generationConfig": {"maxOutputTokens": 300},
        },
    ),
}


@pytest.mark.parametrize("upstream", DIALECTS)
@pytest.mark.parametrize("client", RICH)
async def test_what_is_shown_is_what_leaves_byte_for_byte(client: str, upstream: str) -> None:
    vendor, model = VENDORS[upstream]
    async with tapped({"m": [model]}, [vendor]) as (s, tap):
        for path, body in (ASK.get(client, RICH[client]), RICH[client]):
            written = json.dumps(body, indent=1).encode()
            question = b'{"path":%b,"headers":{"X-Stainless-Lang":"python"},"body":%b}' % (
                json.dumps(path).encode(),
                written,
            )
            explained = await s.post("/v1/explain", question)
            by_itself = await s.post(path + ("&" if "?" in path else "?") + "explain=1", written)
            assert tap.sent == b""
            answered = await s.post(path, written, {"x-stainless-lang": "python"})
            assert answered.status == 200, answered.body
            head, sent = tap.took()
            for reply in (explained, by_itself):
                assert (reply.status, reply.json["would"]) == (200, "run")
                request, shown = said_of(reply.body)
                assert shown == sent
                assert request["body_sha256"] == sha256(sent).hexdigest()
                assert head.decode() == head_of(request)
                names = [name for name, _ in request["headers"]]
                assert len(set(names)) == len(names)  # two content-types are one that no server knows
                check_said(reply.json, answered, s)


def head_of(request: dict) -> str:
    url = urlsplit(request["url"])
    first = f"POST {url.path}{'?' if url.query else ''}{url.query} HTTP/1.1"
    fields = (f"{name}: {value}".replace("[redacted]", "sk-up-0") for name, value in request["headers"])
    return "\r\n".join((first, *fields))


def check_said(explanation: dict, answered: Reply, s: Stand) -> None:
    """What else was said came true: the way, the notes, the hold."""
    row, shown = s.rows[-1], explanation["candidates"][0]
    assert (shown["mode"] == "passed through") == row.passthrough
    assert row.hold_nano_usd == nano(explanation["money"]["hold"]["usd"])
    notes = answered.headers.get("x-allgate-notes", "")
    assert all(f"{note['kind']} {note['path']}".lower() in notes for note in shown["notes"])


def nano(usd: str) -> int:
    return int(Decimal(usd) * 1_000_000_000)


async def explained(s: Stand, body: dict, path: str = "/v1/chat/completions", **more: object) -> dict:
    reply = await s.post("/v1/explain", {"path": path, "body": body, **more})
    assert reply.status == 200, reply.body
    return reply.json


CHAT = {"model": "m", "messages": [{"role": "user", "content": "hello"}]}


async def test_an_sdk_asks_by_one_more_parameter() -> None:
    async with stand({"m": ["sim-echo"]}) as s:
        client = anthropic.AsyncAnthropic(base_url=s.gateway.url, api_key=KEY, max_retries=0)
        asked = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hello"}]}
        raw = await client.messages.with_raw_response.create(**asked, extra_query={"explain": "true"})
        await client.close()
        assert json.loads(await raw.text())["would"] == "run"
        assert not s.sim.ledger.lines


async def test_nothing_is_sent_held_charged_or_logged() -> None:
    async with stand({"m": ["sim-echo"]}) as s:
        before = s.gateway.state.ledger.available_nano_usd("test")
        await explained(s, CHAT)
        assert not s.sim.ledger.lines
        assert s.gateway.state.ledger.available_nano_usd("test") == before
        assert (s.rows, s.held) == ([], 0)


async def test_no_credential_of_the_operator_is_in_an_explanation() -> None:
    async with stand({"m": ["sim-echo", "sim-tools"]}) as s:
        reply = await s.post("/v1/explain", {"dialect": "openai_chat", "body": CHAT})
        assert b"sk-up" not in reply.body
        assert b"Bearer [redacted]" in reply.body


async def test_candidates_stand_in_their_order_with_the_reason() -> None:
    async with stand({"m": ["sim-echo", "sim-tools", "sim-think"]}, dialects=["anthropic"]) as s:
        shown = (await explained(s, CHAT))["candidates"]
        assert [(one["model"], one["order"], one["tried"]) for one in shown] == [
            ("sim-echo", "priority 0", True),
            ("sim-tools", "priority 1", True),
            ("sim-think", "priority 2", False),
        ]
        assert {one["mode_because"] for one in shown} == {"spoken to in another dialect"}
        assert {one["dialect_because"] for one in shown} == {
            f"sim{rank} is not spoken to in openai_chat" for rank in range(3)
        }


EQUALS = f"""
[server]
listen = "127.0.0.1:0"
[[upstreams]]
name = "a"
provider = "anthropic"
credentials = ["sk-ant-1"]
[[upstreams]]
name = "b"
provider = "anthropic"
credentials = ["sk-ant-2"]
[[models]]
name = "m"
deployments = [{{ upstream = "a", model = "x", weight = 1 }}, {{ upstream = "b", model = "x", weight = 3 }}]
price = {{ input = "3", output = "15" }}
[[accounts]]
name = "demo"
balance_usd = "10"
keys = [{{ name = "demo", secret = "{KEY}" }}]
"""


async def test_equals_are_drawn_by_weight_and_a_draw_can_be_had_again() -> None:
    async with serving(EQUALS) as running, connection(running.url) as line:

        async def ask(**more: object) -> dict:
            await line.send("/v1/explain", {"path": "/v1/chat/completions", "body": CHAT, **more})
            return (await line.read()).json

        for draw, best, weight in ((0.2, "a", 1), (0.3, "b", 3)):
            first, second = (await ask(draw=draw))["candidates"]
            assert (first["upstream"], second["order"][:25]) == (best, "priority 0, after the dra")
            assert first["order"] == f"priority 0, drawn among 2 equals by weight {weight} of 4"
        drawn = await ask()
        assert await ask(draw=drawn["draw"]) == drawn


async def test_seals_that_lead_home_are_named_as_the_reason() -> None:
    async with serving(EQUALS) as running, connection(running.url) as line:
        home = Home(upstream="a", model="x", credential="a#1")
        running.services.seal_homes.remember("demo", b'"signature":"' + SEAL + b'"', home)
        thought = {"type": "thinking", "thinking": "hm", "signature": SEAL.decode()}
        said = [
            {"role": "user", "content": "a"},
            {"role": "assistant", "content": [thought]},
            {"role": "user", "content": "b"},
        ]
        body = {"model": "m", "max_tokens": 99, "messages": said}
        await line.send("/v1/explain", {"path": "/v1/messages", "body": body, "draw": 0.9})
        best = (await line.read()).json["candidates"][0]
        assert (best["upstream"], best["order"].rpartition(": ")[2]) == (
            "a",
            "the sealed reasoning in the request was issued here",
        )


async def test_who_lacks_what_the_request_needs_is_left_out() -> None:
    body = {**CHAT, "tools": [{"type": "web_search_preview"}]}
    vendors = [Vendor("openai", ["openai_chat"], "/v1"), Vendor("openai", ["openai_responses"], "/v1")]
    price = '{ input = "3", output = "15", web_search = "0.01" }'
    async with stand({"m": ["gpt-4o", "gpt-4o"]}, vendors=vendors, price=price) as s:
        shown = await explained(s, body)
        assert [one["upstream"] for one in shown["candidates"]] == ["sim1"]
        assert shown["left_out"] == [
            {"upstream": "sim0", "model": "gpt-4o", "because": "it has no web_search"}
        ]


SEAL = b"EqQBCgIYAhIM" + b"x" * 200

RULES = """
rules = [
  { clear = ["seed"], why = "the model has no dice" },
  { refuse = ["temperature"], at_most = 1.0, why = "it boils" },
]"""


@pytest.mark.parametrize("upstream", ["openai_chat", "anthropic"])
async def test_rules_are_kept_in_an_explanation_as_on_the_way(upstream: str) -> None:
    price = '{ input = "3", output = "15" }' + RULES
    async with tapped({"m": ["sim-echo"]}, price=price, dialects=[upstream]) as (s, tap):
        body = {**CHAT, "seed": 7}
        shown = (await s.post("/v1/explain", {"path": "/v1/chat/completions", "body": body})).body
        assert (await s.post("/v1/chat/completions", body)).status == 200
        assert said_of(shown)[1] == tap.took()[1]
        candidate = json.loads(shown)["candidates"][0]
        assert "seed" not in candidate["request"]["body"]
        assert {"kind": "dropped", "path": "seed", "reason": "the model has no dice"} in candidate["notes"]
        assert candidate["mode"] == ("passed through" if upstream == "openai_chat" else "translated")


async def test_a_rule_that_refuses_is_named() -> None:
    price = '{ input = "3", output = "15" }' + RULES
    async with stand({"m": ["sim-echo"]}, price=price) as s:
        shown = await explained(s, {**CHAT, "temperature": 1.5})
        assert shown["candidates"] == []
        assert "it boils" in shown["left_out"][0]["because"]
        assert shown["reply"]["body"]["error"]["message"] == shown["left_out"][0]["because"]


async def test_what_would_be_refused_is_shown_as_its_client_would_read_it() -> None:
    async with stand({"m": ["sim-echo"]}) as s:
        body = {**CHAT, "model": "nobody", "max_tokens": 5}
        shown = await explained(s, body, "/v1/messages")
        assert shown["would"] == "be refused"
        told = await s.post("/v1/messages", body)
        assert shown["reply"]["status"] == told.status == 404
        assert shown["reply"]["body"]["error"] == told.json["error"]


async def test_the_arithmetic_adds_up() -> None:
    async with stand({"m": ["sim-echo"]}, balance_usd="0.01") as s:
        money = (await explained(s, {**CHAT, "max_tokens": 1_000, "n": 2}))["money"]
        hold, cost = money["hold"], money["if_answered_in_full"]
        assert [price["usd"] for price in money["prices"]["units"].values()] == ["3", "15"]
        assert hold["output_tokens_at_most"] == 2_000
        assert nano(hold["usd"]) == hold["input_tokens_at_most"] * 3_000 + 2_000 * 15_000
        assert nano(cost["usd"]) == sum(
            line["quantity"] * nano(line["price_usd"]) // line["per"] for line in cost["lines"]
        )
        assert (money["available_usd"], money["covered"]) == ("0.01", False)


async def test_what_only_the_balance_forbids_would_be_refused() -> None:
    async with stand({"m": ["sim-echo"]}, balance_usd="0.01") as s:
        shown = await explained(s, {**CHAT, "max_tokens": 1_000})
        assert (shown["would"], shown["reply"], shown["money"]["covered"]) == ("be refused", None, False)
        assert (await s.post("/v1/chat/completions", {**CHAT, "max_tokens": 1_000})).status == 429


async def test_what_cannot_be_said_to_a_candidate_is_shown_beside_it() -> None:
    async with stand({"m": ["sim-echo"]}, dialects=["anthropic"]) as s:
        body = {**CHAT, "messages": [{"role": "tool", "content": 7}]}
        shown = await explained(s, body)
        told = await s.post("/v1/chat/completions", body)
        assert (shown["would"], shown["reply"]["status"]) == ("be refused", told.status)
        assert (
            shown["candidates"][0]["error"]
            == told.error["message"]
            == shown["reply"]["body"]["error"]["message"]
        )
        assert shown["candidates"][0]["request"] is None


async def test_a_conversation_is_continued_in_an_explanation_too() -> None:
    async with stand({"m": ["sim-echo"]}, dialects=["anthropic"]) as s:
        first = await s.post("/v1/responses", {"model": "m", "input": "my name is Ada"})
        body = {"model": "m", "input": "what is it?", "previous_response_id": first.json["id"]}
        shown = await explained(s, body, "/v1/responses")
        assert "Ada" in json.dumps(shown["candidates"][0]["request"]["body"])


@pytest.mark.parametrize(
    ("question", "says"),
    [
        ({"body": CHAT}, "Send the 'path'"),
        ({"dialect": "gemini", "body": CHAT}, "Send the 'path'"),
        ({"path": "/v1/models", "body": {}}, "nothing to explain about /v1/models"),
        ({"path": "/v1/messages", "dialect": "openai_chat", "body": CHAT}, "in dialect 'openai_chat'"),
        ({"path": "/v1/messages", "body": CHAT, "draw": 1}, "'draw' must be"),
        ({"path": "/v1/messages", "body": CHAT, "key": "x"}, "unknown field"),
        ({"path": "/v1/messages", "body": CHAT, "headers": {"a": "b\r\nc: d"}}, "The header 'a'"),
    ],
)
async def test_a_question_that_cannot_be_read_is_a_400(question: dict, says: str) -> None:
    async with stand({"m": ["sim-echo"]}) as s:
        reply = await s.post("/v1/explain", question)
        assert reply.status == 400
        assert says in reply.error["message"]


async def test_an_operator_may_explain_nothing() -> None:
    settings = "drain_s = 0\n[explain]\nenabled = false"
    async with stand({"m": ["sim-echo"]}, settings=settings) as s:
        question = {"path": "/v1/chat/completions", "body": CHAT}
        assert (await s.post("/v1/explain", question)).status == 404
        assert (await s.post("/v1/chat/completions?explain=1", CHAT)).status == 404
        assert not s.sim.ledger.lines


PAGE = Path(__file__).parents[2] / "docs" / "explain.md"
OF_THE_PAGE = f"""
[server]
listen = "127.0.0.1:0"
[[upstreams]]
name = "anthropic-main"
provider = "anthropic"
credentials = ["sk-ant-1"]
[[models]]
name = "Claude-Sonnet-4.6"
deployments = [{{ upstream = "anthropic-main", model = "claude-sonnet-4-6" }}]
price = {{ input = "3", output = "15" }}
[[accounts]]
name = "demo"
balance_usd = "10"
keys = [{{ name = "demo", secret = "{KEY}" }}]
"""


async def test_the_example_of_the_page_is_what_the_gateway_says() -> None:
    question, answer = (
        json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE.read_text(), re.DOTALL)
    )
    async with serving(OF_THE_PAGE) as running, connection(running.url) as line:
        await line.send("/v1/explain", {**question, "draw": answer["draw"]})
        assert (await line.read()).json == answer


async def test_a_wrong_key_explains_nothing() -> None:
    async with stand({"m": ["sim-echo"]}) as s:
        for path, body in (
            ("/v1/explain", {"path": "/v1/messages", "headers": {"x-api-key": KEY}, "body": CHAT}),
            ("/v1/chat/completions?explain", CHAT),
        ):
            reply = await s.post(path, body, {"authorization": "Bearer wrong"})
            assert reply.status == 401
