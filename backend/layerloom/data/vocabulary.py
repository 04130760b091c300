"""Which tokens a run knows: those of its training part, by how frequent they are."""

from __future__ import annotations

import torch
from torch import Tensor

from layerloom.data.dataset import Dataset, Tokens
from layerloom.data.lexicon import PADDING, PATTERNS, SPECIAL, UNKNOWN
from layerloom.schema.datasets import Vocabulary


def vocabulary_of(tokens: Tokens, train: Tensor) -> tuple[Vocabulary, Tensor]:
    """The vocabulary that the training part's token numbers give, and the id of every token number.

    Tokens are in the order of their frequency, equally frequent ones in that of the alphabet, so that the same part
    gives the same ids whatever else the file holds.
    """
    counts = torch.bincount(train.flatten(), minlength=len(tokens.known) + len(SPECIAL))[len(SPECIAL) :].tolist()
    reading = tokens.reading
    # A token that the training part has not is none of the vocabulary, whatever its owner asks.
    frequent = [place for place, count in enumerate(counts) if count >= max(1, reading.min_count)]
    frequent.sort(key=lambda place: (-counts[place], tokens.known[place]))
    chosen = frequent[: reading.most]
    ids = torch.full((len(counts) + len(SPECIAL),), UNKNOWN)
    ids[PADDING] = PADDING
    ids[torch.tensor(chosen, dtype=torch.int64) + len(SPECIAL)] = torch.arange(len(chosen)) + len(SPECIAL)
    vocabulary = Vocabulary(
        unit=reading.unit,
        pattern=PATTERNS[reading.unit],
        lowercase=reading.lowercase,
        length=reading.length,
        padding=PADDING,
        unknown=UNKNOWN,
        tokens=[*SPECIAL, *(tokens.known[place] for place in chosen)],
    )
    return vocabulary, ids


def texts_of(dataset: Dataset, rows: list[int]) -> list[str]:
    """Samples of text as one reads them; empty for data of another kind."""
    tokens = dataset.tokens
    if tokens is None:
        return []
    known = [*SPECIAL, *tokens.known]
    between = "" if tokens.reading.unit == "character" else " "
    return [
        between.join(known[number] for number in dataset.inputs[tokens.column][row].tolist() if number != PADDING)
        for row in rows
    ]
