"""Torch's exporters speak to those who write exporters. What a user has to know, the report and the problems say."""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

_TALKERS = (
    "torch",
    "torch.export",
    "torch.onnx",
    "torch.fx",
    "torch.utils",
    "torchao",
    "onnxscript",
    "onnx_ir",
)
_lock = threading.RLock()


@contextmanager
def quiet() -> Iterator[None]:
    """Without warnings and logs, and one at a time: exporters change what belongs to the whole process."""
    with _lock, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loggers = [logging.getLogger(name) for name in _TALKERS]
        levels = [logger.level for logger in loggers]
        try:
            for logger in loggers:
                logger.setLevel(logging.CRITICAL)
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
