"""Who: base URL, sign-in, dialects spoken, quirks. Knows nothing about a format.

Providers with a module of their own stand in the table here; compatible vendors are TOML rows beside it, which
`wiring` reads and `row.provider_from` parses. Both make the same value, and a name may appear once.
"""

from collections.abc import Iterable

from allgate.providers.anthropic import ANTHROPIC
from allgate.providers.gemini import GEMINI
from allgate.providers.openai import OPENAI
from allgate.providers.provider import Provider
from allgate.providers.simulator import SIMULATOR
from allgate.providers.xai import XAI

PROVIDERS: tuple[Provider, ...] = (OPENAI, ANTHROPIC, GEMINI, XAI, SIMULATOR)


def provider_table(rows: Iterable[Provider]) -> dict[str, Provider]:
    """Every provider by name: the table above and these rows. Raises: ValueError: a name appears twice."""
    table: dict[str, Provider] = {}
    for provider in (*PROVIDERS, *rows):
        if provider.name in table:
            raise ValueError(f"two providers are named {provider.name!r}; names are unique")
        table[provider.name] = provider
    return table
