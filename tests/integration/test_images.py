"""A folder of images as zip, from the upload to a network that trains on transformed images and is resumed."""

from __future__ import annotations

import io
import signal
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_digits
from torchvision.transforms import v2

from layerloom.data import uploads
from layerloom.graph import build
from layerloom.schema.run import PREPARATION_FILE, Preparation
from trainers import Attempt, Template, example, losses
from unit.data.support import npz as packed
from unit.worker.service import HANG_GUARD_S, Service, serving
from waiting import wait_for

pytestmark = pytest.mark.timeout(900)
V2 = "torchvision.transforms.v2."
TRANSFORMS = [
    {"name": f"{V2}RandomRotation", "arguments": {"degrees": 8}},
    {"name": f"{V2}RandomCrop", "arguments": {"size": 8}},
    {"name": f"{V2}CenterCrop", "arguments": {"size": 8}, "use": "validation"},
]
PLAN = {"epochs": 2, "batch_size": 16, "seed": 0, "threads": 1, "transforms": TRANSFORMS}


def images(count: int = 400) -> tuple[bytes, dict[str, bytes]]:
    """scikit-learn's digits with a margin of a pixel, as PNG in a zip; and the files by name."""
    bundle = load_digits()
    files = {}
    for place, (image, label) in enumerate(zip(bundle.images[:count], bundle.target, strict=False)):
        out = io.BytesIO()
        Image.fromarray(np.pad((image * 15.9).astype(np.uint8), 1)).save(out, "PNG")
        part = "val" if place % 5 == 0 else "train"
        files[f"{part}/{label}/{place}.png"] = out.getvalue()
    return packed({**files, "train/0/broken.png": b"nothing"}), files


def weights(attempt: Attempt, service: Service) -> dict[str, torch.Tensor]:
    last = service.of("checkpoint")[-1]
    return torch.load(attempt.folder / last["path"] / "state.pt", weights_only=True)  # type: ignore[no-any-return]


def test_a_zip_trains_with_transforms_and_resumes_bit_for_bit(
    tmp_path: Path, service: Service, template: Template
) -> None:
    content, files = images()
    (tmp_path / "incoming").write_bytes(content)
    entry = uploads.accept(tmp_path / "data", "mine", ".zip", tmp_path / "incoming")
    assert (entry.shape, entry.split) == ([1, 10, 10], {"training": 320, "validation": 80})
    document, _ = example("digits-cnn")
    whole = Attempt(tmp_path, (document, "mine"), PLAN)
    assert whole.train(template) == 0, whole.log.read_text()
    assert service.states()[-1] == "succeeded"
    expected = weights(whole, service)

    told = Preparation.model_validate_json((whole.folder / PREPARATION_FILE).read_bytes())
    names: dict[str, object] = {}
    exec(told.code, names)
    module = build(document)
    module.load_state_dict(expected, strict=True)
    shown = [name for name in sorted(files, key=lambda name: name.split("/")[1]) if name.startswith("val/")]
    seen = torch.stack([names["prepare"](Image.open(io.BytesIO(files[name]))) for name in shown])  # type: ignore[operator]
    assert isinstance(names["prepare"], v2.Compose)
    with torch.no_grad():
        right = module.eval()(seen).argmax(1) == torch.tensor([int(name.split("/")[1]) for name in shown])
    accuracy = losses(whole.spooled(), "validation/accuracy")
    assert right.double().mean().item() == pytest.approx(accuracy[max(accuracy)], abs=1e-6)

    (tmp_path / "again").mkdir()
    (tmp_path / "again" / "data").symlink_to(tmp_path / "data")
    with serving(tmp_path / "again") as other:
        cut = Attempt(tmp_path / "again", (document, "mine"), PLAN)
        with cut.running(template) as process:
            wait_for(lambda: any(event["steps"][-1] >= 1 for event in other.of("metrics")))
            process.send_signal(signal.SIGTERM)
            process.wait(HANG_GUARD_S)
        if other.states()[-1] != "succeeded":  # it may have been quicker than the signal
            saved = other.of("checkpoint")[-1]["path"]
            other.events.clear()
            rest = Attempt(tmp_path / "again", (document, "mine"), PLAN, number=2, resume=saved)
            assert rest.train(template) == 0, rest.log.read_text()
            cut = rest
        again = weights(cut, other)
    assert all(torch.equal(value, again[name]) for name, value in expected.items())
