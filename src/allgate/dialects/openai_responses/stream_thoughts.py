"""The reasoning items of a stream while they arrive: a summary in paragraphs, or the model's own words, and the seal."""

from allgate.core.value import changed
from allgate.dialects.openai_responses.stream_frames import Frame
from allgate.dialects.passes.lenient import text_or_none
from allgate.dialects.passes.sequencer import PartSequencer
from allgate.operations.chat.parts import Thinking
from allgate.wire.json import JsonObject


class StreamThoughts:
    """Reasoning by output index, on its way into the sequencer.

    Whether it is a summary or raw is known when the first words come: until then the part is held back.
    """

    __slots__ = ("_forms", "_sequencer")

    def __init__(self, sequencer: PartSequencer) -> None:
        self._sequencer = sequencer
        self._forms: dict[int, str] = {}  # output index → "hidden" until words came

    def added(self, index: int, item: JsonObject) -> None:
        self._forms[index] = "hidden"
        self._sequencer.open(_key(index), Thinking(form="hidden", id=text_or_none(item.get("id"))), hold=True)

    def summary(self, frame: Frame) -> None:
        """A piece of a paragraph. Of an item that gives its own words too, the words count."""
        if self._is("summary", frame):
            self._sequencer.append(
                _key(frame.output_index), "summary", frame.delta, segment=frame.summary_index
            )

    def words(self, frame: Frame) -> None:
        if self._is("raw", frame):
            self._sequencer.append(_key(frame.output_index), "thinking", frame.delta)

    def _is(self, form: str, frame: Frame) -> bool:
        """Whether the item's text is of this form; the first piece decides."""
        index = frame.output_index
        if index not in self._forms:
            self.added(index, {"id": frame.item_id})
        if self._forms[index] == "hidden":
            self._forms[index] = form
            opened = self._sequencer.skeleton(_key(index))
            if opened is not None:
                self._sequencer.amend(_key(index), changed(opened, form=form))
        return self._forms[index] == form

    def done(self, index: int, final: Thinking) -> None:
        """The item was told whole: its seal comes last, and its text here if no piece brought it."""
        form = self._forms.get(index, "hidden")
        if index not in self._forms:
            self._sequencer.open(_key(index), Thinking(form=final.form, id=final.id))
        elif form == "hidden":
            opened = self._sequencer.skeleton(_key(index))
            if opened is not None:
                self._sequencer.amend(_key(index), changed(opened, form=final.form))
        else:
            for seal in final.seals:
                self._sequencer.append(_key(index), "seal", seal=seal)
        if form != "hidden" and form != final.form:  # what was streamed is what the client saw
            self._sequencer.close(_key(index))
        else:
            self._sequencer.close(_key(index), final)


def _key(index: int) -> tuple[str, int]:
    return "reasoning", index
