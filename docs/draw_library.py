"""Opens torchvision's networks once and keeps them as documents: ``python docs/draw_library.py [NAME …]``.

Each is opened and proven as ``make import-report`` does, at a size that takes little time; the document then states the
size that torchvision's own weights were trained at, where it must give the same numbers, too. Detectors are kept as
what lies between their resizing and their choice of boxes. Networks that are not opened yet are listed all the same.
"""

from __future__ import annotations

import gc
import json
import sys
import warnings
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent / "tests")]

from torch import nn
from torchvision import models

from draw_examples import told
from layerloom import ClosedError, Document, build, check, from_module
from layerloom.graph.errors import GraphError
from layerloom.graph.library import FILE, release
from sameness import left_closed
from zoo import Animal, animals

_IMAGE = [[3, 224, 224]]
_SAMPLES = {"video": [[3, 16, 112, 112]], "optical flow": [[3, 128, 128], [3, 128, 128]]}
_LARGEST = ("vit_l_16", "vit_l_32", "vit_h_14")
"""They take minutes, and come last."""
TASKS = {"segmentation": "segmentation", "detection": "detection", "video": "video", "optical_flow": "optical flow"}


def entry(animal: Animal) -> dict[str, Any]:
    """One line of the file."""
    name, _, part = animal.name.partition(":")[2].partition(" ")
    torch.manual_seed(0)
    module, inputs = animal.make()
    document = from_module(module, inputs)
    assert not left_closed(document), name
    shapes = [] if part else _shapes(name, inputs)
    if not part and not _agrees(sized := _sized(document, shapes), module):
        # Sizes of its tensors stand in it as numbers; or it takes no other, and its weights are for another module.
        try:
            sized = from_module(module, [torch.randn(2, *shape) for shape in shapes])
        except ClosedError:
            sized = document
        assert _agrees(sized, module), name
    document = (document if part else sized).model_copy(update={"name": name})
    report = check(document)
    assert report.ok, (name, report.problems)
    builder = models.get_model_builder(name)
    group = builder.__module__.removeprefix("torchvision.models.").partition(".")[0]
    return {
        "name": name,
        "family": _family(name) if part else document.main,
        "task": TASKS.get(group, "classification"),
        "part": part,
        "parameters": report.totals.parameters,
        "document": told(document),
    }


def listed(animal: Animal) -> dict[str, Any]:
    """The line of a network that is made when it is opened."""
    name, _, part = animal.name.partition(":")[2].partition(" ")
    builder = models.get_model_builder(name)
    group = builder.__module__.removeprefix("torchvision.models.").partition(".")[0]
    weights = models.get_model_weights(name).DEFAULT
    task = TASKS.get(group, "classification")
    fixed = part or name.startswith("vit")
    image = _IMAGE if fixed else _shapes(name, [torch.empty(1, *shape) for shape in _SAMPLES.get(task, _IMAGE)])
    return {
        "name": name,
        "family": builder.__annotations__["return"].__name__
        if isinstance(builder.__annotations__["return"], type)
        else str(builder.__annotations__["return"]),
        "task": task,
        "part": part,
        "parameters": None if part else weights.meta["num_params"],
        "inputs": image,
    }


def _family(name: str) -> str:
    """The class of a whole detector."""
    return type(models.get_model(name, weights=None, weights_backbone=None)).__name__


def _shapes(name: str, inputs: Sequence[Any]) -> list[list[int]]:
    """What the network's own weights are given, of one sample."""
    weights = models.get_model_weights(name).DEFAULT
    crop = getattr(weights.transforms(), "crop_size", None)
    shapes = [list(tensor.shape[1:]) for tensor in inputs]
    if not crop:
        return [[*shape[:-2], *(520, 520)] if len(inputs) == 1 else shape for shape in shapes]
    height, width = crop if len(crop) == 2 else (*crop, *crop)
    return [[*shape[:-2], height, width] for shape in shapes]


def _sized(document: Document, shapes: list[list[int]]) -> Document:
    """The document for inputs of another size."""
    pairs = zip(document.inputs.items(), shapes, strict=True)
    sized = {key: example.model_copy(update={"shape": shape}) for (key, example), shape in pairs}
    return document.model_copy(update={"inputs": sized})


def _agrees(document: Document, module: nn.Module) -> bool:
    """Whether it gives the very numbers that the module gives, at the size that it states."""
    given = [torch.randn(1, *example.shape) for example in document.inputs.values()]
    try:
        twin = build(document).eval()
        twin.load_state_dict(module.state_dict(), strict=True)
        with torch.no_grad():
            torch.testing.assert_close(twin(*given), module.eval()(*given), rtol=0, atol=0)
    except (GraphError, RuntimeError, AssertionError):
        return False
    return True


def main(chosen: list[str]) -> None:
    """Write the lines of these names anew, or all."""
    warnings.simplefilter("ignore")
    lines: dict[str, str] = {}
    if chosen and FILE.exists():
        lines = {json.loads(line)["name"]: line for line in FILE.read_text(encoding="utf-8").splitlines()[1:]}
    together = (animal for animal in animals("torchvision detection, parts together"))
    for animal in sorted([*animals("torchvision"), *together], key=lambda it: it.name.endswith(_LARGEST)):
        name = animal.name.partition(":")[2].partition(" ")[0]
        detector = models.get_model_builder(name).__module__.startswith("torchvision.models.detection")
        if detector and animal.name.startswith("torchvision:"):
            continue
        if chosen and name not in chosen:
            lines.setdefault(name, json.dumps(listed(animal), separators=(",", ":")))
            continue
        lines[name] = json.dumps(entry(animal), ensure_ascii=False, separators=(",", ":"))
        print(name, len(lines[name]), flush=True)
        gc.collect()
        _write(lines)
    _write(lines)


def _write(lines: dict[str, str]) -> None:
    head = json.dumps({"torchvision": release(version("torchvision")), "torch": release(version("torch"))})
    FILE.write_text("\n".join([head, *(lines[name] for name in sorted(lines))]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
