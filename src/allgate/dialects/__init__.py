"""Formats: one name each. A dialect knows its format and nothing about who speaks it.

`CHAT_DIALECTS` is the table: adding a dialect is one folder and one line here.
"""

from collections.abc import Mapping

from allgate.dialects.contract import ChatDialect

CHAT_DIALECTS: Mapping[str, ChatDialect] = {}
