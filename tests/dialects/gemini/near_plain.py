"""Exchanges that are plain or nearly so, for tests of the short ways (`test_plain`).

Bodies are made of what plain ones have, with a few members that are none. They are written as text, so that members may
stand twice and numbers may be written in more than one way.
"""

from hypothesis import strategies as st

from allgate.core.usage import Usage
from allgate.core.value import changed
from allgate.operations.chat.parts import Annotation, CacheMark, Seal, Text, Thinking, ToolCall
from allgate.operations.chat.request import CacheHints, ChatRequest, Identity, Sampling, State, Turn
from allgate.operations.chat.response import ChatResponse, Choice, Finish
from dialects.gemini.exchange import CAPS

TEXTS = st.sampled_from(['"Hi"', '"a\\"\\n"', '"é😀"', '"\\ud83d\\ude00"'] * 8 + ['""', '"\\ud83d"'])
COUNTS = st.sampled_from(["0", "1", "200", "1.0", "-3"] * 8 + ["0.5", "1e3", "1" + "0" * 30])
ODD = st.sampled_from(
    ["null", "true", "false", "0", "1.0", '"x"', '""', "[]", "{}", "NaN", "1e999", '[{"text":"a"}]', '{"text":"a"}',
     "[" * 40 + "]" * 40, '"\\ud83d"', '["a"]']
)  # fmt: skip


@st.composite
def objects(draw: st.DrawFn, names: tuple[str, ...], **members: st.SearchStrategy[str]) -> str:
    """An object in which a member may be left out, be odd, or stand twice, and there may be one of `names` beside."""
    said: list[str] = []
    for name, likely in members.items():
        dice = draw(st.integers(0, 99))
        if not 70 <= dice < 80:
            said.append(f'"{name}":{draw(ODD if dice == 50 else likely)}')
        if dice == 40:
            said.append(f'"{name}":{draw(likely)}')
    if 50 <= draw(st.integers(0, 99)) < 55:
        said.append(f'"{draw(st.sampled_from(names))}":{draw(ODD)}')
    return "{" + ",".join(said) + "}"


