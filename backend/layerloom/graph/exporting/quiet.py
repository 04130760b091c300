"""Torch's exporters speak to those who write exporters. What a user has to know, the report and the problems say."""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import torch

_TALKERS = (
    "torch",
    "torch.export",
    "torch.onnx",
    "torch.fx",
    "torch.utils",
    "torchao",
    "onnxscript",
    "onnx_ir",
    "root",
)
_lock = threading.RLock()


@contextmanager
def quiet() -> Iterator[None]:
    """Without warnings and logs, and one at a time: exporters change what belongs to the whole process.

    Fused attention kernels are off meanwhile: whether they are used depends on gradients, and no other runtime has
    them.
    """
    with _lock, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loggers = [logging.getLogger(name) for name in _TALKERS]
        levels = [logger.level for logger in loggers]
        fused = torch.backends.mha.get_fastpath_enabled()
        try:
            for logger in loggers:
                logger.setLevel(logging.CRITICAL)
            torch.backends.mha.set_fastpath_enabled(False)
            yield
        finally:
            torch.backends.mha.set_fastpath_enabled(fused)
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
