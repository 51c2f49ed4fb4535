import pytest

from allgate.core.errors import ErrorKind, WireError
from allgate.core.value import changed
from allgate.dialects.openai_chat import OPENAI_CHAT
from allgate.operations.chat.caps import Caps
from allgate.operations.chat.parts import Text
from allgate.operations.chat.request import ChatRequest, State, Turn

PLAIN = ChatRequest(
    dialect="openai_responses", model="m", turns=(Turn(role="user", parts=(Text(text="hi"),)),)
)


@pytest.mark.parametrize(
    "state",
    [
        State(previous_response_id="resp_1"),
        State(conversation="conv_1"),
        State(background=True),
        State(prompt={"id": "pmpt_1"}),
    ],
)
def test_what_another_provider_holds_or_does_later_is_refused(state: State) -> None:
    with pytest.raises(WireError) as caught:
        OPENAI_CHAT.encode_request(changed(PLAIN, state=state), "m", Caps())
    assert caught.value.failure.kind is ErrorKind.UNSUPPORTED
