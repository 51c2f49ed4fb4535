import pytest

from allgate.core.errors import WireError
from allgate.core.value import changed
from allgate.operations.chat.parts import Thinking, ToolCall
from allgate.operations.chat.request import Reasoning, Sampling, Turn
from dialects.anthropic.exchange import (
    ADAPTIVE,
    BUDGET,
    FOREIGN,
    USER,
    answered,
    decoded,
    encoded,
    native,
    note_paths,
)

ENABLED = {"type": "enabled", "budget_tokens": 2048}


def thought(reasoning: Reasoning, caps=BUDGET, request=FOREIGN, **narrowed):
    """(thinking, effort) as they are sent with room for 32,000 tokens."""
    body = encoded(
        changed(request, reasoning=reasoning, sampling=Sampling(max_tokens=32_000)), caps, **narrowed
    )
    return body.get("thinking"), body.get("output_config", {}).get("effort")


@pytest.mark.parametrize(("effort", "budget"), [("low", 1280), ("medium", 2048), ("high", 4096)])
def test_an_effort_becomes_the_documented_budget(effort, budget):
    assert thought(Reasoning(effort=effort)) == ({"type": "enabled", "budget_tokens": budget}, None)


def test_none_switches_thinking_off():
    assert thought(Reasoning(effort="none")) == (None, None)
    assert thought(Reasoning(effort="none"), ADAPTIVE) == ({"type": "disabled"}, None)
    off = changed(ADAPTIVE, can_disable_thinking=False)
    assert thought(Reasoning(effort="none"), off) == ({"type": "adaptive"}, "low")


def test_dynamic_thinking_on_a_budget_model_is_the_vendor_s_default():
    assert thought(Reasoning(mode="adaptive"))[0] == {"type": "enabled", "budget_tokens": 4096}
    assert thought(Reasoning(budget_tokens=-1))[0] == {"type": "enabled", "budget_tokens": 4096}


def test_ruling_6_a_derived_budget_is_lowered_and_a_written_one_refused():
    request = changed(FOREIGN, sampling=Sampling(max_tokens=2048))
    derived = changed(request, reasoning=Reasoning(effort="high"))
    assert encoded(derived)["thinking"]["budget_tokens"] == 1536
    assert "reasoning.budget_tokens" in note_paths(derived)
    with pytest.raises(WireError):
        encoded(changed(request, reasoning=Reasoning(budget_tokens=4096)))
    small = changed(FOREIGN, sampling=Sampling(max_tokens=1024), reasoning=Reasoning(effort="high"))
    assert "thinking" not in encoded(small)


def test_a_budget_above_a_bound_that_we_lowered_is_lowered_too():
    request = changed(
        FOREIGN, sampling=Sampling(max_tokens=100_000), reasoning=Reasoning(budget_tokens=80_000)
    )
    body = encoded(request, budget_max=100_000)
    assert body["max_tokens"] == 64_000
    assert body["thinking"]["budget_tokens"] == 48_000


@pytest.mark.parametrize(
    ("reasoning", "effort"),
    [
        (Reasoning(effort="minimal"), "low"),
        (Reasoning(effort="xhigh"), "xhigh"),
        (Reasoning(budget_tokens=2048), "medium"),
        (Reasoning(level="high"), "high"),
        (Reasoning(mode="adaptive"), None),
    ],
)
def test_an_adaptive_model_gets_an_effort(reasoning, effort):
    assert thought(reasoning, ADAPTIVE) == ({"type": "adaptive", "display": "summarized"}, effort)


def test_what_a_client_does_not_want_to_see_is_omitted():
    assert thought(Reasoning(effort="low", show="none"), ADAPTIVE)[0] == {
        "type": "adaptive",
        "display": "omitted",
    }


@pytest.mark.parametrize(
    "thinking",
    [
        {"type": "adaptive"},
        {"type": "adaptive", "display": "omitted"},
        {"type": "adaptive", "display": "updates"},
        {"type": "between_tools"},
        {"type": "disabled"},
    ],
)
def test_a_client_of_the_vendor_gets_what_it_wrote(thinking):
    assert (
        encoded(decoded(thinking=thinking, output_config={"effort": "low"}), ADAPTIVE)["thinking"] == thinking
    )


