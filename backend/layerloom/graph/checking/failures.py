"""Torch's exceptions as problems: which code, and its sentence without the noise around it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from layerloom.schema.problems import ProblemCode


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a layer could not be built, or a layer or operation could not run."""

    code: ProblemCode
    sentence: str


_OVERFLOW = re.compile(r"overflow|out of range for (int|long)|int too (big|large)", re.IGNORECASE)
_DTYPE = re.compile(
    r"dtype|scalar type|not implemented for '|\bdata ?type|type mismatch|\bcast\b|\btype torch\.|"
    r"floating.point|integer tensor",
)
_SHAPE = re.compile(
    r"shape|size|dimension|channel|must match|expand|dim\b|dims\b|input\.?d|ndim|numel|elements|broadcast|"
    r"non-empty|divisible|rank|-D |[0-9]D\b|spatial|contiguous|stride|stack expects|Expected .* to have",
    re.IGNORECASE,
)
_NOISE = re.compile(r"\s*(\(Triggered internally.*|Exception raised from.*|C\+\+ CapturedTraceback.*)$", re.DOTALL)


def explain(error: BaseException, *, building: bool = False) -> Failure:
    """The failure that an exception of torch stands for. ``building``: a constructor raised it, not a call."""
    sentence = clean(error)
    if isinstance(error, OverflowError | MemoryError) or _OVERFLOW.search(sentence):
        return Failure(ProblemCode.OVERFLOW, sentence)
    if building:
        return Failure(ProblemCode.ARGUMENT_INVALID, sentence)
    if isinstance(error, TypeError):
        return Failure(ProblemCode.LAYER_FAILED, sentence)
    if _DTYPE.search(sentence):
        return Failure(ProblemCode.DTYPE_MISMATCH, sentence)
    if _SHAPE.search(sentence):
        return Failure(ProblemCode.SHAPE_MISMATCH, sentence)
    return Failure(ProblemCode.LAYER_FAILED, sentence)


def clean(error: BaseException) -> str:
    """An exception's first sentence or two, on one line, at most 300 characters."""
    text = _NOISE.sub("", str(error).strip()) or type(error).__name__
    text = " ".join(line.strip() for line in text.splitlines()[:3] if line.strip())
    text = re.sub(r"\bmeta tensors?\b", "tensors", text)
    return text if len(text) <= 300 else text[:299] + "…"
