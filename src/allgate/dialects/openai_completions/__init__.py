"""Legacy text completions: one text in, its continuation out.

request      the prompt as one user turn, and back into a prompt for an engine that completes texts itself
reply        the answer as `choices[].text`, whole and streamed
dialect      both, on chat's readers: replies of the two endpoints differ only in their choices
"""

from allgate.dialects.contract import ChatDialect
from allgate.dialects.openai_completions.dialect import OpenAiCompletions

__all__ = ["OPENAI_COMPLETIONS"]

OPENAI_COMPLETIONS: ChatDialect = OpenAiCompletions()
