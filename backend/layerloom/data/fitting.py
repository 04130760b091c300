"""Images of any size and kind, brought to one."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageOps

from layerloom.schema.datasets import FileReason, ImageReading


class ImageError(Exception):
    """A file that is no usable image; ``reason`` says why."""

    def __init__(self, reason: FileReason) -> None:
        super().__init__(reason)
        self.reason: FileReason = reason


def pixels_of(image: Image.Image, images: ImageReading) -> bytes:
    """An image of the size that is wanted, ``C×H×W``, a byte for each value.

    Raises:
        ImageError: it ends early, or is broken.
    """
    try:
        image.load()
        whole = _eight_bits(ImageOps.exif_transpose(image))
        whole = _opaque(whole).convert("L" if images.grey else "RGB")
        if whole.size != (images.width, images.height):
            fit = ImageOps.fit if images.fit == "crop" else ImageOps.pad
            whole = fit(whole, (images.width, images.height), Image.Resampling.BILINEAR)
    except MemoryError:
        raise
    except Exception:  # what broken pixels make their reader raise
        raise ImageError("broken") from None
    array = np.asarray(whole)
    return np.ascontiguousarray(array[None] if array.ndim == 2 else array.transpose(2, 0, 1)).tobytes()


def _eight_bits(image: Image.Image) -> Image.Image:
    """16 bits scaled, not cut off."""
    if image.mode in ("F",):
        raise ImageError("broken")
    if not image.mode.startswith("I"):
        return image
    numbers = np.asarray(image).astype(np.int64).clip(0, 65_535)
    return Image.fromarray(np.round(numbers / 257).astype(np.uint8))


def _opaque(image: Image.Image) -> Image.Image:
    """Laid over white, where it is transparent anywhere."""
    if not image.has_transparency_data:
        return image
    layers = image.convert("RGBA")
    white = Image.new("RGBA", layers.size, "white")
    return Image.alpha_composite(white, layers)
