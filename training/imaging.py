"""What happens to pixels between a file and the model, restated from the reference's behaviour (numpy and Pillow).

The model sees an image through the processor's bicubic resize; crops are cut from the same image resized to the same
size bilinearly, then enlarged by the processor again. ``smart_resize`` follows the published rule of Qwen2-VL.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

PATCH, MERGE = 14, 2
FACTOR = PATCH * MERGE
MIN_PIXELS, MAX_PIXELS = 10_000, 12_800
"""Bounds that turn a square image, and a crop whose sides differ by up to a fifth, into 112x112 pixels."""
MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)
Bytes = NDArray[np.uint8]


def smart_resize(height: int, width: int, low: int = MIN_PIXELS, high: int = MAX_PIXELS) -> tuple[int, int]:
    """(height, width) after the processor's resize: multiples of 28 within the pixel bounds."""
    h, w = round(height / FACTOR) * FACTOR, round(width / FACTOR) * FACTOR
    if h * w > high:
        beta = math.sqrt(height * width / high)
        h = max(FACTOR, math.floor(height / beta / FACTOR) * FACTOR)
        w = max(FACTOR, math.floor(width / beta / FACTOR) * FACTOR)
    elif h * w < low:
        beta = math.sqrt(low / (height * width))
        h, w = math.ceil(height * beta / FACTOR) * FACTOR, math.ceil(width * beta / FACTOR) * FACTOR
    return h, w


def shown(image: Image.Image) -> Image.Image:
    """The image as the model sees it."""
    h, w = smart_resize(image.height, image.width)
    return image if (w, h) == image.size else image.resize((w, h), Image.Resampling.BICUBIC)


def crop_source(image: Image.Image) -> Image.Image:
    """The image that crops are cut from."""
    h, w = smart_resize(image.height, image.width)
    return image if (w, h) == image.size else image.resize((w, h), Image.Resampling.BILINEAR)


def _widen(start: int, end: int, target: int, limit: int) -> tuple[int, int]:
    missing = target - (end - start)
    if missing <= 0:
        return start, end
    start, end = start - missing // 2, end + missing - missing // 2
    if start < 0:
        start, end = 0, min(limit, end - start)
    if end > limit:
        start, end = max(0, start - (end - limit)), limit
    return start, max(end, start + 1)


def cut(source: Image.Image, box: list[float]) -> Image.Image:
    """The crop for [x1, y1, x2, y2]: truncated, clamped, at least 4 pixels a side, aspect at most 180."""
    x1, y1, x2, y2 = (int(v) for v in box)
    width, height = source.size
    x1, y1 = max(0, min(x1, width - 1)), max(0, min(y1, height - 1))
    x2, y2 = max(x1 + 1, min(x2, width)), max(y1 + 1, min(y2, height))
    x1, x2 = _widen(x1, x2, min(4, width), width)
    y1, y2 = _widen(y1, y2, min(4, height), height)
    return source.crop((x1, y1, x2, y2))


def cut_slices(sources: list[Image.Image], box: list[float]) -> list[Image.Image]:
    """One crop for each slice z1..z2-1 of [x1, y1, z1, x2, y2, z2]."""
    z1 = max(0, min(int(box[2]), len(sources) - 1))
    z2 = max(z1 + 1, min(int(box[5]), len(sources)))
    return [cut(s, [box[0], box[1], box[3], box[4]]) for s in sources[z1:z2]]


def normalise_volume(volume: NDArray[np.generic]) -> Bytes:
    """The reference's intensity path on [z, y, x]: 1st..99th percentile to 0..1, then truncated to 8 bit."""
    values = np.asarray(volume, dtype=np.float32)
    low, high = np.percentile(values[:, ::2, ::2], [1.0, 99.0])
    if high > low:
        values = (values - np.float32(low)) / np.float32(high - low)
    return (np.clip(values, 0.0, 1.0) * 255.0).astype(np.uint8)


_GREY_SCALE = float(np.mean([1.0 / s for s in STD])) / 255.0
_GREY_SHIFT = float(np.mean([m / s for m, s in zip(MEAN, STD)]))


def patch_bytes(images: list[Image.Image]) -> Bytes:
    """Grey images of one size as patches [n, (h/14)*(w/14), 196] in the processor's order (2x2 blocks together)."""
    stack = np.stack([np.asarray(i) for i in images])
    n, h, w = stack.shape
    gh, gw = h // FACTOR, w // FACTOR
    parts = stack.reshape(n, gh, MERGE, PATCH, gw, MERGE, PATCH).transpose(0, 1, 4, 2, 5, 3, 6)
    return parts.reshape(n, gh * gw * 4, PATCH * PATCH)


def normalised(patches_: Any) -> Any:
    """Patches of 0..255 (array or tensor of float32) as the network takes them.

    Values are the mean over the three normalised channels: a grey patch through the exported patch embedding, whose
    channel and time weights are equal, gives the same result.
    """
    return patches_ * _GREY_SCALE - _GREY_SHIFT


def patches(images: list[Image.Image]) -> NDArray[np.float32]:
    """Grey images of one size as normalised patches."""
    return normalised(patch_bytes(images).astype(np.float32)).astype(np.float32)
