"""Batches for training: scenes, questions and crops as tensors.

Seeds of scenes: training draws from 10**9 upwards, validation from 5*10**8 up to 10**9, ``make_eval.py`` below that, so no
image is ever drawn twice across the three.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

import numpy as np
import torch
from PIL import Image
from tokenizers import Tokenizer
from torch import Tensor

from imaging import crop_source, cut, normalise_volume, patches, shown, smart_resize
from lesions import box_of, slices_of, TYPES
from model import mrope
from questions import KINDS_2D, KINDS_3D, SYSTEM_2D, SYSTEM_3D, Item, choose_kind, make_item
from scenes import DEPTH, SIDE, Painter, Scene

TRAIN_SEED, VALID_SEED = 10**9, 5 * 10**8
CELLS = 4
ASKED_3D = 6
"""Questions for each training volume: its image tokens are run once for all of them."""
LETTER_WEIGHT = 20.0
HARD, HARD_SHARE = ("quadrant", "level", "level", "quadrant", "lung"), 0.6
"""Kinds whose options share words, so that the letter is bound late: such a share of the questions is drawn from these, one
named twice twice as often; the others are drawn from all kinds."""
ASTRAY = 0.07
"""Share of training crops that miss the lesion; a question about its type then has a random answer (``make_item``)."""


@dataclass
class Batch:
    """What one training step needs. ``context`` is empty in 2D; in 3D it holds the slices, shared by ASKED_3D tails.

    images [n, 64, 196]; crops [m, 64, 196]; tails [B, T] token ids; tail_rows: rows of the merged features (images first,
    then crops, 16 a picture) for the tails' placeholders; positions [3, B, T]; loss_at [L, 2] (row, column) of
    predicting positions; targets [L]; weights [L]; place_* and kind_*: targets of the auxiliary heads.
    """

    images: Tensor
    crops: Tensor
    context: Tensor
    context_positions: Tensor
    tails: Tensor
    tail_rows: Tensor
    positions: Tensor
    loss_at: Tensor
    targets: Tensor
    weights: Tensor
    place_hit: Tensor
    place_box: Tensor
    kind: Tensor
    live: Tensor
    depth: int = DEPTH


class Maker:
    """Turns seeds into batches."""

    def __init__(self, painter: Painter, tokenizer: Tokenizer) -> None:
        self.painter = painter
        self.tokenizer = tokenizer
        self.pad = tokenizer.token_to_id("<|image_pad|>")
        self.end = tokenizer.token_to_id("<|im_end|>")
        self.filler = tokenizer.token_to_id("<|endoftext|>")
        self.opening = {False: self.ids(f"<|im_start|>system\n{SYSTEM_2D}<|im_end|>\n<|im_start|>user\n"),
                        True: self.ids(f"<|im_start|>system\n{SYSTEM_3D}<|im_end|>\n<|im_start|>user\n")}
        self.picture = self.ids("<|vision_start|>" + "<|image_pad|>" * 16 + "<|vision_end|>")

    def ids(self, text: str) -> list[int]:
        """Token ids of ``text``, special tokens recognised."""
        return self.tokenizer.encode(text, add_special_tokens=False).ids

    def vision(self, seed: int, count: int) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """images, crops, hit, box, kind for training the vision tower alone."""
        whole, crops, kinds, scenes = [], [], [], []
        for i in range(count):
            rng = Random(seed + i)
            scene = self.painter.scene_2d(seed + i, in_lung=rng.random() < 0.15)
            scenes.append(scene)
            picture = Image.fromarray(scene.image)
            whole.append(shown(picture))
            if scene.finding.lesion is None or rng.random() < 0.08:
                crops.append(shown(cut(crop_source(picture), _elsewhere(rng, scene))))
                kinds.append(4)
            else:
                twin, seen = _twin(scene)
                crops.append(shown(cut(crop_source(twin), _jitter(rng, box_of(scene.finding.lesion)))))
                kinds.append(TYPES.index(seen))
        hit, box = _targets([(s, None) for s in scenes])
        return torch.from_numpy(patches(whole)), torch.from_numpy(patches(crops)), hit, box, torch.tensor(kinds)

    def batch_2d(self, seed: int, count: int) -> Batch:
        """``count`` images with one question each."""
        whole: list[Image.Image] = []
        crops: list[Image.Image] = []
        kinds: list[int] = []
        items: list[tuple[Item, list[int], list[int]]] = []
        scenes: list[Scene] = []
        for i in range(count):
            rng = Random(seed + i)
            scene = self.painter.scene_2d(seed + i, in_lung=rng.random() < 0.15)
            scenes.append(scene)
            picture = Image.fromarray(scene.image)
            whole.append(shown(picture))
            kind = _choose(rng, scene, KINDS_2D)
            bare = rng.random() < 0.04
            if scene.finding.lesion is None:
                items.append((make_item(rng, scene.finding, kind, False, None, "", bare), [i], []))
                continue
            twin, seen = _twin(scene)
            box = box_of(scene.finding.lesion)
            astray = rng.random() < ASTRAY
            items.append((make_item(rng, scene.finding, kind, False, box, "" if astray else seen, bare), [i], [len(crops)]))
            crops.append(shown(cut(crop_source(twin), _elsewhere(rng, scene) if astray else _jitter(rng, box))))
            kinds.append(4 if astray else TYPES.index(seen))
        return self._assemble(whole, crops, kinds, items, scenes, False)

    def batch_3d(self, seed: int, count: int, depth: int = DEPTH) -> Batch:
        """``count`` volumes with ASKED_3D questions each; ``depth`` below DEPTH: only so many slices, around the lesion.

        Short stacks cost a third and teach the form of the answer, the letters and the reading of slice numbers.
        """
        whole: list[Image.Image] = []
        crops: list[Image.Image] = []
        kinds: list[int] = []
        items: list[tuple[Item, list[int], list[int]]] = []
        scenes: list[Scene] = []
        starts: list[int] = []
        for i in range(count):
            rng = Random(seed + i)
            scene = self.painter.scene_3d(seed + i, in_lung=rng.random() < 0.2)
            scenes.append(scene)
            from_z = _start(rng, scene, depth)
            starts.append(from_z)
            whole += [shown(Image.fromarray(s)) for s in normalise_volume(scene.image)[from_z:from_z + depth]]
            if scene.finding.lesion is None:
                items += [(make_item(rng, scene.finding, "exists", True, None, "", rng.random() < 0.04), [], [])
                          for _ in range(ASKED_3D)]
                continue
            seen = scene.twin_kind
            source = normalise_volume(scene.twin)[from_z:from_z + depth]
            flat = box_of(scene.finding.lesion)
            span = [z - from_z for z in slices_of(scene.finding.lesion, DEPTH) if 0 <= z - from_z < depth]
            third = int(3 * (scene.finding.lesion.cz - from_z) / depth)
            scene.finding.facts["level"] = ("first", "middle", "last")[max(0, min(2, third))]
            box = [flat[0], flat[1], span[0], flat[2], flat[3], span[-1] + 1]
            low, high = span[0], span[-1] + 1
            if rng.random() < 0.3:
                low, high = max(0, low + rng.randint(-1, 1)), min(depth, high + rng.randint(-1, 1))
                high = max(high, low + 1)
            astray = rng.random() < ASTRAY
            loose = _elsewhere(rng, scene) if astray else _jitter(rng, flat)
            first = len(crops)
            for z in range(low, high):
                crops.append(shown(cut(crop_source(Image.fromarray(source[z])), loose)))
                kinds.append(4 if astray else TYPES.index(seen) if span[0] <= z <= span[-1] else -1)
            for _ in range(ASKED_3D):
                kind = _choose(rng, scene, KINDS_3D)
                items.append((make_item(rng, scene.finding, kind, True, box, "" if astray else seen, rng.random() < 0.04), [],
                              list(range(first, len(crops)))))
        return self._assemble(whole, crops, kinds, items, scenes, True, depth, starts)

    def _assemble(self, whole: list[Image.Image], crops: list[Image.Image], kinds: list[int],
                  items: list[tuple[Item, list[int], list[int]]], scenes: list[Scene], three_d: bool,
                  depth: int = DEPTH, starts: list[int] | None = None) -> Batch:
        slices = self.picture * depth
        rows: list[list[int]] = []
        spots: list[Tensor] = []
        loss_at: list[tuple[int, int]] = []
        targets: list[int] = []
        weights: list[float] = []
        features: list[int] = []
        start = len(self.opening[three_d])
        base = start
        if three_d:
            _, base = mrope(slices, self.pad, [(CELLS, CELLS)] * depth, start)
        for index, (item, own, cut_out) in enumerate(items):
            row = ([] if three_d else list(self.picture)) + self.ids(item.user + "<|im_end|>\n<|im_start|>assistant\n")
            pieces = [(self.ids(item.before) + ([] if item.after else [self.end]), True)]
            if item.after:
                pieces += [(self.picture * len(cut_out), False), (self.ids(item.after) + [self.end], True)]
            for piece, taught in pieces:
                if taught:
                    letter = piece[-len(self.ids("A. " + item.answer)) - 1:] if piece is pieces[-1][0] else []
                    mark = len(row) + len(piece) - len(letter) if letter and item.options else -1
                    for k, token in enumerate(piece):
                        loss_at.append((index, len(row) + k - 1))
                        targets.append(token)
                        weights.append(LETTER_WEIGHT if len(row) + k == mark else 1.0)
                row += piece
            features += own + [len(whole) + c for c in cut_out]
            grids = [(CELLS, CELLS)] * (len(own) + len(cut_out))
            rows.append(row)
            spots.append(mrope(row, self.pad, grids, base)[0])
        width = max(len(r) for r in rows)
        tails = torch.full((len(rows), width), self.filler)
        positions = torch.zeros(3, len(rows), width, dtype=torch.long)
        for i, row in enumerate(rows):
            tails[i, :len(row)] = torch.tensor(row)
            positions[:, i, :len(row)] = spots[i]
        picks = torch.tensor(features, dtype=torch.long)
        tail_rows = (picks[:, None] * 16 + torch.arange(16)).flatten()
        context, context_positions = torch.empty(0, 0), torch.empty(0)
        if three_d:
            context = torch.tensor(slices)[None]
            context_positions = mrope(slices, self.pad, [(CELLS, CELLS)] * depth, start)[0][:, None]
        views: list[tuple[Scene, int | None]] = [(s, None) for s in scenes]
        if three_d:
            views = [(s, first + z) for s, first in zip(scenes, starts or [0] * len(scenes)) for z in range(depth)]
        hit, box = _targets(views)
        live = torch.ones(len(whole), dtype=torch.bool)
        if three_d:
            live = (hit.sum(1) > 0) | (torch.rand(len(whole)) < 0.12)
        crop_patches = patches(crops) if crops else np.zeros((0, 64, 196), np.float32)
        return Batch(torch.from_numpy(patches(whole)), torch.from_numpy(crop_patches), context, context_positions, tails,
                     tail_rows, positions, torch.tensor(loss_at), torch.tensor(targets), torch.tensor(weights), hit, box,
                     torch.tensor(kinds, dtype=torch.long), live, depth)


def _choose(rng: Random, scene: Scene, kinds: tuple[str, ...]) -> str:
    """A kind of question for training."""
    fitting = [k for k in HARD if k in kinds and k in scene.finding.facts]
    if fitting and rng.random() < HARD_SHARE:
        return rng.choice(fitting)
    return choose_kind(rng, scene.finding, kinds)


def _start(rng: Random, scene: Scene, depth: int) -> int:
    """First slice of a run of ``depth`` slices that holds the lesion, if there is one (or as much of it as fits)."""
    low, high = 0, DEPTH - depth
    if scene.finding.lesion is not None:
        span = slices_of(scene.finding.lesion, DEPTH)
        ends = sorted((span[-1] + 1 - depth, span[0]))
        low, high = max(low, ends[0]), min(high, ends[1])
    return rng.randint(low, high)


def _twin(scene: Scene) -> tuple[Image.Image, str]:
    """What the crop is cut from and the type it shows: always the twin, whose type does not depend on the scene's."""
    if scene.finding.lesion is None:
        raise ValueError("a scene without a lesion has no twin")
    return Image.fromarray(scene.twin), scene.twin_kind


