"""Text to rows of token ids: one tokeniser and one vocabulary rule for every text data set."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from efficiency.workloads.base import PADDING_ID

VOCABULARY_SIZE = 4_096
LENGTH = 64
UNKNOWN_ID = 1
_TOKEN = re.compile(r"[A-Za-z_]+|\d+|[^\w\s]")


def tokenize(text: str) -> list[str]:
    """Words, numbers and single marks, in order."""
    return _TOKEN.findall(text)


def vocabulary(rows: Iterable[Sequence[str]]) -> list[str]:
    """The most frequent tokens of the training rows; ids 0 and 1 are padding and unknown."""
    counts = Counter(token for row in rows for token in row)
    # Ties are broken by name: the order of files must not decide an id.
    ranked = sorted(counts, key=lambda token: (-counts[token], token))
    return ["<pad>", "<unknown>", *ranked[: VOCABULARY_SIZE - 2]]


def encode(rows: Sequence[Sequence[str]], words: Sequence[str]) -> NDArray[np.int32]:
    """Token ids [N, 64] int32, cut or filled up with padding."""
    index = {word: number for number, word in enumerate(words)}
    ids = np.full((len(rows), LENGTH), PADDING_ID, dtype=np.int32)
    for row, tokens in enumerate(rows):
        for column, token in enumerate(tokens[:LENGTH]):
            ids[row, column] = index.get(token, UNKNOWN_ID)
    return ids
