"""Batches for training: views, questions and crops as tensors.

Seeds of views: training draws from 10**9 upwards, validation from 5*10**8, tests below that (``make_dataset.py``,
``make_eval.py``), so no image is ever drawn twice across the three.
"""

from __future__ import annotations

import itertools

from dataclasses import dataclass, field, fields, is_dataclass, replace
from random import Random
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from tokenizers import Tokenizer
from torch import Tensor

from data import cross_slice
from data.six_kinds import types_in_crops
from data.views import View, ViewMaker, shortened
from dense import CELLS, Dense, dense_of
from imaging import crop_source, cut, normalise_volume, patch_bytes, shown, smart_resize
from lesions import TYPES
from model import mrope, spots_of
from questions import SYSTEM_2D, SYSTEM_3D
from scenes import DEPTH, SIDE, Scene
from talks import CROSS_SHARE, Talk, as_view, conclusion, drill, ending, simple, six, without_boxes

TRAIN_SEED = 10**9
ASKED_2D, ASKED_3D = 3, 3
"""Questions for each view in training: its pictures are drawn and seen once for all of them."""
DRILLS_2D, DRILLS_3D = 2, 1
"""Rows for each view that only practise finding a letter (``talks.drill``)."""
LETTER_WEIGHT = 12.0
CONCLUSION_WEIGHT = 4.0
"""Of the words between the last look and the answer, in rows with pictures: few words, on which the answer hangs."""
LETTER_APART = 4
"""Tokens from the letter in the reasoning to the one in the answer (``questions.conclude``)."""
SIMPLE_SHARE = 0.25
"""Views with at most one lesion and the questions of ``questions.py``."""
MODES = ("grounded", "no-injection", "text-only")
"""As the presets of the product: a box and its crop; a box alone; no box. Without a crop the type is the one in the whole image."""
ASTRAY = 0.05
"""Share of lesions whose training crop misses them; the reasoning then says so, and a type is a guess (decision 0400)."""
WEIGHED = ("Does the", "Which is", "Where is")
"""How questions begin whose answer has to be weighed from what was said: most of the conclusions that are practised."""
LONGEST = 400
"""Answers that need more tokens are not asked for in training (three lesions of many slices)."""


@dataclass
class Tails:
    """Rows of one length. tokens [B, T]; rows: of the merged features (images, then crops), for the placeholders; positions [3, B, T];
    spots: where those are among B*T; view [B]: the volume of a row; loss_at [L, 2] (row, column) of predicting positions; targets and weights [L];
    letters: which of the L are the first of a row's two letters; box_at [K, 2] (row, column) of box openings; boxes [K, 6] in 0..1, z NaN in 2D."""

    tokens: Tensor
    rows: Tensor
    spots: Tensor
    positions: Tensor
    view: Tensor
    loss_at: Tensor
    targets: Tensor
    weights: Tensor
    letters: Tensor
    box_at: Tensor
    boxes: Tensor


@dataclass
class Batch:
    """What one training step needs. images uint8 [n, 64, 196]; crops: patches of those of one size with their grid; kind: of all crops in
    that order (4: no lesion, -1: not asked); asked: how many are; ``context`` is empty in 2D, in 3D it holds the slices that every row of
    a volume shares; live: numbers of the images that take a gradient, still: of the others; ``dense`` is told of those that are live."""

    images: Tensor
    crops: list[tuple[Tensor, int, int]]
    kind: Tensor
    asked: int
    dense: Dense
    live: Tensor
    still: Tensor
    depth: int
    context: Tensor
    context_positions: Tensor
    tails: list[Tails] = field(default_factory=list)

    def to(self, device: torch.device) -> Batch:
        """The same batch with all its tensors on ``device``."""
        return _moved(self, device)


def _moved(value: Any, device: torch.device) -> Any:
    """``value`` with every tensor in it on ``device``."""
    if isinstance(value, Tensor):
        return value.to(device, non_blocking=True)
    if isinstance(value, (list, tuple)):
        return type(value)(_moved(v, device) for v in value)
    if is_dataclass(value):
        return replace(value, **{f.name: _moved(getattr(value, f.name), device) for f in fields(value)})
    return value


