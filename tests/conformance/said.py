"""Things a chat request can say, one at a time, in canonical words: the rows of docs/dialects.md."""

from allgate.core.value import changed
from allgate.operations.chat.parts import (
    CacheMark,
    FileRef,
    Inline,
    Media,
    Seal,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Url,
)
from allgate.operations.chat.request import (
    CacheHints,
    ChatRequest,
    Identity,
    OutputFormat,
    Reasoning,
    Sampling,
    State,
    Turn,
)
from allgate.operations.chat.tools import Builtin, Custom, Function, Grammar, ToolChoice

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
WEATHER = Function(name="weather", description="The weather in a city.", schema=SCHEMA)
PLAIN = ChatRequest(
    dialect="canonical",
    model="m",
    turns=(Turn(role="user", parts=(Text(text="hello"),)),),
    sampling=Sampling(max_tokens=4_096),
)


def sampled(**fields: object) -> ChatRequest:
    return changed(PLAIN, sampling=changed(PLAIN.sampling, **fields))


def tooled(*tools: object, **choice: object) -> ChatRequest:
    return changed(PLAIN, tools=tools, tool_choice=ToolChoice(**choice) if choice else None)


def holding(*parts: object) -> ChatRequest:
    return changed(PLAIN, turns=(Turn(role="user", parts=(Text(text="look"), *parts)),))


def after(*turns: Turn, tools: tuple = (WEATHER,)) -> ChatRequest:
    """A conversation that goes on after these turns."""
    return changed(
        PLAIN, turns=(*PLAIN.turns, *turns, Turn(role="user", parts=(Text(text="and now?"),))), tools=tools
    )


CALL = ToolCall(call_id="call_1", name="weather", input='{"city":"Paris"}')
RESULT = ToolResult(call_id="call_1", name="weather", parts=(Text(text="sunny"),))
ASKED = Turn(role="assistant", parts=(CALL,))
FOREIGN = Seal(origin="elsewhere", scope="s", form="signature", value="c2ln")

SAID: tuple[tuple[str, ChatRequest], ...] = (
    ("system instructions", changed(PLAIN, system=(Text(text="be brief"),))),
    (
        "a system message in mid-conversation",
        after(Turn(role="system", parts=(Text(text="be brief"),)), tools=()),
    ),
    (
        "a last assistant turn to continue",
        changed(PLAIN, turns=(*PLAIN.turns, Turn(role="assistant", parts=(Text(text="Once"),)))),
    ),
    ("temperature", sampled(temperature=0.5)),
    ("temperature 1.5", sampled(temperature=1.5)),
    ("top_p", sampled(top_p=0.9)),
    ("top_k", sampled(top_k=40)),
    ("penalties", sampled(frequency_penalty=0.5, presence_penalty=0.5)),
    ("seed", sampled(seed=7)),
    ("logit_bias", sampled(logit_bias={"50256": -100})),
    ("logprobs", sampled(logprobs=True, top_logprobs=2)),
    ("stop sequences", sampled(stop=("END",))),
    ("two answers (n = 2)", sampled(n=2)),
    ("no maximum of tokens", sampled(max_tokens=None)),
    ("reasoning effort", changed(PLAIN, reasoning=Reasoning(effort="low"))),
    ("a thinking budget", changed(PLAIN, reasoning=Reasoning(budget_tokens=2_048))),
    ("thinking switched off", changed(PLAIN, reasoning=Reasoning(effort="none"))),
    ("a function", tooled(WEATHER)),
    ("a strict function", tooled(changed(WEATHER, strict=True))),
    (
        "a custom tool with a grammar",
        tooled(Custom(name="patch", grammar=Grammar(syntax="lark", definition="start: WORD"))),
    ),
    ("tool choice: any", tooled(WEATHER, mode="any")),
    ("tool choice: one tool", tooled(WEATHER, mode="tool", names=("weather",))),
    ("tool choice: none", tooled(WEATHER, mode="none")),
    ("at most one call at a time", tooled(WEATHER, mode="auto", parallel=False)),
    ("web search", tooled(Builtin(kind="web_search", runs="server", config={"context_size": "low"}))),
    ("code execution", tooled(Builtin(kind="code_execution", runs="server"))),
    ("a call and its result", after(ASKED, Turn(role="tool", parts=(RESULT,)))),
    ("a failed result", after(ASKED, Turn(role="tool", parts=(changed(RESULT, is_error=True),)))),
    (
        "a picture in a result",
        after(
            ASKED,
            Turn(
                role="tool",
                parts=(
                    changed(
                        RESULT, parts=(Media(kind="image", source=Inline(mime="image/png", base64=PNG)),)
                    ),
                ),
            ),
        ),
    ),
    (
        "thinking of another vendor in the history",
        after(
            Turn(role="assistant", parts=(Thinking(text="hm", seals=(FOREIGN,)), Text(text="hi"))), tools=()
        ),
    ),
    ("a picture, inline", holding(Media(kind="image", source=Inline(mime="image/png", base64=PNG)))),
    ("a picture by URL", holding(Media(kind="image", source=Url(url="https://example.com/a.png")))),
    (
        "a PDF, inline",
        holding(
            Media(kind="document", source=Inline(mime="application/pdf", base64="JVBERi0="), title="a.pdf")
        ),
    ),
    ("sound, inline", holding(Media(kind="audio", source=Inline(mime="audio/wav", base64="UklGRg==")))),
    ("a film, inline", holding(Media(kind="video", source=Inline(mime="video/mp4", base64="AAAAGGZ0eXA=")))),
    (
        "a file of another vendor",
        holding(Media(kind="document", source=FileRef(origin="elsewhere", ref="file-1"))),
    ),
    ("an answer in JSON", changed(PLAIN, output=OutputFormat(kind="json_object"))),
    (
        "an answer by a JSON schema",
        changed(PLAIN, output=OutputFormat(kind="json_schema", name="place", schema=SCHEMA, strict=True)),
    ),
    ("verbosity", changed(PLAIN, output=OutputFormat(verbosity="low"))),
    ("a prompt-cache mark", changed(PLAIN, system=(Text(text="be brief", cache=CacheMark()),))),
    ("a prompt-cache key", changed(PLAIN, cache=CacheHints(key="k"))),
    ("the end user's id", changed(PLAIN, identity=Identity(user="u-1"))),
    ("metadata", changed(PLAIN, identity=Identity(metadata={"a": "b"}))),
    ("service tier", changed(PLAIN, service_tier="flex")),
    ("a stored conversation", changed(PLAIN, state=State(previous_response_id="resp_1"))),
    ("work in the background", changed(PLAIN, state=State(background=True))),
)