def _jitter(rng: Random, box: list[int]) -> list[float]:
    """A loose copy of ``box`` whose crop still becomes 112x112."""
    loose = max(1.0, 0.11 * (box[2] - box[0]))
    for _ in range(8):
        out = [float(max(0, min(SIDE, round(v + rng.gauss(0.0, loose))))) for v in box]
        width, height = int(out[2] - out[0]), int(out[3] - out[1])
        if width >= 4 and height >= 4 and smart_resize(height, width) == (SIDE, SIDE):
            return out
    side = max(box[2] - box[0], box[3] - box[1])
    x, y = min(box[0], SIDE - side), min(box[1], SIDE - side)
    return [float(v) for v in (x, y, x + side, y + side)]


def _elsewhere(rng: Random, scene: Scene) -> list[float]:
    """A square that does not touch the lesion."""
    for _ in range(50):
        side = rng.randint(12, 32)
        x, y = rng.randint(0, SIDE - side), rng.randint(0, SIDE - side)
        lesion = scene.finding.lesion
        if lesion is None:
            break
        b = box_of(lesion)
        if x > b[2] or y > b[3] or x + side < b[0] or y + side < b[1]:
            break
    return [float(v) for v in (x, y, x + side, y + side)]


def _targets(views: list[tuple[Scene, int | None]]) -> tuple[Tensor, Tensor]:
    """Objectness [n, 16] and box offsets [n, 16, 4] (cells of 28 pixels) for the merged tokens of each view."""
    hit = torch.zeros(len(views), 16)
    box = torch.zeros(len(views), 16, 4)
    centre = (torch.arange(CELLS) + 0.5) * 28
    cx, cy = centre.repeat(CELLS), centre.repeat_interleave(CELLS)
    for i, (scene, z) in enumerate(views):
        lesion = scene.finding.lesion
        if lesion is None or (z is not None and z not in slices_of(lesion, DEPTH)):
            continue
        x1, y1, x2, y2 = (float(v) for v in box_of(lesion))
        overlap = ((torch.minimum(cx + 14, torch.tensor(x2)) - torch.maximum(cx - 14, torch.tensor(x1))).clamp(min=0)
                   * (torch.minimum(cy + 14, torch.tensor(y2)) - torch.maximum(cy - 14, torch.tensor(y1))).clamp(min=0))
        hit[i] = (overlap >= 0.3 * min(784.0, (x2 - x1) * (y2 - y1))).float()
        box[i] = torch.stack((x1 - cx, y1 - cy, x2 - cx, y2 - cy), -1) / 28
    return hit, box
