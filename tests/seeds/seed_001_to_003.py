"""The requests of seeds 001, 002 and 003. The other pages of 001 and 002 stand in their menus by name alone."""

from seeds.example import Example, chat, function, shown

CURRENT_WEATHER = function(
    "get_current_weather",
    "获取指定位置的当前天气",
    {
        "location": {"type": "string", "description": "城市和州,例如 San Francisco, CA"},
        "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
    },
    ["location"],
)
CITIES = "列出前5个最大的城市:"

EXAMPLES = (
    chat("001 tool calling", "tool", "gpt-4.1-mini", "波士顿今天的天气怎么样?", tools=[CURRENT_WEATHER],
         tool_choice="auto"),
    Example(
        "002 thinking", "thinking",
        {"model": "claude-sonnet-4-5-20250929", "max_tokens": 2048, "temperaure": 0.6,
         "messages": [{"role": "user", "content": "你好克劳德"}],
         "thinking": {"type": "enabled", "budget_tokens": 1024}},
        "/v1/messages", "x-api-key",
        {"openai_chat": '"reasoning_effort": "low"', "openai_responses": '"effort": "low"',
         "anthropic": '"budget_tokens": 1024', "gemini": '"thinkingLevel": "LOW"'},
    ),
    chat("003 plain message", "text", "gpt-4o-mini", "你好,请介绍一下你自己"),
    chat("003 message with a picture", "picture", "gpt-4o", shown("这张图片里有什么?", "/image.jpg")),
    chat("003 request", "text", "gpt-4o-mini", "请介绍一下API易平台的特色功能",
         "你是一个专业的AI助手,请用中文回答问题。", temperature=0.7, max_tokens=500),
    chat("003 stream", "text", "gpt-4o-mini", "写一首关于AI的诗", stream=True),
    chat("003 GPT-4o Vision", "picture", "gpt-4o", shown("描述这张图片的内容", "/image.jpg", detail="high")),
    Example(
        "003 Claude's own format", "text",
        {"model": "claude-3-5-sonnet-20241022", "max_tokens": 1000,
         "messages": [{"role": "user", "content": "Hello, Claude!"}]},
        "/v1/messages",
    ),
    chat("003 O1", "text", "o1-preview", "解决这个数学问题:如果一个数的平方等于64,这个数是多少?"),
    chat("003 prompt", "text", "gpt-4o-mini", "请解释什么是RESTful API,并给出一个Python示例",
         "你是一个专业的技术文档写作助手。请用清晰、准确的语言回答问题,如果涉及代码,请提供完整的示例。", temperature=0.3),
    chat("003 length", "text", "gpt-4o-mini", "用100字以内总结人工智能的发展历程", max_tokens=150),
    chat("003 stop words", "text", "gpt-4o-mini", CITIES, stop=["6."]),
    chat("003 error", "missing model", "gpt-4o-invalid", "hi"),
)  # fmt: skip
