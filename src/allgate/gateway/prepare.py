"""A request's media, before a candidate is asked: all of them are checked, and those it cannot take by URL are fetched.

What came inline is checked first (`operations.chat.media_check`), its base64 in steps with a turn of the loop between
two. A fault is the client's 400: the vendors refuse it in words that name nothing, after they were sent all of it.

Media by URL is fetched only for that candidate: the next one may take URLs. What is fetched goes through the guarded door
(`upstream.egress`), once per URL and request, a few at a time, within a budget, and is then checked like the rest: its type
is what its first bytes show, whatever the server said. Every failure of a fetch is a 400: the client gave the URL.
"""

import asyncio
from base64 import b64encode

from allgate.core.errors import AllgateError, ErrorKind, Failure, WireError
from allgate.core.value import changed
from allgate.gateway.ports import Fetcher
from allgate.operations.chat.base64_steps import STEP_CHARACTERS, base64_steps
from allgate.operations.chat.caps import Caps
from allgate.operations.chat.media_check import ANY_TYPE, check_count, checked, media_of, taken_types
from allgate.operations.chat.notes import repaired
from allgate.operations.chat.parts import Inline, Media, Part, ToolResult, Url
from allgate.operations.chat.request import ChatRequest, Turn
from allgate.operations.media_types import HEAD_BYTES, is_video_site, sniffed

URLS_MAX = 20
"""Distinct URLs in one request: as many pictures as Claude takes from a URL in its own documentation's largest example."""
FETCHES_AT_ONCE = 4
BYTES_MAX = 64 * 1024 * 1024
"""Of all fetched media of one request: what a request body itself may hold."""


async def prepared(request: ChatRequest, caps: Caps, fetcher: Fetcher) -> ChatRequest:
    """The request with media that `caps` takes, each under its true type. Raises: WireError: a 400."""
    media = media_of(request)
    if not media:
        return request
    found = await _checked(media, caps)
    notes = request.notes
    if found:
        notes = (*notes, repaired("messages[].content", "media are sent as the type that their bytes show"))
    if urls := _to_fetch(media, caps):
        contents = await _fetched(urls, fetcher)
        found |= {id(one): _filled(one, contents, caps) for one in media if _url(one) in contents}
    if not found:
        return request
    return changed(request, turns=tuple(_with(turn, found) for turn in request.turns), notes=notes)


async def is_sendable(request: ChatRequest, caps: Caps) -> bool:
    """Whether its media may be passed through as they are written: no type to be put right, no URL to be fetched.

    A film or sound is left to the provider whose format it was written in: they are longer than what we fetch. Raises:
    WireError: a 400.
    """
    media = media_of(request)
    small = [one for one in media if one.kind in ("image", "document")]
    return not await _checked(media, caps) and not _to_fetch(small, caps)


async def _checked(media: list[Media], caps: Caps) -> dict[int, Media]:
    """Those that are of another type than they say, under their true type, by the identity of what they stand for.

    Raises: WireError: one is none, or not for this model.
    """
    check_count(media, caps)
    retyped: dict[int, Media] = {}
    for one in media:
        if isinstance(one.source, Inline):
            await _check_base64(one, one.source.base64)
            true = checked(one, caps)
            if true is not one:
                retyped[id(one)] = true
    return retyped


async def _check_base64(media: Media, text: str) -> None:
    """Raises: WireError: it holds no base64."""
    for good in base64_steps(text):
        if not good:
            raise _not_base64(media)
        if len(text) > STEP_CHARACTERS:
            await asyncio.sleep(0)


def _not_base64(media: Media) -> WireError:
    message = f"The data of one {media.kind} in this request is not valid base64."
    return WireError(Failure(kind=ErrorKind.BAD_REQUEST, message=message, code="invalid_base64"))


def _to_fetch(media: list[Media], caps: Caps) -> list[str]:
    """Each URL once, in order."""
    urls: dict[str, None] = {}
    for one in media:
        if isinstance(one.source, Url) and not _takes_url(one, one.source.url, caps):
            urls[one.source.url] = None
    return list(urls)


def _takes_url(media: Media, url: str, caps: Caps) -> bool:
    """Whether the provider goes there itself. A kind that it does not take at all is not fetched either."""
    if not taken_types(media.kind, caps):
        return True
    by_url = not caps.https_only or url.startswith("https://")
    match media.kind:
        case "image":
            return caps.image_url and by_url
        case "document":
            return caps.document_url and by_url
        case "video":
            return caps.video_url or (caps.video_sites and is_video_site(url))
        case "audio":
            return False


async def _fetched(urls: list[str], fetcher: Fetcher) -> dict[str, Inline]:
    """What is at each. Raises: WireError."""
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
    return dict(zip(urls, contents, strict=True))


async def _inline(url: str, fetcher: Fetcher) -> Inline:
    try:
        body, content_type = await fetcher.fetch(url)
    except AllgateError as error:
        raise _bad(error.failure.message) from error
    mime = sniffed(body[:HEAD_BYTES]) or content_type
    return Inline(mime=mime, base64=b64encode(body).decode("ascii"))


def _filled(media: Media, contents: dict[str, Inline], caps: Caps) -> Media:
    content, taken = contents[_url(media)], taken_types(media.kind, caps)
    if {content.mime, ANY_TYPE}.isdisjoint(taken):
        kinds = ", ".join(taken)
        raise _bad(
            f"The {media.kind} at a URL of this request is {content.mime or 'of no known type'}; send {kinds}."
        )
    try:
        return checked(changed(media, source=content), caps)
    except WireError as error:
        raise _bad(error.failure.message) from error


def _url(media: Media) -> str:
    return media.source.url if isinstance(media.source, Url) else ""


def _with(turn: Turn, found: dict[int, Media]) -> Turn:
    return changed(turn, parts=tuple(_part_with(part, found) for part in turn.parts))


def _part_with(part: Part, found: dict[int, Media]) -> Part:
    if isinstance(part, ToolResult):
        inner = tuple(found.get(id(one), one) for one in part.parts)
        return changed(part, parts=inner)
    return found.get(id(part), part)


def _bad(message: str) -> WireError:
    return WireError(Failure(kind=ErrorKind.BAD_REQUEST, message=message, code="invalid_image_url"))
