"""From a request to a scene and a reply: the simulator's one decision, without a socket.

Order: the door by path, the vendor's check of the key, the body, the vendor's rules, the scene, the answer. A scene
queued by `script` goes before whatever a request says for itself.
"""

import asyncio
from collections import deque
from collections.abc import Iterator

from allgate.core.errors import WireError
from allgate.core.value import changed
from allgate.simulator import control, doors, scenes
from allgate.simulator.answer import Ask, Counts, compose
from allgate.simulator.delivery import Reply
from allgate.simulator.exchange import Dialect, Rejected, Request
from allgate.simulator.ledger import Ledger, Line
from allgate.simulator.scenes import Scene, SceneError
from allgate.wire import json
from allgate.wire.headers import CREDENTIAL_FIELDS, Headers, text, without

EARLY_STATUS = 413
"""The status of an early response whose scene names none: too large is why vendors answer early."""

JSON_TYPE = (b"content-type", b"application/json")
HTML = b"<html>\r\n<head><title>%d</title></head>\r\n<body><center><h1>%d</h1></center></body>\r\n</html>\r\n"


class Desk:
    """The ledger, the queued scenes, the held names, and the replies."""

    def __init__(self, secret: bytes) -> None:
        self.ledger = Ledger()
        self.crashes: list[BaseException] = []
        self._secret = secret
        self._queue: deque[Scene] = deque()
        self._held: dict[str, asyncio.Event] = {}
        self._serial = 0

    def script(self, *lines: str) -> None:
        """Each line is the scene of one request to come, in order, whatever that request says for itself."""
        self._queue.extend(scenes.scene_of(line) for line in lines)

    def held(self, name: str) -> asyncio.Event:
        """The event that `release(name)` sets; it stays set."""
        return self._held.setdefault(name, asyncio.Event())

    def connected(self) -> bool:
        """A connection came in: False if the next scripted scene is to reset it at once."""
        self.ledger.connections += 1
        if self._queue and self._queue[0].reset == "accept":
            self._queue.popleft()
            return False
        return True

    def open(
        self, method: str, path: str, query: dict[str, str], headers: Headers, connection: int
    ) -> tuple[Request, Scene | None]:
        """A request's head is in: its ledger line is opened; the scripted scene, if one was queued."""
        self._serial += 1
        request = Request(serial=self._serial, method=method, path=path, query=query, headers=headers)
        if control.owns(request):
            return request, None
        line = Line(
            serial=request.serial,
            id=request.request_id,
            request_id=text(headers, "x-allgate-request-id") or text(headers, "x-request-id"),
            credential=_last_four(request),
            connection=connection,
            method=method,
            path=path,
            dialect=doors.dialect_of(request).name,
        )
        self.ledger.open(line, _without_credentials(headers))
        return request, self._queue.popleft() if self._queue else None

    def hurry(self, request: Request, scripted: Scene | None, so_far: bytes | bytearray) -> Scene | None:
        """The scene of a request whose body is still coming, if it is one that does not wait for it."""
        scene = scripted
        if scene is None:
            model, spoken = scenes.peek(so_far)
            said = (model, _key_line(request), text(request.headers, scenes.HEADER), spoken)
            if not any(said):
                return None  # the common case, and this is asked for every piece of a body
            try:
                scene = scenes.scene_of(*said)
            except SceneError:
                return None
        return scene if scene.early or scene.reset == "reading" else None

    def early(self, request: Request, scene: Scene) -> Reply:
        """The reply to a request that was not read whole."""
        dialect = doors.dialect_of(request)
        self.ledger.note(request.serial, scene=scene.name)
        reply = self._fault(dialect, request, changed(scene, status=scene.status or EARLY_STATUS))
        return changed(reply, headers=(*reply.headers, (b"connection", b"close")))

    def admit(self, request: Request, scripted: Scene | None) -> tuple[Scene, Reply]:
        """The scene and the reply of a whole request."""
        if control.owns(request):
            return Scene(), control.reply(request, self)
        dialect = doors.dialect_of(request)
        try:
            key = dialect.key(request)
            listing = doors.listing(request)
            if listing is not None:
                scene = scripted or scenes.scene_of(scenes.of_key(key), text(request.headers, scenes.HEADER))
                return scene, self._listed(dialect, request, scene, listing)
            doors.check_route(request)
            return self._answered(dialect, request, scripted, key)
        except Rejected as rejected:
            return scripted or Scene(), self._rejected(dialect, request, rejected)
        except SceneError as error:
            return Scene(), self._rejected(dialect, request, Rejected(f"simulator: {error}"))

    def _answered(
        self, dialect: Dialect, request: Request, scripted: Scene | None, key: str
    ) -> tuple[Scene, Reply]:
        ask = dialect.read(request, self._body(request), self._secret)
        spoken, prompt = scenes.spoken(ask.prompt)
        scene = scripted or scenes.scene_of(
            scenes.of_model(ask.model), scenes.of_key(key), text(request.headers, scenes.HEADER), spoken
        )
        ask = changed(ask, prompt=prompt)
        self.ledger.note(
            request.serial, model=ask.model, scene=scene.name, stream=ask.stream, seals=ask.seals
        )
        if scene.status is not None:
            return scene, self._fault(dialect, request, scene)
        return scene, self._composed(dialect, request, ask, scene)

    def _composed(self, dialect: Dialect, request: Request, ask: Ask, scene: Scene) -> Reply:
        answers = compose(ask, scene, request.serial)
        self._note_counts(request, answers[0].counts)
        self.ledger.note(request.serial, status=200)
        headers = dialect.headers(request)
        if not ask.stream:
            body = json.encode(dialect.whole(ask, answers, scene, request, self._secret))
            return Reply(status=200, headers=(JSON_TYPE, *headers), frames=(body,))
        frames: Iterator[bytes] = dialect.frames(ask, answers, scene, request, self._secret)
        kind = (b"content-type", dialect.stream_type(request))
        failure = dialect.failure(ask, request, scene.error_at or 0)
        return Reply(
            status=200,
            headers=(kind, *headers),
            frames=frames,
            stream=True,
            failure=failure,
            idle=dialect.idle,
        )

    def _note_counts(self, request: Request, counts: Counts) -> None:
        self.ledger.note(
            request.serial,
            input_tokens=counts.input,
            output_tokens=counts.output,
            cached_tokens=counts.cached,
            cache_write_tokens=counts.cache_write,
            reasoning_tokens=counts.reasoning,
        )

    def _listed(self, dialect: Dialect, request: Request, scene: Scene, listing: json.JsonObject) -> Reply:
        if scene.status is not None:
            return self._fault(dialect, request, scene)
        self.ledger.note(request.serial, scene=scene.name, status=200)
        return Reply(
            status=200, headers=(JSON_TYPE, *dialect.headers(request)), frames=(json.encode(listing),)
        )

    def _body(self, request: Request) -> json.JsonObject:
        try:
            body = json.decode_object(request.body)
        except WireError as error:
            raise Rejected(
                f"We could not parse the JSON body of your request. ({error.failure.message})"
            ) from error
        self.ledger.keep_body(request.serial, body, len(request.body))
        return body

    def _fault(self, dialect: Dialect, request: Request, scene: Scene) -> Reply:
        status = scene.status or 500
        reply = self._rejected(dialect, request, dialect.fault(status, scene.code))
        extra: list[tuple[bytes, bytes]] = []
        if scene.retry_after is not None:
            extra.append((b"retry-after", b"%g" % scene.retry_after))
            extra.append((b"retry-after-ms", b"%d" % round(scene.retry_after * 1000)))
        headers, frames = reply.headers, reply.frames
        if scene.should_retry is not None:
            headers = without(headers, frozenset({b"x-should-retry"}))
            extra.append((b"x-should-retry", b"true" if scene.should_retry else b"false"))
        if scene.page != "json":
            headers = ((b"content-type", b"text/html"), *headers[1:])
            frames = (HTML % (status, status) if scene.page == "html" else b"",)
        return changed(reply, headers=(*headers, *extra), frames=frames)

    def _rejected(self, dialect: Dialect, request: Request, rejected: Rejected) -> Reply:
        self.ledger.note(request.serial, status=rejected.status, error=rejected.message)
        body = json.encode(dialect.rejection(rejected, request))
        headers = (JSON_TYPE, *dialect.headers(request), *dialect.retry_headers(rejected.status))
        return Reply(status=rejected.status, headers=headers, frames=(body,))


def _key_line(request: Request) -> str | None:
    try:
        return scenes.of_key(doors.dialect_of(request).key(request))
    except Rejected:
        return None


def _last_four(request: Request) -> str | None:
    try:
        return doors.dialect_of(request).key(request)[-4:]
    except Rejected:
        return None


def _without_credentials(headers: Headers) -> dict[str, str]:
    return {
        name.decode("latin-1"): "…" if name in CREDENTIAL_FIELDS else value.decode("latin-1")
        for name, value in headers
    }
