"""The requests of seed 004, in the order of the document.

Two of its pages (Chat, and tools calling) print their schema with the types in place of values: the model is "string".
Sent as printed they are answered with the 400 that names the first such place. `BEYOND` are the examples of the
document that ask for something else than a conversation.
"""

from typing import Any

from seeds.example import Example, chat, shown

UNICORN = [{"role": "user", "content": "Write a one-sentence bedtime story about a unicorn."}]
STEP = {
    "type": "object",
    "properties": {"explanation": {"type": "string"}, "output": {"type": "string"}},
    "required": ["explanation", "output"],
    "additionalProperties": False,
}
MATH_REASONING = {
    "type": "json_schema",
    "json_schema": {
        "name": "math_reasoning",
        "schema": {
            "type": "object",
            "properties": {"steps": {"type": "array", "items": STEP}, "final_answer": {"type": "string"}},
            "required": ["steps", "final_answer"],
            "additionalProperties": False,
        },
        "strict": True,
    },
}
TYPES_ONLY = {
    "model": "string",
    "messages": [{"role": "string", "content": "string"}],
    "temperature": 0,
    "top_p": 0,
    "n": 0,
    "stream": True,
    "stop": "string",
    "max_tokens": 0,
    "presence_penalty": 0,
    "frequency_penalty": 0,
    "logit_bias": None,
    "user": "string",
    "response_format": {},
    "seen": 0,
    "tools": ["string"],
    "tool_choice": {},
}


def responses(place: str, shows: Any, model: str, content: list[Any], **fields: Any) -> Example:
    return Example(place, shows, {"model": model, "input": content, **fields}, "/v1/responses")


EXAMPLES = (
    Example(
        "004 Gemini's own format", "thinking",
        {"contents": [{"parts": [{"text": "Explain how AI works in a few words"}]}],
         "generationConfig": {"thinkingConfig": {"thinkingBudget": 128, "includeThoughts": True}}},
        "/v1beta/models/gemini-2.5-pro:generateContent",
        reaches={"gemini": '"thinkingBudget": 128',
                 "openai_chat": '"reasoning_effort": "minimal"', "openai_responses": '"effort": "minimal"'},
    ),
    Example("004 Chat", "types", TYPES_ONLY),
    chat("004 Chat stream", "text", "gpt-3.5-turbo", "Hello!", "You are a helpful assistant.", stream=True),
    chat("004 Chat with a picture", "picture", "gpt-4o",
         shown("这张图片有什么", "/dianping/cat/raw/master/cat-home/src/main/webapp/images/logo/cat_logo03.png"),
         stream=False, max_tokens=400),
    chat("004 Chat with a video", "video", "gemini-2.5-pro-preview-05-06",
         shown("这个视频讲了什么？", "/bs2/upload-kling-api/9940478466/image2video/ChDGZWhmQd8AAAAAAWo7kg-0_raw_video_2.mp4"),
         stream=True, max_tokens=4000),
    chat("004 Chat structured output", "json", "gpt-4o-2024-08-06", "9.11和9.8谁大",
         "You are a helpful math tutor. Guide the user through the solution step by step.",
         response_format=MATH_REASONING),
    Example("004 Chat tools", "types", TYPES_ONLY),
    chat("004 Chat Claude thinking", "text", "claude-3-7-sonnet-20250219-thinking", "Hello!",
         reaches={"anthropic": '"thinking": {"type": "enabled"'}),
    Example("004 gpt-3.5-turbo-instruct", "length",
            {"model": "gpt-3.5-turbo-instruct", "prompt": "Say this is a test", "max_tokens": 7, "temperature": 0},
            "/v1/completions"),
    responses("004 Responses", "text", "gpt-4.1", UNICORN),
    responses("004 Responses stream", "text", "gpt-4.1", UNICORN, stream=True),
    responses("004 Responses web search", "search", "o3-deep-research-2025-06-26",
              [{"role": "user", "content": "hi"}], tools=[{"type": "web_search_preview"}]),
)  # fmt: skip

BEYOND = {
    "004 Nano-banana generations": "pictures",
    "004 Nano-banana edits": "pictures",
    "004 Nano-banana in Gemini's format": "pictures",
    "004 Edits": "pictures",
    "004 Seedance create": "tasks",
    "004 Seedance query": "tasks",
}
BEYOND_MAX = 6
