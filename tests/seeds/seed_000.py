"""The requests of seed 000, in the order of the document. Its SDK examples (§6) are in test_seed_sdks.py."""

from seeds.example import Example, chat, function, shown

HELPFUL = "You are a helpful assistant."
POEM = "用英文写一首关于春天的短诗"
TRENDS = "2026年最新AI技术趋势是什么?"
QUEUE = "设计一个高并发消息队列的架构方案"
PICTURE = shown("请详细描述这张图片的内容", "/images/159cfc58_opt_token1.png")
WEATHER = function(
    "get_weather",
    "获取指定城市的天气信息",
    {"city": {"type": "string", "description": "城市名称"}},
    ["city"],
)
BOOK = {
    "type": "object",
    "properties": {"title": {"type": "string"}, "author": {"type": "string"}, "year": {"type": "integer"}},
    "required": ["title", "author", "year"],
}
BOOKS = {
    "type": "json_schema",
    "json_schema": {
        "name": "books",
        "strict": True,
        "schema": {
            "type": "object",
            "properties": {"books": {"type": "array", "items": BOOK}},
            "required": ["books"],
        },
    },
}

HARD = {
    "openai_chat": '"reasoning_effort": "high"',
    "openai_responses": '"effort": "high"',
    "anthropic": '"budget_tokens": 1536',  # 4096, as §2.3 says, lowered to three quarters of max_tokens
    "gemini": '"thinkingLevel": "HIGH"',
}
SEARCH = {
    "openai_responses": '"type": "web_search"',
    "anthropic": '"type": "web_search_20250305"',
    "gemini": '"googleSearch"',
}


def messages(place: str, prompt: str, **fields: object) -> Example:
    body = {
        "model": "Claude-Sonnet-4.6",
        "max_tokens": 1024,
        "messages": [{"role": "user", "content": prompt}],
        **fields,
    }
    return Example(place, "text", body, "/v1/messages", "x-api-key")


def responses(place: str, prompt: str, **fields: object) -> Example:
    return Example(place, "text", {"model": "GPT-5.5", "input": prompt, **fields}, "/v1/responses")


EXAMPLES = (
    messages("000 Messages request", "Hello!", system=HELPFUL),
    messages("000 Messages stream", POEM, stream=True),
    chat("000 1.5 basic 3.1 Pro", "text", "Gemini-3.1-Pro", "介绍一下 Gemini 3.1 Pro 的核心能力", HELPFUL,
         temperature=0.7, max_tokens=2048),
    chat("000 1.5 basic 3.5 Flash", "text", "Gemini-3.5-Flash", "用一句话介绍量子计算", HELPFUL,
         temperature=0.7, max_tokens=1024),
    chat("000 1.5 basic 3.1 Flash", "text", "Gemini-3.1-Flash", "用一句话介绍量子计算", HELPFUL,
         temperature=0.7, max_tokens=1024),
    chat("000 1.5 thinking", "thinking", "Gemini-3.1-Pro", QUEUE + ",要求支持百万级 QPS",
         reaches=HARD | {"anthropic": '"budget_tokens": 4096'},
         extra_body={"google": {"thinking_config": {"thinking_level": "HIGH", "include_thoughts": True}}}),
    chat("000 1.5 stream", "text", "Gemini-3.5-Flash", POEM, stream=True),
    chat("000 1.5 picture", "picture", "Gemini-3.1-Pro", PICTURE, max_tokens=1024),
    chat("000 1.5 Function Calling", "tool", "Gemini-3.1-Pro", "上海今天天气怎么样?", tools=[WEATHER],
         tool_choice="auto"),
    chat("000 1.5 googleSearch", "search", "Gemini-3.5-Flash", TRENDS, reaches=SEARCH,
         tools=[function("googleSearch", "搜索网络获取最新信息", {}, None)]),
    chat("000 1.5 JSON Schema", "json", "Gemini-3.1-Pro", "列出5本科幻小说,包含书名、作者和出版年份",
         response_format=BOOKS),
    chat("000 2.4 basic", "text", "Claude-Sonnet-4.6", "介绍一下 Claude Sonnet 4.6 的核心能力", HELPFUL,
         temperature=0.7, max_tokens=1024),
    chat("000 2.4 thinking", "thinking", "Claude-Opus-4.6", QUEUE, max_tokens=2048, reasoning_effort="high",
         reaches=HARD),
    chat("000 2.4 stream", "text", "Claude-Sonnet-4.6", POEM, stream=True, max_tokens=1024),
    chat("000 2.4 web search", "search", "Claude-Sonnet-4.6", TRENDS, reaches=SEARCH | {"anthropic": '"max_uses": 5'},
         web_search_options={"search_context_size": "medium"}, max_tokens=2048),
    chat("000 2.4 Function Calling", "tool", "Claude-Sonnet-4.6", "北京今天天气怎么样?", tools=[WEATHER],
         tool_choice="auto", max_tokens=1024),
    chat("000 2.4 picture", "picture", "Claude-Sonnet-4.6", PICTURE, max_tokens=1024),
    responses("000 3.2 Responses request", "用一句话介绍量子计算"),
    responses("000 3.2 Responses stream", POEM, stream=True),
    chat("000 3.4 basic 5.5", "text", "GPT-5.5", "介绍一下 GPT-5.5 的核心能力", HELPFUL, temperature=0.7,
         max_tokens=1024),
    chat("000 3.4 basic 5.4 Mini", "text", "GPT-5.4-Mini", "用一句话介绍量子计算", HELPFUL, temperature=0.7,
         max_tokens=1024),
    chat("000 3.4 reasoning", "thinking", "GPT-5.5", QUEUE, reasoning_effort="high", max_tokens=2048,
         reaches=HARD),
    chat("000 3.4 stream", "text", "GPT-5.5", POEM, stream=True, max_tokens=1024),
    chat("000 3.4 web search", "search", "GPT-5.5", TRENDS, reaches=SEARCH, tools=[{"type": "web_search_preview"}],
         tool_choice="auto", max_tokens=2048),
    chat("000 3.4 Function Calling", "tool", "GPT-5.5", "上海今天天气怎么样?", tools=[WEATHER],
         tool_choice="auto"),
    chat("000 3.4 JSON Object", "json", "GPT-5.5", "列出5本科幻小说,包含书名、作者和出版年份,以JSON格式返回",
         response_format={"type": "json_object"}),
    chat("000 4.4 basic Fast", "text", "Grok-4.1-Fast", "介绍一下 Grok 4.1 Fast 的核心能力", HELPFUL,
         temperature=0.7, max_tokens=1024),
    chat("000 4.4 basic Fast Reasoning", "thinking", "Grok-4.1-Fast-Reasoning", QUEUE, HELPFUL, reaches=HARD,
         reasoning_effort="high", max_tokens=2048),
    chat("000 4.4 stream", "text", "Grok-4.1-Fast", POEM, stream=True, max_tokens=1024),
    chat("000 4.4 Function Calling", "tool", "Grok-4.1-Fast", "上海今天天气怎么样?", tools=[WEATHER],
         tool_choice="auto"),
)  # fmt: skip
