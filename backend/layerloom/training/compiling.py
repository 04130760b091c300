"""``torch.compile``, where a plan asks for it: what it cannot compile trains as it is."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from layerloom.schema.events import Log

Call = Callable[..., Any]


class Compiled:
    """Calls a module through ``torch.compile``, and tells what the first call cost."""

    def __init__(self, module: nn.Module, emit: Callable[[Log], None]) -> None:
        self._module = module
        self._emit = emit
        self._call: Call = torch.compile(module)
        self._first = True

    def __call__(self, **inputs: Any) -> Any:
        if not self._first:
            return self._call(**inputs)
        self._first = False
        began = time.perf_counter()
        try:
            output = self._call(**inputs)
        except Exception as error:
            if not type(error).__module__.startswith(("torch._dynamo", "torch._inductor")):
                raise
            self._call = self._module
            first = str(error).strip().partition("\n")[0][:500]
            self._emit(Log(level="warning", message=f"The network could not be compiled and trains as it is: {first}"))
            return self._module(**inputs)
        taken = time.perf_counter() - began
        self._emit(Log(message=f"Compiled the network's forward pass in {taken:.1f} s."))
        return output
