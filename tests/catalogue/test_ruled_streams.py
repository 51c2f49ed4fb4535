"""Rules and streams: what was changed is said in the headers, which leave first, and the bytes that pass stay the vendor's."""

import re

import pytest

from catalogue.spelled import DIALECTS, question
from stand import KEY, Reply, connection
from standing import House

# in the words of its own vendor each body is passed through, with one member edited; elsewhere it is translated
MODELS = (("Claude-Opus-4.7", ("anthropic",)), ("GPT-5.5", ("openai_chat", "openai_responses")))
VENDORS_ID = re.compile(rb"(?:msg_|chatcmpl-|resp_)sim\d")


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(("model", "own"), MODELS)
async def test_a_stream_says_what_its_rules_changed(
    families_house: House, model: str, own: tuple[str, ...], dialect: str
) -> None:
    reply = await _streamed(families_house, model, dialect)
    assert reply.status == 200, reply.body
    assert "dropped temperature" in reply.headers["x-allgate-notes"]
    assert (VENDORS_ID.search(reply.body) is not None) is (dialect in own)
    families_house.sim.wait_for(lambda line: line.done and line is families_house.sim.ledger.last)
    sent = families_house.sim.ledger.body(families_house.sim.ledger.last)
    assert "temperature" not in sent
    if dialect in own:
        assert set(sent) <= {
            *_body(model, dialect),
            "max_completion_tokens",
            "stream_options",
            "cache_control",
        }


def _body(model: str, dialect: str) -> dict:
    _, body = question(dialect, model, {"temperature": 0.5, "top_p": 0.5})
    return body if dialect == "gemini" else body | {"stream": True}


async def _streamed(house: House, model: str, dialect: str) -> Reply:
    path, _ = question(dialect, model, {})
    path = path.replace(":generateContent", ":streamGenerateContent?alt=sse")
    async with connection(house.url) as line:
        headers = {"authorization": f"Bearer {KEY}", "anthropic-version": "2023-06-01"}
        await line.send(path, _body(model, dialect), headers)
        return await line.read()
