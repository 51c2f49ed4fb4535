"""How long the answers of each model are, as far as this gateway has seen: for groups that hold what is expected.

A hold of the worst case is the client's bound or the model's, times the price: often a hundred times what answers cost, so
a small balance lets few requests run at once. A group may hold the output that 99 of 100 answers stay below instead
(docs/decisions/0063). Where too little was seen to know that, the worst case is held.

Each model has a histogram of eight steps to an octave: what it says is at most an eighth too high, never too low. It is
176 numbers, counted in under half a microsecond, and it forgets: at SAMPLES_MAX all counts are halved, so that a model that
begins to talk more is believed after some thousands of answers.
"""

from typing import NamedTuple

EXPECTED_TOKENS_MIN = 1_000
"""The least output that is held for (ruling 9), unless the request itself is bounded below it."""

SAMPLES_MIN = 300
"""Answers that must have been seen. Of so many, one at least is among the longest hundredth in 19 of 20 cases (1 - 0.99^300)."""

SAMPLES_MAX = 10_000
"""Answers after which the older ones begin to count half: a day of a model that is asked every nine seconds."""

MODELS_MAX = 2_000
"""Models that are remembered, at 2 KB each. The others hold the worst case."""

TOKENS_MAX = 2**24 - 1
"""Longer answers count as this long. No vendor writes a tenth of it, and no hold is above the worst case anyway."""

ASKED_ANEW_AFTER = 32
"""Answers after which the 99th percentile is looked for again: that takes 5 µs."""

_BUCKETS = 176


class Expected(NamedTuple):
    """What is to be held for an answer. `tokens` None: too few `samples` were seen, so it is the worst case."""

    tokens: int | None
    samples: int


class OutputSizes:
    """By public model. One loop owns it; one that was filled elsewhere can be added."""

    __slots__ = ("_models",)

    def __init__(self) -> None:
        self._models: dict[str, _Histogram] = {}

    def observe(self, model: str, tokens: int) -> None:
        """A complete answer of so many output tokens."""
        histogram = self._models.get(model) or self._opened(model)
        if histogram is not None:
            histogram.observe(tokens)

    def add(self, other: "OutputSizes") -> None:
        """What was seen elsewhere, too."""
        for model, seen in other._models.items():
            histogram = self._models.get(model) or self._opened(model)
            if histogram is not None:
                histogram.add(seen)

    def expected(self, model: str) -> Expected:
        """What 99 of 100 answers of this model stay within, at least EXPECTED_TOKENS_MIN."""
        histogram = self._models.get(model)
        if histogram is None or histogram.samples < SAMPLES_MIN:
            return Expected(None, 0 if histogram is None else histogram.samples)
        return Expected(max(EXPECTED_TOKENS_MIN, histogram.p99()), histogram.samples)

    def _opened(self, model: str) -> "_Histogram | None":
        if len(self._models) >= MODELS_MAX:
            return None
        opened = self._models[model] = _Histogram()
        return opened


class _Histogram:
    """Numbers up to 15 have a bucket each; above, eight buckets share an octave."""

    __slots__ = ("_asked", "_counts", "_p99", "samples")

    def __init__(self) -> None:
        self.samples = 0
        self._counts = [0] * _BUCKETS
        self._asked = 0
        self._p99: int | None = None

    def observe(self, tokens: int) -> None:
        tokens = min(tokens, TOKENS_MAX)
        shift = max(tokens.bit_length() - 4, 0)
        self._counts[8 * shift + (tokens >> shift)] += 1
        self.samples += 1
        if self.samples >= SAMPLES_MAX:
            self._forget()

    def add(self, other: "_Histogram") -> None:
        self._counts = [mine + seen for mine, seen in zip(self._counts, other._counts, strict=True)]
        self.samples += other.samples
        self._p99 = None
        if self.samples >= SAMPLES_MAX:
            self._forget()

    def p99(self) -> int:
        """The largest number of the bucket that the 99th percentile lies in."""
        if self._p99 is None or abs(self.samples - self._asked) >= ASKED_ANEW_AFTER:
            self._p99, self._asked = self._looked_for(), self.samples
        return self._p99

    def _looked_for(self) -> int:
        longer = 0
        for bucket in range(_BUCKETS - 1, 0, -1):
            longer += self._counts[bucket]
            if 100 * longer > self.samples:
                return _largest(bucket)
        return 0

    def _forget(self) -> None:
        self._counts = [count // 2 for count in self._counts]
        self.samples = sum(self._counts)


def _largest(bucket: int) -> int:
    """The largest number in a bucket."""
    shift = max(bucket // 8 - 1, 0)
    return ((bucket - 8 * shift + 1) << shift) - 1
