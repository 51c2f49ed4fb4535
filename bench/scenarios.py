"""The table of what is measured. A new row is a new line here; nothing else names a scenario.

`client` and `upstream` are dialects: where they are the same the gateway may pass the bytes through, where they differ it
translates. `answer` is how the mock replies: `unary`, one JSON body; `burst`, a stream all at once, which shows the
cost of a chunk when nothing waits; `paced`, 100 chunks at 40 a second, which is a fast model, and what a gateway
serves most of its life.
"""

from typing import Literal, NamedTuple

Dialect = Literal["openai_chat", "anthropic"]
Answer = Literal["unary", "burst", "paced"]

KB, MB = 1_000, 1_000_000


class Scenario(NamedTuple):
    client: Dialect
    upstream: Dialect
    answer: Answer
    connections: int
    prompt_bytes: int = KB
    short: bool = False  # also a row of the short table
    tls: bool = False  # between the gateway and the mock

    @property
    def name(self) -> str:
        crossing = self.client if self.client == self.upstream else f"{self.client} → {self.upstream}"
        return f"{crossing}, {self.answer}" + (", TLS upstream" if self.tls else "")

    @property
    def route(self) -> "Route":
        return Route(self.upstream, self.answer, self.tls)

    @property
    def unit(self) -> Literal["request", "chunk"]:
        return "request" if self.answer == "unary" else "chunk"


class Route(NamedTuple):
    """One mock, and the model of the gateway that leads to it."""

    upstream: Dialect
    answer: Answer
    tls: bool = False

    @property
    def model(self) -> str:
        return f"bench-{self.upstream}-{self.answer}" + ("-tls" if self.tls else "")


SCENARIOS = (
    Scenario("openai_chat", "openai_chat", "unary", 1, short=True),
    Scenario("openai_chat", "openai_chat", "unary", 16),
    Scenario("openai_chat", "openai_chat", "unary", 64, short=True),
    Scenario("openai_chat", "openai_chat", "unary", 256),
    Scenario("openai_chat", "openai_chat", "unary", 1, 100 * KB, short=True),
    Scenario("openai_chat", "openai_chat", "unary", 16, 100 * KB),
    Scenario("openai_chat", "openai_chat", "unary", 1, MB),
    Scenario("openai_chat", "openai_chat", "unary", 16, MB, short=True),
    Scenario("openai_chat", "openai_chat", "burst", 1),
    Scenario("openai_chat", "openai_chat", "burst", 64),
    Scenario("openai_chat", "openai_chat", "paced", 64),
    Scenario("openai_chat", "openai_chat", "paced", 1024, short=True),
    Scenario("openai_chat", "openai_chat", "unary", 64, tls=True),
    Scenario("openai_chat", "openai_chat", "paced", 1024, tls=True),
    Scenario("openai_chat", "anthropic", "unary", 1),
    Scenario("openai_chat", "anthropic", "unary", 64, short=True),
    Scenario("openai_chat", "anthropic", "unary", 16, 100 * KB),
    Scenario("openai_chat", "anthropic", "burst", 64),
    Scenario("openai_chat", "anthropic", "paced", 1024, short=True),
)
