"""PDF, sound, films and pictures from every client that can say them, to every vendor that takes them, byte for byte."""

import json
from base64 import b64encode
from itertools import product
from typing import Any, NamedTuple

import pytest

from stand import Stand, stand

CLIENTS = ("openai_chat", "openai_responses", "anthropic", "gemini")
PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)
HEIC = b"\x00\x00\x00\x18ftypheic" + bytes(40)
PDF = b"%PDF-1.7\n%%EOF"
WAV = b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(40)
MP4 = b"\x00\x00\x00\x18ftypmp42" + bytes(40)


class Shown(NamedTuple):
    """A medium, and the part of each client that can say it."""

    content: bytes
    mime: str
    said: dict[str, dict[str, Any]]
    taken_by: tuple[str, ...]

    @property
    def base64(self) -> str:
        return b64encode(self.content).decode()


def shown(content: bytes, mime: str, taken_by: tuple[str, ...], **said: dict[str, Any]) -> Shown:
    """`{}` in a part stands for the base64 of the content."""
    data = b64encode(content).decode()
    filled = {client: json.loads(json.dumps(part).replace("{}", data)) for client, part in said.items()}
    return Shown(content, mime, filled, taken_by)


MEDIA = {
    "a picture": shown(
        PNG, "image/png", CLIENTS,
        openai_chat={"type": "image_url", "image_url": {"url": "data:image/png;base64,{}", "detail": "high"}},
        openai_responses={"type": "input_image", "image_url": "data:image/png;base64,{}", "detail": "low"},
        anthropic={"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "{}"}},
        gemini={"inlineData": {"mimeType": "image/png", "data": "{}"}},
    ),
    "a picture of a telephone": shown(
        HEIC, "image/heic", ("gemini",),
        openai_chat={"type": "image_url", "image_url": {"url": "data:image/heic;base64,{}"}},
        openai_responses={"type": "input_image", "image_url": "data:image/heic;base64,{}"},
        gemini={"inline_data": {"mime_type": "image/heic", "data": "{}"}},
    ),
    "a PDF": shown(
        PDF, "application/pdf", CLIENTS,
        openai_chat={"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,{}"}},
        openai_responses={"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,{}"},
        anthropic={
            "type": "document",
            "source": {"type": "base64", "media_type": "application/pdf", "data": "{}"},
        },
        gemini={"inlineData": {"mimeType": "application/pdf", "data": "{}"}},
    ),
    "a PDF in a picture's place": shown(
        PDF, "application/pdf", CLIENTS,
        openai_chat={"type": "image_url", "image_url": {"url": "data:application/pdf;base64,{}"}},
    ),
    "sound": shown(
        WAV, "audio/wav", ("gemini",),
        openai_chat={"type": "input_audio", "input_audio": {"data": "{}", "format": "wav"}},
        openai_responses={"type": "input_audio", "input_audio": {"data": "{}", "format": "wav"}},
        gemini={"inlineData": {"mimeType": "audio/wav", "data": "{}"}},
    ),
    "a film": shown(
        MP4, "video/mp4", ("gemini",),
        openai_chat={"type": "video_url", "video_url": {"url": "data:video/mp4;base64,{}"}},
        gemini={"inlineData": {"mimeType": "video/mp4", "data": "{}"}},
    ),
    "a film in a picture's place": shown(
        MP4, "video/mp4", ("gemini",),
        openai_chat={"type": "image_url", "image_url": {"url": "data:video/mp4;base64,{}"}},
    ),
}  # fmt: skip


def asks(client: str, part: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """A question about it."""
    match client:
        case "openai_chat":
            content = [{"type": "text", "text": "look"}, part]
            return "/v1/chat/completions", {"model": "m", "messages": [{"role": "user", "content": content}]}
        case "openai_responses":
            content = [{"type": "input_text", "text": "look"}, part]
            return "/v1/responses", {"model": "m", "input": [{"role": "user", "content": content}]}
        case "anthropic":
            content = [{"type": "text", "text": "look"}, part]
            messages = [{"role": "user", "content": content}]
            return "/v1/messages", {"model": "m", "max_tokens": 99, "messages": messages}
        case _:
            contents = [{"role": "user", "parts": [{"text": "look"}, part]}]
            return "/v1beta/models/m:generateContent", {"contents": contents}


async def sent(s: Stand) -> str:
    await s.settled()
    return json.dumps(s.sim.ledger.body(s.sim.ledger.last))


@pytest.mark.parametrize("what", MEDIA)
async def test_media_reach_every_vendor_that_takes_them(what: str, subtests: pytest.Subtests) -> None:
    medium = MEDIA[what]
    for upstream, (client, part) in product(CLIENTS, medium.said.items()):
        with subtests.test(client=client, upstream=upstream):
            async with stand({"m": ["sim-echo"]}, dialects=[upstream]) as s:
                reply = await s.post(*asks(client, part))
                if upstream in medium.taken_by:
                    assert reply.status == 200, reply.body
                    body = await sent(s)
                    assert medium.base64 in body
                    assert medium.mime in body or "input_audio" in body
                else:
                    assert reply.status == 400, reply.body
                    assert not s.sim.ledger.lines


async def test_a_film_at_an_address_is_googles_to_fetch_for_its_own_clients() -> None:
    """It may be an hour long; what another client names is fetched here, up to 20 MB."""
    film = {"fileData": {"mimeType": "video/mp4", "fileUri": "https://films.example.com/long.mp4"}}
    async with stand({"m": ["gemini-3-pro-preview"]}, dialects=["gemini"]) as s:
        assert (await s.post(*asks("gemini", film))).status == 200
        assert "https://films.example.com/long.mp4" in await sent(s)
        assert s.rows[0].passthrough


@pytest.mark.parametrize("level", ["LOW", "HIGH", "ULTRA_HIGH"])
async def test_a_media_resolution_is_carried_to_gemini(level: str) -> None:
    """Seed 000 §1.7: up to ULTRA_HIGH, on the part as its own client writes it."""
    part = MEDIA["a picture"].said["gemini"] | {"mediaResolution": {"level": f"MEDIA_RESOLUTION_{level}"}}
    async with stand({"m": ["gemini-3-pro-preview"]}, dialects=["gemini"]) as s:
        assert (await s.post(*asks("gemini", part))).status == 200
        assert f"MEDIA_RESOLUTION_{level}" in await sent(s)


@pytest.mark.parametrize(("detail", "level"), [("low", "LOW"), ("high", "HIGH"), ("original", "ULTRA_HIGH")])
async def test_a_detail_is_a_media_resolution_to_gemini(detail: str, level: str) -> None:
    part = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{b64encode(PNG).decode()}"}}
    part["image_url"]["detail"] = detail
    async with stand({"m": ["gemini-3-pro-preview"]}, dialects=["gemini"]) as s:
        assert (await s.post(*asks("openai_chat", part))).status == 200
        assert f"MEDIA_RESOLUTION_{level}" in await sent(s)
