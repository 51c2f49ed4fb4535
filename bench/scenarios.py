"""The table of what is measured. A new row is a new line here; nothing else names a scenario.

`client` and `upstream` are dialects. Where they are the same the bytes pass through, unless the way is `loose`; where they
differ they are translated. `answer` is how the mock replies: `unary`, one JSON body; `burst`, a stream all at once, which
shows the cost of a chunk when nothing waits; `paced`, 100 chunks at 40 a second, which is a fast model, and what a
gateway serves most of its life.
"""

from itertools import permutations
from typing import Literal, NamedTuple

Dialect = Literal["openai_chat", "openai_responses", "anthropic", "gemini"]
Answer = Literal["unary", "burst", "paced"]
Table = Literal["short", "promised", "full"]
Way = Literal["plain", "tls", "loose"]
"""To the mock: HTTP; TLS; or HTTP to a provider that is known to bend the dialect, so that nothing may pass through."""

DIALECTS: tuple[Dialect, ...] = ("openai_chat", "openai_responses", "anthropic", "gemini")
KB, MB = 1_000, 1_000_000


class Scenario(NamedTuple):
    client: Dialect
    upstream: Dialect
    answer: Answer
    connections: int
    prompt_bytes: int = KB
    way: Way = "plain"
    short: bool = False  # also a row of the short table
    goal_us: int | None = None  # CPU per request or chunk, as promised (docs/performance.md)

    @property
    def name(self) -> str:
        between = " → canonical → " if self.way == "loose" else " → "
        passes = self.client == self.upstream and self.way != "loose"
        crossing = self.client if passes else self.client + between + self.upstream
        return f"{crossing}, {self.answer}" + (", TLS upstream" if self.way == "tls" else "")

    @property
    def route(self) -> "Route":
        return Route(self.upstream, self.answer, self.way)

    @property
    def unit(self) -> Literal["request", "chunk"]:
        return "request" if self.answer == "unary" else "chunk"


class Route(NamedTuple):
    """One mock, and the model of the gateway that leads to it."""

    upstream: Dialect
    answer: Answer
    way: Way = "plain"

    @property
    def model(self) -> str:
        return f"bench-{self.upstream}-{self.answer}-{self.way}"


CHAT = (
    Scenario("openai_chat", "openai_chat", "unary", 1, short=True),
    Scenario("openai_chat", "openai_chat", "unary", 16),
    Scenario("openai_chat", "openai_chat", "unary", 64, short=True, goal_us=75),
    Scenario("openai_chat", "openai_chat", "unary", 256),
    Scenario("openai_chat", "openai_chat", "unary", 1, 100 * KB, short=True),
    Scenario("openai_chat", "openai_chat", "unary", 16, 100 * KB),
    Scenario("openai_chat", "openai_chat", "unary", 1, MB),
    Scenario("openai_chat", "openai_chat", "unary", 16, MB, short=True),
    Scenario("openai_chat", "openai_chat", "burst", 1),
    Scenario("openai_chat", "openai_chat", "burst", 64),
    Scenario("openai_chat", "openai_chat", "paced", 64),
    Scenario("openai_chat", "openai_chat", "paced", 1024, short=True, goal_us=15),
    Scenario("openai_chat", "openai_chat", "unary", 64, way="tls"),
    Scenario("openai_chat", "openai_chat", "paced", 1024, way="tls"),
    Scenario("openai_chat", "openai_chat", "unary", 1, way="loose"),
    Scenario("openai_chat", "openai_chat", "unary", 64, way="loose", short=True),
    Scenario("openai_chat", "openai_chat", "unary", 16, 100 * KB, way="loose"),
    Scenario("openai_chat", "openai_chat", "burst", 64, way="loose"),
    Scenario("openai_chat", "openai_chat", "paced", 1024, way="loose", short=True, goal_us=22),
)
_CROSSINGS = tuple(permutations(DIALECTS, 2))
OTHERS = (
    *(Scenario(dialect, dialect, "unary", 64) for dialect in DIALECTS[1:]),
    *(Scenario(client, upstream, "unary", 64, goal_us=150) for client, upstream in _CROSSINGS),
    *(Scenario(dialect, dialect, "paced", 1024) for dialect in DIALECTS[1:]),
    *(Scenario(client, upstream, "paced", 1024, goal_us=25) for client, upstream in _CROSSINGS),
)
"""The three other dialects passed through, and the twelve crossings. Streams come last: the thousand connections that they
leave behind are closed seconds later, in whichever row is measured then."""

SCENARIOS = (*CHAT, *OTHERS)


def table(name: Table) -> list[Scenario]:
    """The rows of a table: `short`; `promised`, the short one and every row with a goal; `full`."""
    return [row for row in SCENARIOS if row.short or name == "full" or (name == "promised" and row.goal_us)]
