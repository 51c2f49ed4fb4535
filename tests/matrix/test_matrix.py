"""The recordings matrix: every real reply, asked for in all four dialects, read by the vendors' own SDKs.

The reply of a recording is replayed as the provider's answer. What the provider's SDK reads from it directly is the truth; what
the client's SDK reads through the gateway must be the same text, thinking, calls, finish and token totals.
"""

from collections import Counter
from pathlib import Path

import anthropic
import openai
import pytest
from declared import declared_tools
from google.genai import errors as genai_errors
from readings import FAULT, Reading, Sdk, Tools
from recorded import Recording, recordings
from replay import replay

from stand import KEY, serving

DIALECTS = ("openai_chat", "openai_responses", "anthropic", "gemini")
CASES_MIN = 1_360
VENDOR_ERRORS = (openai.OpenAIError, anthropic.AnthropicError, genai_errors.APIError)

# The row of ours that speaks for a recorded provider where the names differ.
ROWS = {"azure": "openai", "google": "gemini", "zai": "zhipu", "dashscope": "qwen"}
GENERIC = {
    "openai_chat": "openai",
    "openai_responses": "openai",
    "anthropic": "anthropic",
    "gemini": "gemini",
}


@pytest.mark.parametrize("upstream", DIALECTS)
@pytest.mark.parametrize("client", DIALECTS)
async def test_every_recorded_reply_reads_the_same_through_the_gateway(
    upstream: str, client: str, shared: Path
) -> None:
    chosen = {f"rec-{n}": one for n, one in enumerate(recordings(shared)) if one.dialect == upstream}
    differences: list[tuple[str, str]] = []
    async with (
        replay(chosen) as origin,
        serving(_configuration(origin, chosen)) as gateway,
        Sdk(origin, "sk-x") as direct,
        Sdk(gateway.url, KEY) as through,
    ):
        for model, recording in chosen.items():
            text = await _difference(direct, through, client, model, recording)
            if text:
                differences.append((recording.id, text))
    print(f"{upstream} → {client}: {len(chosen) - len(differences)} of {len(chosen)} the same")
    assert not differences, "\n".join(f"{name}: {text}" for name, text in differences)


def test_enough_recordings_are_read(shared: Path) -> None:
    counts = Counter(recording.dialect for recording in recordings(shared))
    assert set(counts) == set(DIALECTS)
    assert counts.total() * len(DIALECTS) >= CASES_MIN


async def _difference(direct: Sdk, through: Sdk, client: str, model: str, recording: Recording) -> str:
    tools = declared_tools(recording)
    truth = await _read(direct, recording.dialect, model, recording, tools)
    seen = await _read(through, client, model, recording, tools)
    return _compared(truth, seen, client)


async def _read(
    sdk: Sdk, dialect: str, model: str, recording: Recording, tools: Tools
) -> Reading | Exception:
    try:
        return await sdk.read(dialect, model, recording.stream, tools)
    except Exception as error:
        return error


def _compared(truth: Reading | Exception, seen: Reading | Exception, client: str) -> str:
    if isinstance(truth, VENDOR_ERRORS):
        return (
            "" if isinstance(seen, VENDOR_ERRORS) else f"the vendor's SDK raises {truth!r}, ours reads {seen}"
        )
    if isinstance(truth, Exception):
        return ""  # the SDK cannot read its own vendor's reply: there is no truth to hold ours to
    if isinstance(seen, Exception):
        return f"raises {type(seen).__name__}: {str(seen)[:300]}"
    wrong = [name for name in Reading._fields if not _agree(name, truth, seen, client)]
    return "; ".join(
        f"{name} is {getattr(seen, name)!r:.200}, should be {getattr(truth, name)!r:.200}" for name in wrong
    )


def _agree(name: str, truth: Reading, seen: Reading, client: str) -> bool:
    """Equal, except where the client's dialect has no words for what the provider said."""
    if name == "tokens" and truth.tokens is None:
        return True  # the provider counted nothing
    if name == "finish" and truth.finish == FAULT:
        return seen.finish in (FAULT, "tool_calls", "stop")
    if name == "calls" and client in ("anthropic", "gemini"):
        return _whole(truth.calls) == _whole(seen.calls)
    return getattr(truth, name) == getattr(seen, name)


def _whole(calls: tuple[tuple[str, str], ...]) -> list[tuple[str, str]]:
    """Calls whose arguments were cut off by the length limit are text; a dialect of objects shows them empty or not."""
    return [
        (name, text)
        for name, text in calls
        if text.startswith(("{", "[")) and text.endswith(("}", "]")) and text != "{}"
    ]


def _configuration(origin: str, chosen: dict[str, Recording]) -> str:
    """One upstream for each provider's row and dialect, one model for each recording."""
    upstreams: dict[str, str] = {}
    models = []
    for model, recording in chosen.items():
        row = _row(recording)
        name = f"{row}-{recording.dialect}"
        base = origin + ("/v1" if recording.dialect.startswith("openai") else "")
        upstreams[name] = (
            f'[[upstreams]]\nname = "{name}"\nprovider = "{row}"\nbase_url = "{base}"\n'
            f'dialects = ["{recording.dialect}"]\ncredentials = ["sk-x"]\n'
        )
        models.append(
            f'[[models]]\nname = "{model}"\ndeployments = [{{ upstream = "{name}", model = "{model}" }}]\n'
            'price = { input = "1", output = "2", web_search = "0" }\n'
        )
    account = (
        f'[[accounts]]\nname = "test"\nbalance_usd = "1000000"\nkeys = [{{ name = "k", secret = "{KEY}" }}]\n'
    )
    return "\n".join(
        ('[server]\nlisten = "127.0.0.1:0"\ndrain_s = 0\n', *upstreams.values(), *models, account)
    )


def _row(recording: Recording) -> str:
    from allgate.wiring.registry import packaged_providers

    row = ROWS.get(recording.provider, recording.provider)
    provider = packaged_providers().get(row)
    speaks = provider is not None and provider.in_dialect(recording.dialect) is not None
    return row if speaks else GENERIC[recording.dialect]
