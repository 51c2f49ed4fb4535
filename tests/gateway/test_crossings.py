"""What the gateway itself must get right on every crossing of dialects: errors in band, framing, tokens counted."""

import json

import pytest

from stand import ASK, WORDS, Reply, stand

# Content has left by this frame in every dialect; what the simulator's vendor says then.
ERROR_AT = {"openai_chat": 4, "openai_responses": 7, "anthropic": 5, "gemini": 2}


@pytest.mark.parametrize("upstream", ASK)
@pytest.mark.parametrize("client", ASK)
async def test_a_provider_that_fails_in_band_is_quoted_in_the_clients_dialect(
    upstream: str, client: str
) -> None:
    scene = f"sim-error_frame,error_at={ERROR_AT[upstream]}"
    async with stand({"m": [scene]}, dialects=[upstream]) as s:
        reply = await s.post(*ASK[client])
        await s.settled()
        assert reply.status == 200
        message = in_band_message(reply, client)
        assert message
        assert "broke off" not in message
        assert [(row.outcome, row.charged_nano_usd > 0) for row in s.rows] == [("cut", True)]


def in_band_message(reply: Reply, client: str) -> str | None:
    """The message of the error in a stream, where the dialect puts it."""
    for frame in reply.frames:
        if client == "openai_responses" and frame.get("type") == "response.failed":
            return frame["response"]["error"]["message"]
        if client != "openai_responses" and frame.get("error"):
            return frame["error"]["message"]
    return None


async def test_a_gemini_client_without_alt_sse_gets_one_json_array() -> None:
    async with stand({"m": ["sim-echo"]}, dialects=["openai_chat"]) as s:
        path, body = ASK["gemini"]
        reply = await s.post(path.removesuffix("?alt=sse"), body)
        assert reply.headers["content-type"].startswith("application/json")
        chunks = json.loads(reply.body)
        text = "".join(
            part["text"] for chunk in chunks for part in chunk["candidates"][0]["content"]["parts"]
        )
        assert text == f"You said: {WORDS}"


@pytest.mark.parametrize(
    ("client", "prefix"), [("openai_chat", "chatcmpl-"), ("openai_responses", "resp_"), ("anthropic", "msg_")]
)
async def test_a_translated_answer_has_an_id_as_the_vendor_makes_them(client: str, prefix: str) -> None:
    async with stand({"m": ["sim-echo"]}, dialects=["gemini"]) as s:
        path, body = ASK[client]
        reply = await s.post(path, {**body, "stream": False})
        assert reply.json["id"] == prefix + reply.headers["x-request-id"].removeprefix("req_")