class Maker:
    """Turns seeds into batches."""

    def __init__(self, views: ViewMaker, tokenizer: Tokenizer, simple: bool = True, mode: str = MODES[0], drills: bool = True,
                 parts: int = 4) -> None:
        """``simple`` False: no scenes of ``scenes.py``, which draw from all scans. ``drills`` False: no rows that practise letters only.
        ``parts``: the rows of a batch make this many tensors at most, of rows of like length; each is a run of the language model."""
        self.drills, self.parts = drills, parts
        self.views, self.mode = views, mode
        self.simple_share = SIMPLE_SHARE if simple else 0.0
        self.tokenizer = tokenizer
        self.pad = tokenizer.token_to_id("<|image_pad|>")
        self.end = tokenizer.token_to_id("<|im_end|>")
        self.filler = tokenizer.token_to_id("<|endoftext|>")
        self.box_start = tokenizer.token_to_id("<|box_start|>")
        self.opening = {False: self.ids(f"<|im_start|>system\n{SYSTEM_2D}<|im_end|>\n<|im_start|>user\n"),
                        True: self.ids(f"<|im_start|>system\n{SYSTEM_3D}<|im_end|>\n<|im_start|>user\n")}
        self.picture = self.ids("<|vision_start|>" + "<|image_pad|>" * 16 + "<|vision_end|>")

    def ids(self, text: str) -> list[int]:
        """Token ids of ``text``, special tokens recognised."""
        return self.tokenizer.encode(text, add_special_tokens=False).ids

    def batch(self, seed: int, count: int, depth: int, talk: bool = True) -> Batch:
        """``count`` views: single images for ``depth`` 0, otherwise stacks of ``depth`` slices (DEPTH is a whole volume; short ones
        lie around a lesion: they cost a fraction and teach letters and the reading of slice numbers).

        ``talk`` False: no questions, for the vision tower alone; a volume then gives four slices.
        """
        whole: list[Image.Image] = []
        crops: list[Image.Image] = []
        kinds: list[int] = []
        dense: list[tuple[View, range]] = []
        talks: list[tuple[int, Talk, list[list[int]]]] = []
        for i in range(count):
            rng = Random(seed + i)
            view, scene = self._view(rng, seed + i, depth)
            stack = normalise_volume(view.image) if depth else view.image[None]
            slices = range(len(stack))
            if depth and not talk:
                middle = int(rng.choice(view.lesions).centre[2]) if view.lesions and rng.random() < 0.7 else rng.randrange(DEPTH)
                middle = max(2, min(DEPTH - 2, middle))
                slices = range(middle - 2, middle + 2)
            elif 0 < depth < DEPTH:
                slices = _run(rng, view, depth)
            source = normalise_volume(view.twin) if depth else view.twin[None]
            source, stack = source[slices.start:slices.stop], stack[slices.start:slices.stop]
            dense.append((view, slices))
            whole += [shown(Image.fromarray(s)) for s in stack]
            if depth:
                view = shortened(view, slices)
            grounded = self.mode == MODES[0]
            types = {box: "" if grounded and rng.random() < ASTRAY else kind for box, kind in types_in_crops(view, grounded).items()}
            cut_out = _Crops(rng, source, types, view, crops, kinds)
            if not talk:
                for thing in view.lesions:
                    cut_out(thing.box)
                continue
            for _ in range(ASKED_3D if depth else ASKED_2D):
                said = simple(rng, view, scene, types) if scene else six(rng, view, types)
                if said is None or len(said.pieces) > 1 and sum(18 * (b[5] - b[2] if depth else 1) for b in said.boxes) > LONGEST - 120:
                    continue
                if self.mode == "text-only":
                    said = without_boxes(said)
                talks.append((i, said, [cut_out(box) if grounded else [] for box in said.boxes]))
            talks += [(i, drill(rng, bool(depth), self.views.names), []) for _ in range((DRILLS_3D if depth else DRILLS_2D) * self.drills)]
        if not talk:
            depth = 0
        n = len(whole)
        found = dense_of(dense)
        moves = torch.ones(n, dtype=torch.bool)
        if depth == DEPTH:
            moves = (found.hit.sum(1) > 0) | (torch.rand(n, generator=torch.Generator().manual_seed(seed)) < 0.12)
        live, still = moves.nonzero()[:, 0], (~moves).nonzero()[:, 0]
        context, context_positions = torch.empty(0, 0), torch.empty(0)
        base = 0
        if depth:
            strip = self.picture * depth
            start = len(self.opening[True])
            where, base = mrope(strip, self.pad, [(CELLS, CELLS)] * depth, start)
            context, context_positions = torch.tensor(strip)[None], where[:, None]
        sizes: dict[tuple[int, int], list[int]] = {}
        for k, crop in enumerate(crops):
            sizes.setdefault(crop.size, []).append(k)
        order = [k for members in sizes.values() for k in members]
        seen = [(torch.from_numpy(patch_bytes([crops[k] for k in members])), h // 14, w // 14) for (w, h), members in sizes.items()]
        spots, at = [(k * 16, CELLS, CELLS) for k in range(n)] + [(0, 0, 0)] * len(crops), n * 16
        for k in order:
            h, w = crops[k].height // 28, crops[k].width // 28
            spots[n + k] = (at, h, w)
            at += h * w
        out = Batch(torch.from_numpy(patch_bytes(whole)), seen, torch.tensor([kinds[k] for k in order], dtype=torch.long),
                    sum(k >= 0 for k in kinds), found[live], live, still, depth, context, context_positions)
        rows = sorted((self._row(v, t, [[spots[n + c] for c in g] for g in groups], spots[v], depth, base) for v, t, groups in talks), key=lambda row: len(row.tokens))
        out.tails = [self._pad(part, depth) for part in _alike(rows, self.parts) if part]
        return out

    def words(self, seed: int, count: int) -> Batch:
        """``count`` rows without any picture: conclusions from reasoning that is given, and half as many drills of letters."""
        none = torch.empty(0)
        nothing = Dense(none, none, none, none)
        said: list[Talk] = []
        # Not seeded by how many there are: a view that gives none would come again for ever.
        for at in itertools.count(seed):
            if len(said) >= count:
                break
            rng = Random(at)
            if self.drills and len(said) % 3 == 0:
                said.append(drill(rng, rng.random() < 0.5, self.views.names))
                continue
            view = self.views.view(at, rng.random() < 0.15, rng.choice((None, 2, 3)))
            for _ in range(18):
                talk = six(rng, view, types_in_crops(view, True))
                if talk and (talk.user.startswith(WEIGHED) or rng.random() < 0.25):
                    said.append(conclusion(talk))
        rows = sorted((self._row(0, talk, [], None, 0, 0) for talk in said[:count]), key=lambda row: len(row.tokens))
        return Batch(torch.empty(0, 64, 196), [], none, 0, nothing, none, none, 0, none, none, [self._pad(part, 0) for part in _alike(rows, self.parts)])

    def _view(self, rng: Random, seed: int, depth: int) -> tuple[View, Scene | None]:
        draw = rng.random()
        if draw < self.simple_share:
            scene = (self.views.painter.scene_3d if depth else self.views.painter.scene_2d)(seed, None, rng.random() < 0.2)
            return as_view(scene), scene
        if depth and draw < self.simple_share + CROSS_SHARE:
            kind = rng.choice(cross_slice.KINDS)
            return self.views.view(seed, True, 1 if kind == "extent" else 2, kind == "identity"), None
        count = rng.choice((None, None, 2, 3, 0)) if rng.random() < 0.6 else None
        return self.views.view(seed, depth > 0, count), None

    def _row(self, view: int, talk: Talk, groups: list[list[tuple[int, int, int]]], own: tuple[int, int, int] | None,
             depth: int, base: int) -> _Row:
        row = _Row(view, *(([], []) if depth or own is None else (list(self.picture), [own])))
        row.tokens += self.ids(talk.user + "<|im_end|>\n<|im_start|>assistant\n")
        for k, piece in enumerate(talk.pieces):
            last = k == len(talk.pieces) - 1
            ids = self.ids(piece) + ([self.end] if last else [])
            letters = ()
            if last and talk.lettered:
                final = len(ids) - len(self.ids(piece.rsplit("\n", 1)[1])) - 1
                letters = (final - LETTER_APART, final)
            weighed = len(ids) - 1 - len(self.ids(ending(piece))) if last and talk.lettered and talk.taught == "all" else len(ids)
            untaught = 0
            if talk.taught == "letter":
                untaught = letters[0]
            elif talk.taught == "end":
                untaught = len(ids) - 1 - len(self.ids(ending(piece)))
            for j, token in enumerate(ids):
                if j < untaught:
                    continue
                row.loss_at.append(len(row.tokens) + j - 1)
                row.targets.append(token)
                row.weights.append(LETTER_WEIGHT if j in letters else CONCLUSION_WEIGHT if j >= weighed else 1.0)
                if token == self.box_start and talk.boxes:
                    row.box_at.append(len(row.tokens) + j)
            row.tokens += ids
            if not last:
                for _, h, w in groups[k]:
                    row.tokens += [self.picture[0], *[self.pad] * (h * w), self.picture[-1]]
                row.pictures += groups[k]
                box = talk.boxes[k]
                row.boxes.append([v / d for v, d in zip(box, (SIDE, SIDE, depth) * 2)] if depth
                                 else [box[0] / SIDE, box[1] / SIDE, float("nan"), box[2] / SIDE, box[3] / SIDE, float("nan")])
        start = base if depth else len(self.opening[False])
        row.positions = mrope(row.tokens, self.pad, [(h, w) for _, h, w in row.pictures], start)[0]
        return row

    def _pad(self, rows: list[_Row], depth: int) -> Tails:
        width = max(len(r.tokens) for r in rows)
        tokens = torch.full((len(rows), width), self.filler)
        positions = torch.zeros(3, len(rows), width, dtype=torch.long)
        for i, row in enumerate(rows):
            tokens[i, :len(row.tokens)] = torch.tensor(row.tokens)
            positions[:, i, :len(row.tokens)] = row.positions
        picks = torch.tensor([p for r in rows for at, h, w in r.pictures for p in range(at, at + h * w)], dtype=torch.long)
        weights = torch.tensor([w for r in rows for w in r.weights])
        return Tails(tokens, picks, spots_of(tokens, self.pad), positions, torch.tensor([r.view for r in rows]),
                     torch.tensor([(i, at) for i, r in enumerate(rows) for at in r.loss_at]),
                     torch.tensor([t for r in rows for t in r.targets]), weights, (weights >= LETTER_WEIGHT).nonzero()[::2, 0],
                     torch.tensor([(i, at) for i, r in enumerate(rows) for at in r.box_at], dtype=torch.long).reshape(-1, 2),
                     torch.tensor([b for r in rows for b in r.boxes]).reshape(-1, 6))


@dataclass
class _Row:
    view: int
    tokens: list[int]
    pictures: list[tuple[int, int, int]]
    loss_at: list[int] = field(default_factory=list)
    targets: list[int] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    box_at: list[int] = field(default_factory=list)
    boxes: list[list[float]] = field(default_factory=list)
    positions: Tensor = field(default_factory=lambda: torch.empty(0))


class _Crops:
    """Crops for boxes of one view, cut once each from the twin, a little beside the box; in 3D sometimes a slice more or less."""

    def __init__(self, rng: Random, source: NDArray[np.uint8], types: dict[tuple[int, ...], str], view: View, crops: list[Image.Image],
                 kinds: list[int]) -> None:
        self.rng, self.source, self.types, self.view = rng, source, types, view
        self.crops, self.kinds = crops, kinds
        self.known: dict[tuple[int, ...], list[int]] = {}

    def __call__(self, box: tuple[int, ...]) -> list[int]:
        """Numbers of the crops of ``box``."""
        if box in self.known:
            return self.known[box]
        rng, deep = self.rng, len(box) == 6
        flat = [box[0], box[1], box[3], box[4]] if deep else list(box)
        low, high = (box[2], box[5]) if deep else (0, 1)
        span = range(low, high)
        if deep and rng.random() < 0.3:
            low, high = max(0, min(len(self.source) - 1, low + rng.randint(-1, 1))), min(len(self.source), high + rng.randint(-1, 1))
            high = max(high, low + 1)
        kind = self.types.get(box)
        loose = _elsewhere(rng, self.view) if kind == "" else _jitter(rng, flat)
        first = len(self.crops)
        for z in range(low, high):
            self.crops.append(shown(cut(crop_source(Image.fromarray(self.source[z])), loose)))
            self.kinds.append(-1 if kind is None or z not in span else TYPES.index(kind) if kind else 4)
        self.known[box] = list(range(first, len(self.crops)))
        return self.known[box]


def _alike(rows: list[_Row], most: int) -> list[list[_Row]]:
    """Rows, shortest first, in up to ``most`` parts of like length: padding is computed like words."""
    parts = min(most, max(1, len(rows) // 6))
    ends = [round(len(rows) * (1 - (1 - k / parts) ** 1.3)) for k in range(parts + 1)]
    return [rows[a:b] for a, b in zip(ends, ends[1:])]


def _run(rng: Random, view: View, depth: int) -> range:
    """``depth`` slices that hold a lesion, if there is one (or as much of it as fits)."""
    low, high = 0, len(view.image) - depth
    if view.lesions:
        box = rng.choice(view.lesions).box
        ends = sorted((box[5] - depth, box[2]))
        low, high = max(low, ends[0]), min(high, ends[1])
    start = rng.randint(low, max(low, high))
    return range(start, start + depth)


def _jitter(rng: Random, box: list[int]) -> list[float]:
    """A loose copy of ``box``; one that is nearly square keeps a crop of 112x112."""
    loose = max(1.0, 0.1 * min(box[2] - box[0], box[3] - box[1]))
    square = smart_resize(box[3] - box[1], box[2] - box[0]) == (SIDE, SIDE)
    for _ in range(8):
        out = [float(max(0, min(SIDE, round(v + rng.gauss(0.0, loose))))) for v in box]
        width, height = int(out[2] - out[0]), int(out[3] - out[1])
        if width >= 4 and height >= 4 and (not square or smart_resize(height, width) == (SIDE, SIDE)):
            return out
    return [float(v) for v in box]


def _elsewhere(rng: Random, view: View) -> list[float]:
    """A square that touches no lesion."""
    for _ in range(50):
        side = rng.randint(12, 32)
        x, y = rng.randint(0, SIDE - side), rng.randint(0, SIDE - side)
        boxes = [(t.box[0], t.box[1], t.box[len(t.box) // 2], t.box[len(t.box) // 2 + 1]) for t in view.lesions]
        if all(x > b[2] or y > b[3] or x + side < b[0] or y + side < b[1] for b in boxes):
            break
    return [float(v) for v in (x, y, x + side, y + side)]
