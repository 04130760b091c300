"""Text as numbers of tokens. Every token of an upload has one; which of them a run knows, its training part says."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from layerloom.schema.datasets import TextReading, TokenUnit

PADDING, UNKNOWN = 0, 1
SPECIAL = ("<pad>", "<unk>")
"""Names of the first two ids, which no token has."""
MAX_TOKENS = 200_000
"""Tokens that are met after so many others are unknown to every run."""
PATTERNS: dict[TokenUnit, str] = {"character": r"(?s:.)", "word": r"\w+|[^\w\s]"}


class Lexicon:
    """Numbers tokens in the order in which they are met, and counts them."""

    def __init__(self, reading: TextReading) -> None:
        self.reading = reading
        self._find = re.compile(PATTERNS[reading.unit]).findall
        self._ids: dict[str, int] = {}
        self._counts: Counter[str] = Counter()

    def encode(self, text: str) -> list[int]:
        """The numbers of a text's tokens."""
        if self.reading.lowercase:
            text = text.lower()
        found: Sequence[str] = text if self.reading.unit == "character" else self._find(text)
        new = Counter(found)
        for token in new:
            if token not in self._ids and len(self._ids) < MAX_TOKENS:
                self._ids[token] = len(self._ids) + len(SPECIAL)
        self._counts.update(new)
        if len(self._counts) > 2 * MAX_TOKENS:
            self._counts = Counter({token: self._counts[token] for token in self._ids})
        return [self._ids.get(token, UNKNOWN) for token in found]

    @property
    def tokens(self) -> list[str]:
        """By number, without the two that have a meaning of their own."""
        return list(self._ids)

    @property
    def vocabulary(self) -> int:
        """Ids of a run, at most: a training part knows no more tokens than the whole."""
        frequent = sum(self._counts[token] >= self.reading.min_count for token in self._ids)
        return min(self.reading.most, frequent) + len(SPECIAL)

    def common(self, count: int) -> dict[str, int]:
        """The most frequent tokens."""
        return dict(self._counts.most_common(count))

    @property
    def distinct(self) -> int | None:
        """Different tokens; None for more than get a number."""
        return len(self._ids) if len(self._counts) == len(self._ids) else None
