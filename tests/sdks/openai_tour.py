"""What an OpenAI user does first, with whichever openai package the running Python has; prints what came of it as JSON.

Run as `python openai_tour.py BASE_URL KEY MODEL` by test_openai_tours.py, in this environment and in older ones.
"""

import json
import sys

import openai

TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather in a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


def main(base_url: str, key: str, model: str) -> dict[str, object]:
    client = openai.OpenAI(base_url=base_url, api_key=key, max_retries=0)
    ask = {"model": model, "messages": [{"role": "user", "content": "Say hello to the tour."}]}
    answer = client.chat.completions.create(**ask)
    chunks = list(client.chat.completions.create(**ask, stream=True, stream_options={"include_usage": True}))
    called = client.chat.completions.create(**ask, tools=[TOOL], tool_choice="required").choices[0]
    return {
        "models": sorted(model.id for model in client.models.list()),
        "text": answer.choices[0].message.content,
        "streamed": "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices),
        "finish": answer.choices[0].finish_reason,
        "tokens": [answer.usage.total_tokens, chunks[-1].usage.total_tokens],
        "tool": called.message.tool_calls[0].function.name,
        "tool_finish": called.finish_reason,
        "wrong_key": failure(client.with_options(api_key="sk-nobody"), ask),
        "wrong_model": failure(client, ask | {"model": "no-such-model"}),
        "wrong_body": failure(client, ask | {"messages": "hello"}),
    }


def failure(client: openai.OpenAI, ask: dict[str, object]) -> list[object]:
    """The class and status of the error that the SDK raises."""
    try:
        client.chat.completions.create(**ask)
    except openai.APIStatusError as error:
        return [type(error).__name__, error.status_code]
    return []


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
