"""How many of torchvision's networks come back as documents that are proven equal, and why the others stay closed.

python benchmarks/import_survey.py [NAME …]
"""

from __future__ import annotations

import sys
import time
import warnings

import torch
import torchvision

from layerloom.graph.importing import ClosedError, from_module


def main() -> None:
    """One line a network, and the sum."""
    names = sys.argv[1:] or torchvision.models.list_models(module=torchvision.models)
    opened = 0
    for name in names:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            module = torchvision.models.get_model(name, weights=None)
        start = time.perf_counter()
        try:
            document = from_module(
                module, [torch.randn(2, 3, 299, 299) if "inception" in name else torch.randn(2, 3, 224, 224)]
            )
        except ClosedError as error:
            print(f"{name:24} closed: {str(error)[:110]}", flush=True)
        else:
            opened += 1
            print(f"{name:24} {len(document.blocks):3} classes, {time.perf_counter() - start:5.1f} s", flush=True)
    print(f"{opened} of {len(names)} networks come back")


if __name__ == "__main__":
    main()
