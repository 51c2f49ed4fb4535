"""Conversations whose earlier turns we keep: continued before a request runs, kept when its answer leaves.

OpenAI keeps a response for whoever does not say `store: false`, and a later request may continue it by its id. We keep
them ourselves, whatever the upstream speaks, so that a conversation may change models; and also where OpenAI answers,
whose own store does not know one account of ours from another: an id of somebody else's would be answered. So what refers
to kept responses is resolved here, before the request runs, and no such reference is ever sent upstream.

An answer is kept under the id that its client saw: ours where it was translated, the provider's where it passed
through. It is handed to the store after its charge is durable and before its last bytes leave, so whoever was answered
can continue. An answer that broke off, or whose client left, is not kept.
"""

from asyncio import Future
from collections.abc import Callable, Iterable
from functools import partial

from allgate.core.errors import ErrorKind, Failure, WireError, refused, wire_error
from allgate.core.value import Value, changed
from allgate.dialects.openai_responses import OPENAI_RESPONSES, continuing
from allgate.dialects.openai_responses.stored import (
    Answered,
    answered,
    answered_by_stream,
    conversation,
    items_in,
    output_item,
    output_items,
)
from allgate.dialects.openai_responses.wish import Wish, read_wish, reference_in
from allgate.gateway.admission import Call, authenticate
from allgate.gateway.behind import ClientBehind
from allgate.gateway.handle import handle
from allgate.gateway.ports import Client, ResponseStore, StoredResponse
from allgate.gateway.reply import noted
from allgate.gateway.services import Services
from allgate.operations.chat.notes import dropped
from allgate.wire.message import WireReply

KEEPING_DIALECT = OPENAI_RESPONSES.name
"""Whose requests come by here."""

RESPONSES_MAX = 1_000
"""Responses in one conversation: ten times the calls of tools that the longest recorded agent session makes."""

CONVERSATION_BYTES_MAX = 32 * 1024 * 1024
"""Of a continued conversation: what a client could send in one body by itself, unless the operator allows it more."""


class Continued(Value, frozen=True, kw_only=True):
    """A call that refers to nothing kept any more, and what it wished, with the items that it added. `root`: the first
    response of the conversation that it continues."""

    call: Call
    wish: Wish
    root: str | None = None


async def answer_and_keep(services: Services, call: Call, client: Client) -> None:
    """Serve a request of the Responses dialect, and tell the client how it ended.

    Raises: Refused, WireError: before anything was sent or charged.
    """
    found = await continued(services, call)
    if not found.wish.store:
        await handle(services, found.call, client)
        return
    caller = authenticate(services.directory, call)
    keeping = KeepingClient(client, Keeping(services.responses, found, caller.account_id))
    await handle(services, found.call, keeping, caller)


async def continued(services: Services, call: Call) -> Continued:
    """The call with its whole conversation in its body.

    Raises: Refused: 401; WireError: it continues what its account does not have.
    """
    store = services.responses
    wish = read_wish(call.wire, keeping=store.enabled)
    if wish.previous is None and not wish.references:
        return Continued(call=call, wish=wish)
    account_id = authenticate(services.directory, call).account_id
    earlier: tuple[StoredResponse, ...] = ()
    if wish.previous is not None:
        earlier = await whole_conversation(store, account_id, wish.previous)
    items = await _resolved(store, account_id, wish)
    whole = (*(item for response in earlier for item in items_of(response)), *items)
    _check_size(whole)
    dialect = call.dialect if wish.previous is None else continuing(wish.previous)
    return Continued(
        call=changed(call, wire=conversation(call.wire, whole), dialect=dialect),
        wish=changed(wish, items=items),
        root=earlier[0].root if earlier else None,
    )


def not_found(response_id: str) -> Exception:
    """The error for a response that the account does not have, or no longer."""
    return refused(ErrorKind.NOT_FOUND, f"Response with id '{response_id}' not found.")


def not_kept(response: StoredResponse) -> str:
    """What to say of a response whose items are lost."""
    return f"Response with id '{response.id}' was not kept: {response.lost}."


