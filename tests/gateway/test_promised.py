"""JSON where the vendor has no schemas: judged before a whole answer leaves and before a stream's end is told."""

import json

import pytest

from stand import Reply, Stand, Vendor, stand

CITY = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
RIGHT, WRONG = '{"city":"Paris"}', '{"town":"Paris"}'


def plain(dialect: str) -> Vendor:
    """A vendor without schemas."""
    return Vendor("simulator", [dialect], own_caps=f"{{ {dialect} = {{ json_schema = 'none' }} }}")


PLAIN = plain("openai_chat")

PROMPT = "Where is it? Answer in JSON."
ASKS = {
    "openai_chat": (
        "/v1/chat/completions",
        {
            "messages": [{"role": "user", "content": PROMPT}],
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "city", "strict": True, "schema": CITY},
            },
        },
    ),
    "openai_responses": (
        "/v1/responses",
        {
            "input": PROMPT,
            "text": {"format": {"type": "json_schema", "name": "city", "strict": True, "schema": CITY}},
        },
    ),
    "anthropic": (
        "/v1/messages",
        {
            "max_tokens": 99,
            "messages": [{"role": "user", "content": PROMPT}],
            "output_config": {"format": {"type": "json_schema", "schema": CITY}},
        },
    ),
    "gemini": (
        "/v1beta/models/m:generateContent",
        {
            "contents": [{"role": "user", "parts": [{"text": PROMPT}]}],
            "generationConfig": {"responseMimeType": "application/json", "responseJsonSchema": CITY},
        },
    ),
}
ENDS = {
    "openai_chat": b"[DONE]",
    "openai_responses": b"response.completed",
    "anthropic": b"message_stop",
    "gemini": b"finishReason",
}


async def ask(s: Stand, client: str, *, stream: bool = False) -> Reply:
    path, body = ASKS[client]
    if client == "gemini":
        how = "streamGenerateContent?alt=sse" if stream else "generateContent"
        return await s.post(f"/v1beta/models/m:{how}", body)
    return await s.post(path, {"model": "m", "stream": stream, **body})


def says(text: str) -> str:
    return f"text='{text}'"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("upstream", ["openai_chat", "openai_responses", "gemini"])
@pytest.mark.parametrize("client", ASKS)
async def test_an_answer_as_promised_arrives_in_every_dialect(
    client: str, upstream: str, stream: bool
) -> None:
    async with stand({"m": ["sim-echo"]}, vendors=[plain(upstream)]) as s:
        s.sim.script(says(f"```json\n{RIGHT}\n```"))
        reply = await ask(s, client, stream=stream)
        assert reply.status == 200, reply.body
        assert ENDS[client] in reply.body or not stream
        assert b"city" in reply.body or stream
        assert b"```" not in reply.body
        sent = json.dumps(s.sim.ledger.body(s.sim.ledger.last))
        assert "additionalProperties" in sent  # the schema, in words
        assert "asked for in words" in s.rows[-1].notes or "as an instruction" in s.rows[-1].notes


@pytest.mark.parametrize("client", ASKS)
async def test_a_wrong_answer_is_an_error_and_free(client: str) -> None:
    async with stand({"m": ["sim-echo"]}, vendors=[PLAIN]) as s:
        s.sim.script(says(WRONG))
        reply = await ask(s, client)
        assert reply.status == (529 if client == "anthropic" else 502)
        assert b"does not match the schema that was asked for, at its root" in reply.body
        assert b"town" not in reply.body
        assert [(row.outcome, row.charged_nano_usd) for row in s.rows] == [("failed", 0)]


@pytest.mark.parametrize("client", ASKS)
async def test_a_wrong_stream_ends_in_an_error_and_costs_what_was_delivered(client: str) -> None:
    async with stand({"m": ["sim-echo"]}, vendors=[PLAIN]) as s:
        s.sim.script(says(WRONG))
        reply = await ask(s, client, stream=True)
        await s.settled()
        assert b"does not match the schema" in reply.body
        assert ENDS[client] not in reply.body
        assert [(row.outcome, row.charged_nano_usd > 0) for row in s.rows] == [("cut", True)]


