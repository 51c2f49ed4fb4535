"""What a user of Anthropic's SDK does, in whichever major the running Python has.

Run as `python anthropic_tour.py BASE_URL KEY MODEL…` by test_tours.py, in this environment and in older ones.
"""

import json

import anthropic
import tour

TOOL = {"name": tour.NAME, "description": tour.ABOUT, "input_schema": tour.CITY}
PICTURE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": tour.PNG}}
DOCUMENT = {
    "type": "document",
    "source": {"type": "base64", "media_type": "application/pdf", "data": tour.PDF},
}


def messages(base_url: str, key: str, model: str) -> dict[str, object]:
    client = anthropic.Anthropic(base_url=base_url, api_key=key, max_retries=0)

    def said(content, more):
        first = [{"role": "user", "content": content}]
        return {"model": model, "max_tokens": 4096, "messages": first, **more}

    def ask(content, **more):
        return client.messages.create(**said(content, more))

    def streamed(content, **more):
        with client.messages.stream(**said(content, more)) as events:
            return "".join(events.text_stream), events.get_final_message()

    answer = ask(tour.HELLO)
    stream, final = streamed(tour.HELLO)
    called = ask(tour.RAIN, tools=[TOOL], tool_choice={"type": "any"})
    (call,) = (block for block in called.content if block.type == "tool_use")
    result = {"type": "tool_result", "tool_use_id": call.id, "content": tour.WEATHER}
    history = [
        {"role": "user", "content": tour.RAIN},
        {"role": "assistant", "content": called.content},
        {"role": "user", "content": [result]},
    ]
    after, _ = streamed("", messages=history, tools=[TOOL])
    _, thought = streamed(tour.HELLO, thinking={"type": "enabled", "budget_tokens": 1024})
    form = {"format": {"type": "json_schema", "schema": tour.BOOK}}
    nobody = client.with_options(api_key="sk-nobody")
    return {
        "models": sorted(model.id for model in client.models.list()),
        "text": answer.content[0].text,
        "finish": answer.stop_reason,
        "tokens": answer.usage.input_tokens + answer.usage.output_tokens,
        "stream": stream,
        "stream_tokens": final.usage.input_tokens + final.usage.output_tokens,
        "counted": client.messages.count_tokens(
            model=model, messages=[{"role": "user", "content": tour.HELLO}]
        ).input_tokens,
        "call": [call.name, sorted(call.input), called.stop_reason],
        "after_call": after,
        "thinking": "".join(block.thinking for block in thought.content if block.type == "thinking"),
        "signed": all(block.signature for block in thought.content if block.type == "thinking"),
        "picture": text_of(ask([{"type": "text", "text": tour.LOOK}, PICTURE])),
        "document": text_of(ask([{"type": "text", "text": tour.LOOK}, DOCUMENT])),
        "form": sorted(json.loads(text_of(ask(tour.FORM, output_config=form)))),
        "wrong_key": failure(lambda: nobody.messages.create(**said(tour.HELLO, {}))),
        "wrong_model": failure(lambda: ask(tour.HELLO, model="no-such-model")),
        "wrong_body": failure(lambda: ask(tour.HELLO, messages=[])),
        "limited": failure(lambda: ask(tour.LIMITED)),
        "overloaded": failure(lambda: ask(tour.OVERLOADED)),
        "broken": tour.broken(anthropic.APIError, lambda: spoken(ask(tour.BROKEN, stream=True))),
    }


def text_of(message) -> str:
    return "".join(block.text for block in message.content if block.type == "text")


def spoken(events):
    for event in events:
        if event.type == "content_block_delta" and event.delta.type == "text_delta":
            yield event.delta.text


def failure(run) -> list[object]:
    return tour.failure(anthropic.APIError, "status_code", run)


if __name__ == "__main__":
    tour.main(lambda *where: {"messages": messages(*where)})
