from allgate.operations.chat.parts import Seal, Text, Thinking, ToolCall
from allgate.operations.chat.request import ChatRequest, Turn
from allgate.operations.chat.unsealed import unsealed

SEAL = Seal(origin="gemini", scope="s", form="thought", value="v")


def test_thinking_and_seals_go_and_what_was_said_and_called_stays() -> None:
    call = ToolCall(call_id="1", name="f", input="{}", seals=(SEAL,))
    only_thinking = Turn(role="assistant", parts=(Thinking(text="hm", seals=(SEAL,)),))
    said = Turn(role="assistant", parts=(Thinking(text="hm"), Text(text="hello", seals=(SEAL,)), call))
    request = ChatRequest(dialect="gemini", model="m", turns=(only_thinking, said))
    stripped = unsealed(request)
    (turn,) = stripped.turns
    assert turn.parts == (Text(text="hello"), ToolCall(call_id="1", name="f", input="{}"))
    assert [note.path for note in stripped.notes] == ["thinking history"]
