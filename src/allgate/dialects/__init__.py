"""Formats: one name each. A dialect knows its format and nothing about who speaks it.

`CHAT_DIALECTS` is the table: adding a dialect is one folder and one line here. A name that stands twice stops the start.
"""

from collections.abc import Mapping

from allgate.dialects.anthropic import ANTHROPIC
from allgate.dialects.contract import ChatDialect
from allgate.dialects.gemini import GEMINI
from allgate.dialects.openai_chat import OPENAI_CHAT
from allgate.dialects.openai_completions import OPENAI_COMPLETIONS
from allgate.dialects.openai_responses import OPENAI_RESPONSES

_CHAT: tuple[ChatDialect, ...] = (OPENAI_CHAT, OPENAI_COMPLETIONS, OPENAI_RESPONSES, ANTHROPIC, GEMINI)

CHAT_DIALECTS: Mapping[str, ChatDialect] = {dialect.name: dialect for dialect in _CHAT}

if len(CHAT_DIALECTS) != len(_CHAT):
    raise ValueError("two dialects have the same name")