async def test_another_candidate_is_asked_before_a_wrong_answer_is_told() -> None:
    async with stand({"m": ["sim-echo", "sim-echo"]}, vendors=[PLAIN, PLAIN]) as s:
        s.sim.script(says(WRONG), says(RIGHT))
        reply = await ask(s, "openai_chat")
        assert (reply.status, reply.text) == (200, RIGHT)
        assert [row.attempts for row in s.rows] == [2]


async def test_a_vendor_with_schemas_is_taken_at_its_word() -> None:
    async with stand({"m": ["sim-echo"]}, dialects=["openai_chat"]) as s:
        s.sim.script(says(WRONG))
        assert (await ask(s, "openai_chat")).text == WRONG


@pytest.mark.parametrize("client", ["openai_chat", "openai_responses", "gemini"])
async def test_a_schema_that_is_none_is_a_400_and_nothing_is_sent(client: str) -> None:
    path, body = ASKS[client]
    broken = json.loads(json.dumps(body).replace('"string"', '"strin"'))
    async with stand({"m": ["sim-echo"]}, vendors=[PLAIN]) as s:
        reply = await s.post(path, {"model": "m", **broken} if client != "gemini" else broken)
        assert reply.status == 400
        assert b"not a JSON schema" in reply.body
        assert not s.sim.ledger.lines


async def test_a_hostile_schema_costs_the_loop_a_tenth_of_a_second_at_most() -> None:
    """Thirty lines that mean 2³⁰ comparisons, to which every answer is an error."""
    doubled = {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(30)}
    schema = {"$defs": {**doubled, "d30": {}}, "$ref": "#/$defs/d0"}
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    async with stand({"m": ["sim-echo"]}, vendors=[PLAIN]) as s:
        s.sim.script(says(RIGHT))
        reply = await s.chat("m", response_format=form)
        assert reply.status == 502
        assert "more than 20000 steps" in reply.error["message"]


async def test_an_answer_cut_at_its_limit_says_so_itself() -> None:
    async with stand({"m": ["sim-echo"]}, vendors=[PLAIN]) as s:
        s.sim.script(f"{says(RIGHT)} finish=length")
        reply = await ask(s, "openai_chat")
        assert (reply.status, reply.json["choices"][0]["finish_reason"]) == (200, "length")


async def test_a_json_object_is_one_where_the_vendor_has_no_switch_for_it() -> None:
    caps = "{ openai_chat = { json_object = false } }"
    async with stand({"m": ["sim-echo"]}, vendors=[Vendor("simulator", ["openai_chat"], own_caps=caps)]) as s:
        s.sim.script(says("[1]"), says(RIGHT))
        form = {"type": "json_object"}
        assert (await s.chat("m", response_format=form)).status == 502
        assert (await s.chat("m", response_format=form)).text == RIGHT


@pytest.mark.parametrize("stream", [False, True])
async def test_json_that_comes_through_a_tool_is_judged_too(stream: bool) -> None:
    """Claude without schemas: the answer is the input of a tool that it must call."""
    async with stand({"m": ["claude-3-7-sonnet"]}, vendors=[plain("anthropic")]) as s:
        reply = await ask(s, "openai_chat", stream=stream)
        assert (reply.status, list(json.loads(reply.text))) == (200, ["city"])
        s.sim.script(f"calls=1 arguments='{WRONG}'")
        reply = await ask(s, "openai_chat", stream=stream)
        await s.settled()
        assert reply.error is not None
        assert reply.error["code"] == "output_mismatch"
        assert s.sim.ledger.body(s.sim.ledger.last)["tool_choice"] == {"type": "tool", "name": "json_output"}
        assert [row.outcome for row in s.rows] == ["ok", "cut" if stream else "failed"]
