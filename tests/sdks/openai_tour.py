"""What a user of OpenAI's SDK does with Chat Completions and Responses, in whichever major the running Python has.

Run as `python openai_tour.py BASE_URL KEY MODEL…` by test_tours.py, in this environment and in older ones.
"""

import json

import openai
import tour

TOOL = {
    "type": "function",
    "function": {"name": tour.NAME, "description": tour.ABOUT, "parameters": tour.CITY},
}
PICTURE = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{tour.PNG}"}}
DOCUMENT = {
    "type": "file",
    "file": {"filename": "a.pdf", "file_data": f"data:application/pdf;base64,{tour.PDF}"},
}
FORM = {"type": "json_schema", "json_schema": {"name": "book", "strict": True, "schema": tour.BOOK}}


def chat(base_url: str, key: str, model: str) -> dict[str, object]:
    client = openai.OpenAI(base_url=base_url, api_key=key, max_retries=0)

    def ask(content, **more):
        messages = [{"role": "user", "content": content}]
        return client.chat.completions.create(**{"model": model, "messages": messages, **more})

    def texts(chunks):
        return (chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)

    answer = ask(tour.HELLO)
    chunks = list(ask(tour.HELLO, stream=True, stream_options={"include_usage": True}))
    called = ask(tour.RAIN, tools=[TOOL], tool_choice="required").choices[0]
    (call,) = called.message.tool_calls
    with client.chat.completions.stream(
        model=model,
        tools=[TOOL],
        messages=[
            {"role": "user", "content": tour.RAIN},
            called.message,
            {"role": "tool", "tool_call_id": call.id, "content": tour.WEATHER},
        ],
    ) as events:
        after = events.get_final_completion().choices[0].message.content
    thought = ask(tour.HELLO, reasoning_effort="high").choices[0].message
    nobody = client.with_options(api_key="sk-nobody")
    return {
        "models": sorted(model.id for model in client.models.list()),
        "text": answer.choices[0].message.content,
        "finish": answer.choices[0].finish_reason,
        "tokens": answer.usage.total_tokens,
        "stream": "".join(texts(chunks)),
        "stream_tokens": chunks[-1].usage.total_tokens,
        "call": [call.function.name, sorted(json.loads(call.function.arguments)), called.finish_reason],
        "after_call": after,
        "thinking": getattr(thought, "reasoning_content", None) or "",
        "picture": ask([{"type": "text", "text": tour.LOOK}, PICTURE]).choices[0].message.content,
        "document": ask([{"type": "text", "text": tour.LOOK}, DOCUMENT]).choices[0].message.content,
        "form": sorted(json.loads(ask(tour.FORM, response_format=FORM).choices[0].message.content)),
        "wrong_key": failure(lambda: nobody.models.list()),
        "wrong_model": failure(lambda: ask(tour.HELLO, model="no-such-model")),
        "wrong_body": failure(lambda: ask(tour.HELLO, messages="hello")),
        "limited": failure(lambda: ask(tour.LIMITED)),
        "overloaded": failure(lambda: ask(tour.OVERLOADED)),
        "broken": tour.broken(openai.APIError, lambda: texts(ask(tour.BROKEN, stream=True))),
    }


def responses(base_url: str, key: str, model: str) -> dict[str, object]:
    client = openai.OpenAI(base_url=base_url, api_key=key, max_retries=0)

    def ask(content, **more):
        return client.responses.create(**{"model": model, "input": content, **more})

    def shown(part):
        return [{"role": "user", "content": [{"type": "input_text", "text": tour.LOOK}, part]}]

    answer = ask(tour.HELLO)
    events = list(ask(tour.HELLO, stream=True))
    tool = {
        "type": "function",
        "name": tour.NAME,
        "description": tour.ABOUT,
        "parameters": tour.CITY,
        "strict": False,
    }
    called = ask(tour.RAIN, tools=[tool], tool_choice="required")
    (call,) = (item for item in called.output if item.type == "function_call")
    result = {"type": "function_call_output", "call_id": call.call_id, "output": tour.WEATHER}
    history = [{"role": "user", "content": tour.RAIN}, *called.output, result]
    with client.responses.stream(model=model, input=history, tools=[tool]) as stream:
        after = stream.get_final_response().output_text
    thought = ask(tour.HELLO, reasoning={"effort": "high", "summary": "auto"})
    picture = {"type": "input_image", "detail": "auto", "image_url": PICTURE["image_url"]["url"]}
    document = {"type": "input_file", **DOCUMENT["file"]}
    form = {"format": {"type": "json_schema", "name": "book", "strict": True, "schema": tour.BOOK}}
    return {
        "text": answer.output_text,
        "finish": answer.status,
        "tokens": answer.usage.total_tokens,
        "stream": "".join(spoken(events)),
        "stream_tokens": events[-1].response.usage.total_tokens,
        "call": [call.name, sorted(json.loads(call.arguments)), called.status],
        "after_call": after,
        "thinking": "".join(
            part.text for item in thought.output if item.type == "reasoning" for part in item.summary
        ),
        "picture": ask(shown(picture)).output_text,
        "document": ask(shown(document)).output_text,
        "form": sorted(json.loads(ask(tour.FORM, text=form).output_text)),
        "wrong_model": failure(lambda: ask(tour.HELLO, model="no-such-model")),
        "wrong_body": failure(lambda: ask(7)),
        "limited": failure(lambda: ask(tour.LIMITED)),
        "overloaded": failure(lambda: ask(tour.OVERLOADED)),
        "broken": tour.broken(openai.APIError, lambda: spoken(ask(tour.BROKEN, stream=True))),
    }


def spoken(events):
    """The words of a stream. That the response failed is its last event, which the SDK leaves to its user."""
    for event in events:
        if event.type == "response.output_text.delta":
            yield event.delta
        if event.type == "response.failed":
            raise openai.APIError(event.response.error.message, request=None, body=None)


def failure(run) -> list[object]:
    return tour.failure(openai.APIError, "status_code", run)


if __name__ == "__main__":
    tour.main(lambda *where: {"chat": chat(*where), "responses": responses(*where)})
