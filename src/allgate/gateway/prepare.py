"""A request's media, before a candidate is asked: what came inline is checked, what it cannot take by URL is fetched.

The base64 of inline media is checked in steps, with a turn of the loop between two, and a fault is the client's 400: the
vendors refuse it in words that name nothing.

Media by URL is fetched only for that candidate: the next one may take URLs. What is fetched goes through the guarded door (`upstream.egress`), once
per URL and request, a few at a time, within a budget. Its MIME type is what its first bytes show, whatever the server
said; one that the candidate does not take is a 400 that names the field, like every other failure of a fetch: the client
gave the URL.
"""

import asyncio
from base64 import b64encode

from allgate.core.errors import AllgateError, ErrorKind, Failure, WireError
from allgate.core.value import changed
from allgate.gateway.ports import Fetcher
from allgate.operations.chat.base64_steps import STEP_CHARACTERS, base64_steps
from allgate.operations.chat.caps import Caps
from allgate.operations.chat.parts import Inline, Media, Part, ToolResult, Url
from allgate.operations.chat.request import ChatRequest, Turn
from allgate.operations.media_types import HEAD_BYTES, sniffed

URLS_MAX = 20
"""Distinct URLs in one request: as many pictures as Claude takes from a URL in its own documentation's largest example."""
FETCHES_AT_ONCE = 4
BYTES_MAX = 64 * 1024 * 1024
"""Of all fetched media of one request: what a request body itself may hold."""

_MIMES = {
    "image": "image_mimes",
    "document": "document_mimes",
    "audio": "audio_mimes",
    "video": "video_mimes",
}


async def prepared(request: ChatRequest, caps: Caps, fetcher: Fetcher) -> ChatRequest:
    """The request with every URL that `caps` does not take replaced by its content. Raises: WireError: a 400."""
    media = [one for turn in request.turns for part in turn.parts for one in _media_of(part)]
    if not media:
        return request
    await _check(media)
    urls = _to_fetch(media, caps)
    if not urls:
        return request
    if len(urls) > URLS_MAX:
        raise _bad(
            f"A request may name at most {URLS_MAX} media by URL for this model, this one names {len(urls)}."
        )
    gate = asyncio.Semaphore(FETCHES_AT_ONCE)

    async def fetch(url: str) -> Inline:
        async with gate:
            return await _inline(url, fetcher)

    try:
        async with asyncio.TaskGroup() as tasks:
            fetching = [tasks.create_task(fetch(url)) for url in urls]
    except ExceptionGroup as failed:
        raise next(error for error in failed.exceptions if isinstance(error, WireError)) from None
    contents = [task.result() for task in fetching]
    if sum(len(content.base64) for content in contents) * 3 // 4 > BYTES_MAX:
        raise _bad(f"The media that this request names by URL hold more than {BYTES_MAX} bytes.")
    found = dict(zip(urls, contents, strict=True))
    return changed(request, turns=tuple(_filled(turn, found, caps) for turn in request.turns))


async def _check(media: list[Media]) -> None:
    """Raises: WireError: one holds no base64."""
    for one in media:
        if isinstance(one.source, Inline):
            for good in base64_steps(one.source.base64):
                if not good:
                    raise _not_base64(one)
                if len(one.source.base64) > STEP_CHARACTERS:
                    await asyncio.sleep(0)


def _not_base64(media: Media) -> WireError:
    message = f"The data of one {media.kind} in this request is not valid base64."
    return WireError(Failure(kind=ErrorKind.BAD_REQUEST, message=message, code="invalid_base64"))


def _to_fetch(media: list[Media], caps: Caps) -> list[str]:
    """Each URL once, in order."""
    urls: dict[str, None] = {}
    for one in media:
        if isinstance(one.source, Url) and not _takes_urls(one, caps):
            urls[one.source.url] = None
    return list(urls)


def _media_of(part: Part) -> tuple[Media, ...]:
    if isinstance(part, Media):
        return (part,)
    if isinstance(part, ToolResult):
        return tuple(inner for inner in part.parts if isinstance(inner, Media))
    return ()


def _takes_urls(media: Media, caps: Caps) -> bool:
    match media.kind:
        case "image":
            return caps.image_url
        case "document":
            return caps.document_url
        case "video":
            return caps.video_url
        case "audio":
            return False


async def _inline(url: str, fetcher: Fetcher) -> Inline:
    try:
        body, content_type = await fetcher.fetch(url)
    except AllgateError as error:
        raise _bad(error.failure.message) from error
    mime = sniffed(body[:HEAD_BYTES]) or content_type
    return Inline(mime=mime, base64=b64encode(body).decode("ascii"))


def _filled(turn: Turn, found: dict[str, Inline], caps: Caps) -> Turn:
    return changed(turn, parts=tuple(_filled_part(part, found, caps) for part in turn.parts))


def _filled_part(part: Part, found: dict[str, Inline], caps: Caps) -> Part:
    if isinstance(part, ToolResult):
        inner = tuple(
            _filled_media(one, found, caps) if isinstance(one, Media) else one for one in part.parts
        )
        return changed(part, parts=inner)
    return _filled_media(part, found, caps) if isinstance(part, Media) else part


def _filled_media(media: Media, found: dict[str, Inline], caps: Caps) -> Media:
    if not isinstance(media.source, Url) or media.source.url not in found:
        return media
    content = found[media.source.url]
    taken: tuple[str, ...] = getattr(caps, _MIMES[media.kind])
    if content.mime not in taken:
        kinds = ", ".join(taken)
        raise _bad(
            f"The {media.kind} at a URL of this request is {content.mime or 'of no known type'}; send {kinds}."
        )
    return changed(media, source=content)


def _bad(message: str) -> WireError:
    return WireError(Failure(kind=ErrorKind.BAD_REQUEST, message=message, code="invalid_image_url"))