async def whole_conversation(
    store: ResponseStore, account_id: str, response_id: str
) -> tuple[StoredResponse, ...]:
    """The response and all that it continues, oldest first. Raises: WireError: something of it is not there."""
    found = await store.conversation(account_id, response_id, RESPONSES_MAX + 1)
    if not found:
        raise _no_previous(f"Previous response with id '{response_id}' not found.")
    if len(found) > RESPONSES_MAX:
        raise _no_previous(f"A conversation may have {RESPONSES_MAX} responses; begin a new one.")
    if found[0].parent is not None:
        raise _no_previous(f"Previous response with id '{found[0].parent}' was deleted, or is too old.")
    for response in found:
        if response.lost:
            raise _no_previous(not_kept(response))
    return found


def _no_previous(message: str) -> WireError:
    return wire_error(message, param="previous_response_id", code="previous_response_not_found")


def items_of(response: StoredResponse) -> tuple[bytes, ...]:
    """What a response adds to the conversation: its own input, then its output."""
    return (*items_in(response.input), *output_items(response.answer))


async def _resolved(store: ResponseStore, account_id: str, wish: Wish) -> tuple[bytes, ...]:
    """The request's own items, with those that it only names put in their places."""
    found: dict[str, bytes] = {}
    for item_id in dict.fromkeys(wish.references):
        response = await store.with_item(account_id, item_id)
        item = None if response is None else output_item(response.answer, item_id)
        if item is None:
            raise _no_item(item_id)
        found[item_id] = item
    return tuple(found.get(reference_in(item) or "", item) for item in wish.items) if found else wish.items


def _no_item(item_id: str) -> WireError:
    message = f"Item with id '{item_id}' not found. Send the item itself; only responses with `store: true` are kept."
    return WireError(Failure(kind=ErrorKind.NOT_FOUND, message=message, param="input"))


def _check_size(items: Iterable[bytes]) -> None:
    size = sum(map(len, items))
    if size > CONVERSATION_BYTES_MAX:
        raise wire_error(
            f"The conversation has {size} bytes, and may have {CONVERSATION_BYTES_MAX}. Begin a new one.",
            param="previous_response_id",
        )


class Keeping:
    """Where the answer of one call goes when it is complete. Then `lost` says why it is not kept, and `writing` what its
    end has to wait for."""

    __slots__ = ("_account_id", "_continued", "_store", "lost", "writing")

    def __init__(self, store: ResponseStore, found: Continued, account_id: str) -> None:
        self._store = store
        self._continued = found
        self._account_id = account_id
        self.lost = ""
        self.writing: Future[None] | None = None

    def whole(self, body: bytes) -> None:
        """A unary reply."""
        if (answer := answered(body)) is not None:
            self._put(answer, "")

    def stream(self, tail: bytes) -> None:
        """The last bytes of a stream."""
        if (answer := answered_by_stream(tail)) is not None:
            self._put(
                answer, "" if answer.repeated else "its provider did not repeat it when it was complete"
            )

    def _put(self, answer: Answered, lost: str) -> None:
        wish, call = self._continued.wish, self._continued.call
        size = sum(map(len, wish.items)) + len(answer.answer)
        if size > self._store.bytes_max:
            lost = f"it has {size} bytes, and at most {self._store.bytes_max} are kept"
        self.lost = lost
        self.writing = self._store.put(
            StoredResponse(
                account_id=self._account_id,
                id=answer.id,
                parent=wish.previous,
                root=self._continued.root or answer.id,
                model=wish.model,
                created_ms=int(call.started_s * 1000),
                lost=lost,
                input="" if lost else (b"[" + b",".join(wish.items) + b"]").decode("utf-8", "replace"),
                answer="" if lost else answer.answer.decode("utf-8", "replace"),
                items=() if lost else answer.items,
            )
        )


class KeepingClient(ClientBehind):
    """A client whose complete answer is also kept."""

    __slots__ = ("_keeping",)

    def __init__(self, client: Client, keeping: Keeping) -> None:
        super().__init__(client)
        self._keeping = keeping

    def reply(self, reply: WireReply) -> None:
        if reply.status == 200:
            self._keeping.whole(reply.body)
            if self._keeping.lost:
                reply = noted(reply, dropped("store", self._keeping.lost))
        self._when_kept(partial(super().reply, reply))

    def finish(self, tail: bytes) -> None:
        self._keeping.stream(tail)
        self._when_kept(partial(super().finish, tail))

    def _when_kept(self, end: Callable[[], None]) -> None:
        if self._keeping.writing is None:
            end()
        else:
            self._keeping.writing.add_done_callback(lambda _: end())