def arrays(items: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return (
        st.sampled_from([1, 1, 1, 2, 3])
        .flatmap(lambda many: st.lists(items, min_size=many, max_size=many))
        .map(lambda found: "[" + ",".join(found) + "]")
    )


PARTS = arrays(objects(("thought", "thoughtSignature", "inlineData", "x"), text=TEXTS))
CONTENTS = arrays(
    objects(
        ("x", "parts"),
        parts=PARTS,
        role=st.sampled_from(['"user"'] * 9 + ['"model"', '"function"', '"system"']),
    )
)
CONFIGS = objects(
    ("max_output_tokens", "responseModalities", "thinkingConfig", "logprobs", "responseMimeType", "x"),
    temperature=COUNTS, topP=COUNTS, topK=COUNTS, maxOutputTokens=COUNTS, stopSequences=arrays(TEXTS),
    candidateCount=COUNTS, seed=COUNTS, presencePenalty=COUNTS, frequencyPenalty=COUNTS,
)  # fmt: skip
BODIES = objects(
    ("system_instruction", "generation_config", "model", "tools", "alt", "cachedContent", "x", "contents"),
    contents=CONTENTS,
    systemInstruction=objects(("role", "x"), parts=PARTS),
    generationConfig=CONFIGS,
)
DETAILS = arrays(
    objects(("x",), modality=st.sampled_from(['"TEXT"', '"image"', "1", '"x"']), tokenCount=COUNTS)
)
USAGES = objects(
    ("prompt_token_count", "trafficType", "cacheTokensDetails", "toolUsePromptTokenCount", "x"),
    promptTokenCount=COUNTS, candidatesTokenCount=COUNTS, totalTokenCount=COUNTS, thoughtsTokenCount=COUNTS,
    cachedContentTokenCount=COUNTS, promptTokensDetails=DETAILS, serviceTier=st.sampled_from(['"flex"', '"standard"']),
)  # fmt: skip
CANDIDATES = arrays(
    objects(
        ("avgLogprobs", "finishMessage", "x", "finishReason"),
        content=objects(
            ("x",),
            parts=arrays(
                objects(
                    ("x",), text=TEXTS, thought=st.sampled_from(["false", "true"]), thoughtSignature=TEXTS
                )
            ),
        ),
        finishReason=st.sampled_from(['"STOP"', '"MAX_TOKENS"', '"LATER"']),
        index=st.sampled_from(["0", "0", "1", "0.0"]),
    )
)
REPLIES = objects(
    ("x", "error", "promptFeedback", "usage_metadata", "candidates"),
    candidates=CANDIDATES,
    usageMetadata=USAGES,
    modelVersion=TEXTS,
    responseId=TEXTS,
    createTime=st.sampled_from(['"2026-05-27T16:53:45.443719Z"', '"x"']),
)


CHUNKS = st.one_of(
    objects(
        ("modelVersion", "x"),
        candidates=objects(
            ("finishReason", "index", "avgLogprobs"),
            content=objects(
                ("role", "x"),
                parts=objects(
                    ("thoughtSignature", "inlineData"),
                    text=TEXTS,
                    thought=st.sampled_from(["false"] * 5 + ["true"]),
                ).map(lambda part: f"[{part}]"),
            ),
            index=st.sampled_from(["0"] * 9 + ["1"]),
        ).map(lambda candidate: f"[{candidate}]"),
        usageMetadata=st.integers(0, 20).map(
            lambda count: f'{{"promptTokenCount":7,"candidatesTokenCount":{count}}}'
        ),
    ),
    REPLIES,
)

SPOKEN = st.builds(
    Turn,
    role=st.sampled_from(["user"] * 4 + ["assistant"] * 4 + ["system", "tool"]),
    parts=st.tuples(
        st.sampled_from(
            [Text(text="a")] * 12 + [Text(text=""), Text(text="é\ud83d"), Text(text="a", cache=CacheMark()), Thinking(text="a")]
        )
    ),
    name=st.sampled_from([None] * 9 + ["Ann"]),
)  # fmt: skip
SAMPLINGS = st.builds(
    Sampling,
    temperature=st.sampled_from([None, 0, 0.5, 1, 1.9, 3]),
    top_p=st.sampled_from([None, 1, 0.5]),
    max_tokens=st.sampled_from([None, 1, 100]),
    top_k=st.sampled_from([None] * 5 + [1]),
    stop=st.sampled_from([()] * 5 + [("a",), tuple("abcdefg")]),
    n=st.sampled_from([None] * 5 + [1, 9]),
    seed=st.sampled_from([None] * 5 + [1]),
    presence_penalty=st.sampled_from([None] * 5 + [0]),
    frequency_penalty=st.sampled_from([None] * 5 + [0]),
    logit_bias=st.sampled_from([None] * 5 + [{}, {"1": 1}]),
    logprobs=st.sampled_from([None] * 5 + [False]),
    top_logprobs=st.sampled_from([None] * 5 + [0]),
)
REQUESTS = st.builds(
    ChatRequest,
    dialect=st.sampled_from(["anthropic", "openai_chat", "gemini"]),
    model=st.just("m"),
    turns=st.lists(SPOKEN, max_size=3).map(tuple),
    system=st.lists(st.sampled_from([Text(text="a"), Text(text="b"), Text(text="")]), max_size=2).map(tuple),
    sampling=SAMPLINGS,
    stream=st.booleans(),
    cache=st.sampled_from([CacheHints()] * 9 + [CacheHints(key="k")]),
    identity=st.sampled_from([Identity()] * 9 + [Identity(user="u")]),
    state=st.sampled_from([State()] * 9 + [State(background=True), State(store=True), State(store=False)]),
    extra=st.sampled_from([{}] * 9 + [{"openai_chat": {"x": 1}}, {"gemini": {"generationConfig": {"x": 1}}}]),
)
DEPLOYMENTS = st.sampled_from(
    [CAPS, CAPS, CAPS, changed(CAPS, sampling=False), changed(CAPS, temperature_max=1.0), changed(CAPS, output_max=50),
     changed(CAPS, output_default=7), changed(CAPS, prefill=True)]
)  # fmt: skip

PARTS_SAID = st.sampled_from(
    [Text(text="a")] * 9
    + [Text(text=""), Text(text="é\ud83d"), Text(text="a", id="i"), Text(text="a", annotations=(Annotation(kind="url", url="http://a/", start=0, end=1),)),
       Text(text="a", extra={"gemini": {"x": 1}}), Text(text="a", extra={"anthropic": {"x": 1}}),
       Text(text="a", logprobs=[{"token": "a"}]), Thinking(text="a"), ToolCall(call_id="c", name="f"),
       Text(text="a", seals=(Seal(origin="gemini", scope="", form="thought", value="c2ln"),))]
)  # fmt: skip
CHOICES = st.builds(
    Choice,
    index=st.sampled_from([0, 0, 1]),
    parts=st.one_of(st.tuples(PARTS_SAID), st.lists(PARTS_SAID, max_size=2).map(tuple)),
    finish=st.builds(
        Finish,
        reason=st.sampled_from(["stop", "length", "content_filter"]),
        native=st.sampled_from(["", "end_turn", "SPII"]),
        detail=st.sampled_from([None] * 9 + ["why"]),
    ),
    logprobs=st.sampled_from([None] * 9 + [[{"token": "a"}]]),
)
COUNTED = st.sampled_from([None, None, 0, 7])
RESPONSES = st.builds(
    ChatResponse,
    id=st.just("i"),
    model=st.just("m"),
    choices=st.one_of(st.tuples(CHOICES), st.lists(CHOICES, max_size=2).map(tuple)),
    usage=st.none() | st.builds(
        Usage, input_tokens=COUNTED, output_tokens=COUNTED, reasoning_tokens=COUNTED, tool_prompt_tokens=COUNTED
    ),
    extra=st.sampled_from(
        [{}] * 9 + [{"anthropic": {"x": 1}}, {"gemini": {"candidates": {"0": {"avgLogprobs": 1}}}},
                    {"gemini": {"promptFeedback": {"blockReason": "SAFETY"}}}]
    ),
)  # fmt: skip
