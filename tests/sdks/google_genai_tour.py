"""What a user of Google's Gen AI SDK does, in whichever major the running Python has.

Run as `python google_genai_tour.py BASE_URL KEY MODEL…` by test_tours.py, in this environment and in older ones.
"""

import base64
import json

import tour
from google import genai
from google.genai import errors, types

TOOL = types.Tool(
    function_declarations=[
        types.FunctionDeclaration(name=tour.NAME, description=tour.ABOUT, parameters_json_schema=tour.CITY)
    ]
)
FORCED = types.ToolConfig(function_calling_config=types.FunctionCallingConfig(mode="ANY"))
BY_HAND = types.AutomaticFunctionCallingConfig(disable=True)


def generate(base_url: str, key: str, model: str) -> dict[str, object]:
    client = client_of(base_url, key)

    def ask(contents, model=model, **config):
        return client.models.generate_content(
            model=model, contents=contents, config=types.GenerateContentConfig(**config)
        )

    def streamed(contents, **config):
        return client.models.generate_content_stream(
            model=model, contents=contents, config=types.GenerateContentConfig(**config)
        )

    def shown(mime, data):
        return [tour.LOOK, types.Part.from_bytes(data=base64.b64decode(data), mime_type=mime)]

    answer = ask(tour.HELLO)
    chunks = list(streamed(tour.HELLO))
    called = ask(tour.RAIN, tools=[TOOL], tool_config=FORCED, automatic_function_calling=BY_HAND)
    (call,) = called.function_calls
    result = types.FunctionResponse(id=call.id, name=call.name, response={"output": tour.WEATHER})
    history = [
        types.Content(role="user", parts=[types.Part(text=tour.RAIN)]),
        called.candidates[0].content,
        types.Content(role="user", parts=[types.Part(function_response=result)]),
    ]
    after = streamed(history, tools=[TOOL], automatic_function_calling=BY_HAND)
    thought = ask(
        tour.HELLO, thinking_config=types.ThinkingConfig(include_thoughts=True, thinking_level="HIGH")
    )
    form = ask(tour.FORM, response_mime_type="application/json", response_json_schema=tour.BOOK)
    nobody = client_of(base_url, "sk-nobody")
    return {
        "models": sorted(model.name.removeprefix("models/") for model in client.models.list()),
        "text": answer.text,
        "finish": answer.candidates[0].finish_reason.name,
        "tokens": answer.usage_metadata.total_token_count,
        "stream": "".join(spoken(chunks)),
        "stream_tokens": chunks[-1].usage_metadata.total_token_count,
        "counted": client.models.count_tokens(model=model, contents=tour.HELLO).total_tokens,
        "call": [call.name, sorted(call.args), called.candidates[0].finish_reason.name],
        "after_call": "".join(spoken(after)),
        "thinking": "".join(part.text or "" for part in thought.candidates[0].content.parts if part.thought),
        "picture": ask(shown("image/png", tour.PNG)).text,
        "document": ask(shown("application/pdf", tour.PDF)).text,
        "form": sorted(json.loads(form.text)),
        "wrong_key": failure(lambda: nobody.models.generate_content(model=model, contents="hello")),
        "wrong_model": failure(lambda: ask(tour.HELLO, model="no-such-model")),
        "wrong_body": failure(lambda: ask([types.Content(role="robot", parts=[types.Part(text="hello")])])),
        "limited": failure(lambda: ask(tour.LIMITED)),
        "overloaded": failure(lambda: ask(tour.OVERLOADED)),
        "broken": tour.broken(errors.APIError, lambda: spoken(streamed(tour.BROKEN))),
    }


def client_of(base_url: str, key: str) -> genai.Client:
    return genai.Client(api_key=key, vertexai=False, http_options={"base_url": base_url})


def spoken(chunks):
    for chunk in chunks:
        for candidate in chunk.candidates or ():
            parts = (candidate.content.parts if candidate.content else None) or ()
            yield "".join(part.text or "" for part in parts if not part.thought)


def failure(run) -> list[object]:
    return tour.failure(errors.APIError, "code", run)


if __name__ == "__main__":
    tour.main(lambda *where: {"generate": generate(*where)})
