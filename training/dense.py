"""What the auxiliary heads of training are told about each merged token (28x28 pixels) of an image or slice: lesions as objectness,
box and mask, named structures as a map. None of it is exported; it makes a small vision tower see sooner."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from data.views import View
from scenes import SIDE

CELLS = 4
"""Merged tokens along a side of a square image."""
FINE = 4
"""Cells along a side of a merged token, 7 pixels each, for masks and maps."""
UNKNOWN = 255
"""Region of a view whose structures are not known."""


@dataclass
class Dense:
    """hit [n, 16]; box [n, 16, 4] offsets in tokens from the token's centre; regions [n, 16, 16] class numbers; known: which of the
    n*16*16 cells have a class, as numbers."""

    hit: Tensor
    box: Tensor
    regions: Tensor
    known: Tensor

    def __getitem__(self, at: Tensor) -> Dense:
        return told(self.hit[at], self.box[at], self.regions[at])


def told(hit: Tensor, box: Tensor, regions: Tensor) -> Dense:
    """With ``known`` looked up."""
    return Dense(hit, box, regions, (regions != UNKNOWN).flatten().nonzero()[:, 0])


def dense_of(views: list[tuple[View, range]]) -> Dense:
    """Targets of the slices ``range`` of each view, in order."""
    hits, boxes, regions = [], [], []
    centre = (np.arange(CELLS) + 0.5) * 28
    cx, cy = np.tile(centre, CELLS), np.repeat(centre, CELLS)
    for view, slices in views:
        cells = view.regions[slices.start:slices.stop, 3::7, 3::7]
        regions.append(cells.reshape(-1, CELLS, FINE, CELLS, FINE).transpose(0, 1, 3, 2, 4).reshape(len(slices), 16, 16))
        for z in slices:
            hit, box = np.zeros(16, np.float32), np.zeros((16, 4), np.float32)
            best = np.zeros(16)
            for thing in view.lesions:
                half = len(thing.box) // 2
                if half == 3 and not thing.box[2] <= z < thing.box[5]:
                    continue
                x1, y1, x2, y2 = thing.box[0], thing.box[1], thing.box[half], thing.box[half + 1]
                overlap = np.clip(np.minimum(cx + 14, x2) - np.maximum(cx - 14, x1), 0, None) * \
                    np.clip(np.minimum(cy + 14, y2) - np.maximum(cy - 14, y1), 0, None)
                mine = (overlap >= 0.3 * min(784.0, float((x2 - x1) * (y2 - y1)))) & (overlap > best)
                best[mine] = overlap[mine]
                hit[mine] = 1.0
                box[mine] = (np.stack((x1 - cx, y1 - cy, x2 - cx, y2 - cy), -1) / 28)[mine]
            hits.append(hit)
            boxes.append(box)
    return told(torch.from_numpy(np.stack(hits)), torch.from_numpy(np.stack(boxes)),
                torch.from_numpy(np.concatenate(regions).astype(np.int64)))
