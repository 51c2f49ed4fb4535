"""The list of models, for each client in the shape that it reads."""

import pytest

from stand import stand

ANTHROPIC = {"anthropic-version": "2023-06-01"}


@pytest.mark.parametrize("path", ["/v1/models?limit=1000", "/models"])
async def test_a_client_of_anthropic_finds_anthropics_list(path: str) -> None:
    """Regression 75: Claude Code discovers nothing in OpenAI's shape."""
    async with stand({"m": ["sim-echo"]}) as s:
        reply = await s.get(path, ANTHROPIC)
        (entry,) = reply.json["data"]
        assert (entry["type"], entry["id"], entry["display_name"]) == ("model", "m", "m")
        assert (reply.json["first_id"], reply.json["has_more"]) == ("m", False)


async def test_codex_finds_its_member_and_keeps_its_own_presets() -> None:
    """Regressions 90 and 91: it needs `models`, and an entry there would replace its own system prompt."""
    async with stand({"m": ["sim-echo"]}) as s:
        reply = await s.get("/v1/models?client_version=0.169.0")
        assert reply.json["models"] == []
        assert [entry["id"] for entry in reply.json["data"]] == ["m"]
        assert "models" not in (await s.get("/v1/models")).json


async def test_a_client_of_google_finds_googles_list() -> None:
    async with stand({"m": ["sim-echo"]}) as s:
        reply = await s.get("/v1beta/models", {"x-goog-api-key": "k"})
        assert [entry["name"] for entry in reply.json["models"]] == ["models/m"]