@pytest.mark.parametrize("thinking", [ENABLED, {**ENABLED, "display": "omitted"}, {"type": "disabled"}])
def test_so_it_does_on_a_budget_model(thinking):
    assert encoded(decoded(thinking=thinking))["thinking"] == thinking


def test_a_budget_on_an_adaptive_model_becomes_an_effort():
    body = encoded(decoded(thinking=ENABLED), ADAPTIVE)
    assert (body["thinking"], body["output_config"]) == ({"type": "adaptive"}, {"effort": "medium"})


def test_an_effort_alone_of_a_client_of_the_vendor_does_not_start_thinking():
    body = encoded(decoded(output_config={"effort": "high"}), ADAPTIVE)
    assert "thinking" not in body
    assert body["output_config"] == {"effort": "high"}
    request = decoded(output_config={"effort": "high"})
    assert "output_config" not in encoded(request)
    assert "output_config.effort" in note_paths(request)


@pytest.mark.parametrize(("effort", "sent"), [("max", "high"), ("xhigh", "high"), ("medium", "medium")])
def test_without_thinking_an_effort_is_at_most_high(effort, sent):
    request = decoded(thinking={"type": "disabled"}, output_config={"effort": effort})
    assert encoded(request, ADAPTIVE)["output_config"] == {"effort": sent}


def test_interleaved_thinking_may_have_more_than_max_tokens():
    request = decoded(
        ((b"anthropic-beta", b"interleaved-thinking-2025-05-14"),),
        thinking={"type": "enabled", "budget_tokens": 20_000}, max_tokens=8_000,
    )  # fmt: skip
    assert encoded(request)["thinking"]["budget_tokens"] == 20_000


def test_a_model_that_does_not_think_is_not_asked_to():
    request = changed(FOREIGN, reasoning=Reasoning(effort="high"))
    assert "thinking" not in encoded(request, thinking="none")
    assert "reasoning" in note_paths(request, thinking="none")
    assert "reasoning" not in note_paths(
        changed(FOREIGN, reasoning=Reasoning(effort="none")), thinking="none"
    )


def sampling(thinking: bool = False, **wish):
    fields = {"sampling": Sampling(max_tokens=9_000, **wish)}
    if thinking:
        fields["reasoning"] = Reasoning(budget_tokens=2048)
    body = encoded(changed(FOREIGN, **fields))
    return {key: body[key] for key in ("temperature", "top_p", "top_k", "stop_sequences") if key in body}


def test_sampling_is_clamped_to_what_the_vendor_knows():
    assert sampling(temperature=1.7) == {"temperature": 1.0}
    assert sampling(temperature=0.3, top_p=0.5, top_k=4) == {"temperature": 0.3, "top_k": 4}
    assert sampling(top_p=0.5) == {"top_p": 0.5}
    assert sampling(stop=("END", " \n", "x")) == {"stop_sequences": ["END", "x"]}


def test_regression_35_while_thinking_only_what_does_no_harm_is_sent():
    assert sampling(True, temperature=0.3, top_p=0.9, top_k=4) == {}
    assert sampling(True, temperature=1, top_p=0.95) == {"top_p": 0.95}, (
        "newer models take only one of the two"
    )


def test_models_without_sampling_get_none():
    request = changed(FOREIGN, sampling=Sampling(max_tokens=9, temperature=0.3, top_k=1))
    assert "temperature" not in encoded(request, sampling=False)
    assert note_paths(request, sampling=False) == {"temperature", "top_k"}


def loop(*parts):
    turn = Turn(role="assistant", parts=(*parts, ToolCall(call_id="a", name="f", input="{}")))
    return changed(
        FOREIGN,
        turns=(USER, turn, answered("a")),
        reasoning=Reasoning(budget_tokens=2048),
        sampling=Sampling(max_tokens=9_000),
    )


def test_a_tool_loop_whose_thinking_is_lost_goes_on_without():
    assert "thinking" in encoded(loop(Thinking(text="hm", seals=(native(),))))
    assert "thinking" not in encoded(loop(Thinking(text="hm")))
    assert "thinking" in note_paths(loop())
    assert "thinking" in encoded(loop(), unsigned_thinking=True)
    assert "thinking" in encoded(loop(), ADAPTIVE)


def test_outside_a_loop_lost_thinking_does_no_harm():
    request = loop()
    assert "thinking" in encoded(
        changed(request, turns=(*request.turns, Turn(role="assistant", parts=USER.parts), USER))
    )
