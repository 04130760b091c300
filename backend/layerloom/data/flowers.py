"""Flowers102, whose photographs are files of every size: decoded once, and kept as pixels of one size beside them."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from layerloom.data.dataset import Dataset
from layerloom.data.fetching import FOLDER, entry_of, fetching
from layerloom.data.fitting import pixels_of
from layerloom.data.parse import Block, Values
from layerloom.data.tensor_file import write_tensors
from layerloom.schema.catalogue import DatasetEntry
from layerloom.schema.datasets import ImageReading

SIDE = 128
"""Pixels. The middle square of each photograph, whose shorter side has 500."""
_PARTS = ("train", "val", "test")


@dataclass(frozen=True)
class FlowerSource:
    """torchvision's class, which names files and has no pixels."""

    entry: DatasetEntry

    def present(self, folder: Path) -> bool:
        """Whether the files lie below the data folder already; this one is downloaded last."""
        return (folder / FOLDER / "flowers-102" / "setid.mat").exists()

    def load(self, folder: Path, *, downloads: bool) -> Dataset:
        """Photographs as pixels, ``3×128×128``, in the official parts. The first time all of them are decoded, which
        takes a minute; 400 MB are written.

        Raises:
            DataError: the files are not there and cannot or may not be downloaded, or are damaged.
        """
        from safetensors.torch import load_file
        from torchvision.datasets import Flowers102

        with fetching(self.entry, folder, downloads=downloads):
            parts: list[Any] = [Flowers102(folder / FOLDER, split=part, download=downloads) for part in _PARTS]
            kept = folder / FOLDER / "flowers-102" / f"layerloom-{SIDE}.safetensors"
            if not kept.exists():
                _decode([file for part in parts for file in part._image_files], kept)
        targets = torch.tensor([label for part in parts for label in part._labels])
        training, validation, _ = map(len, parts)
        return Dataset(
            self.entry, {"x": load_file(kept)["inputs.x"]}, targets, training=training, validation=validation, file=kept
        )


def _decode(files: Sequence[Path], target: Path) -> None:
    """Write the pixels of all files, whole or not at all."""
    from PIL import Image

    def blocks() -> Iterator[Block]:
        for file in files:
            with Image.open(file) as image:
                yield np.frombuffer(pixels_of(image, ImageReading(height=SIDE, width=SIDE)), np.uint8)

    draft = target.with_name(f"{target.name}.{secrets.token_hex(4)}")
    try:
        write_tensors(draft, {"inputs.x": Values("uint8", (len(files), 3, SIDE, SIDE), blocks)})
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


_NAMES = """
pink primrose, hard-leaved pocket orchid, canterbury bells, sweet pea, english marigold, tiger lily, moon orchid, bird
of paradise, monkshood, globe thistle, snapdragon, colt's foot, king protea, spear thistle, yellow iris, globe-flower,
purple coneflower, peruvian lily, balloon flower, giant white arum lily, fire lily, pincushion flower, fritillary, red
ginger, grape hyacinth, corn poppy, prince of wales feathers, stemless gentian, artichoke, sweet william, carnation,
garden phlox, love in the mist, mexican aster, alpine sea holly, ruby-lipped cattleya, cape flower, great masterwort,
siam tulip, lenten rose, barbeton daisy, daffodil, sword lily, poinsettia, bolero deep blue, wallflower, marigold,
buttercup, oxeye daisy, common dandelion, petunia, wild pansy, primula, sunflower, pelargonium, bishop of llandaff,
gaura, geranium, orange dahlia, pink-yellow dahlia?, cautleya spicata, japanese anemone, black-eyed susan, silverbush,
californian poppy, osteospermum, spring crocus, bearded iris, windflower, tree poppy, gazania, azalea, water lily,
rose, thorn apple, morning glory, passion flower, lotus, toad lily, anthurium, frangipani, clematis, hibiscus,
columbine, desert-rose, tree mallow, magnolia, cyclamen, watercress, canna lily, hippeastrum, bee balm, ball moss,
foxglove, bougainvillea, camellia, mallow, mexican petunia, bromelia, blanket flower, trumpet creeper, blackberry lily
"""
FLOWERS = FlowerSource(
    entry_of(
        "Flowers102",
        "Flowers102",
        f"8,189 photographs of 102 kinds of flowers, the middle of each as {SIDE}×{SIDE} in colour.",
        [3, SIDE, SIDE],
        8_189,
        " ".join(_NAMES.split()).split(", "),
        "flowers102",
    )
)
