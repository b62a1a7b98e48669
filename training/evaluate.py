"""Greedy grounded runs of a training state, without transformers: IoU and answers by kind of question.

``python training/evaluate.py --state /tmp/readroom-train/state.pt --kind 2d --count 100 [--crop random]``. Cases come
from the validation seeds. The loop is a re-statement of the reference's: a box stops the text, its crop is put behind it,
the text goes on. ``--crop random`` puts the crop of a box elsewhere in its place. What is published is measured
with the product's own command line instead (training/README.md).
"""

from __future__ import annotations

import argparse
import json
import re
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from random import Random

import numpy as np
import torch
from PIL import Image
from torch import Tensor

import anatomy
import vocabulary
from data import cross_slice
from data.record import Record
from data.statistics import Statistics
from data.views import SOURCES, ViewMaker
from export import load_model, rounded
from imaging import crop_source, cut, cut_slices, patches, shown
from make_dataset import SPLITS, records
from model import KV, Readroom, mrope
from questions import SYSTEM_2D, SYSTEM_3D, join
from scenes import DEPTH, SIDE, Painter
from sequence import Encoder

BOX = re.compile(r"<\|box_start\|>[\[\(]([^\]\)]+)[\]\)]<\|box_end\|>")
HERE = Path(__file__).resolve().parent
FOLDER = HERE.parent / "resources" / "models" / "readroom-mini"


@dataclass
class Outcome:
    """What one run said."""

    text: str
    letter: str
    boxes: list[list[float]] = field(default_factory=list)


class Runner:
    """Runs one question at a time with a key-value cache."""

    def __init__(self, model: Readroom, encoder: Encoder) -> None:
        self.model, self.encoder = model.eval(), encoder
        self.openings: dict[bool, KV] = {}

    def feed(self, ids: list[int], pictures: list[Image.Image], past: KV | None, at: int) -> tuple[Tensor, KV, int]:
        """Append tokens and pictures; logits at the last position, the cache, the next position."""
        rows, grids = [], []
        for group in pictures:
            h, w = group.height // 14, group.width // 14
            rows.append(self.model.visual(torch.from_numpy(patches([group])), h, w)[0])
            grids.append((h // 2, w // 2))
        positions, after = mrope(ids, self.encoder.pad, grids, at)
        x = self.model.embed(torch.tensor(ids)[None], torch.cat(rows) if rows else None, self.encoder.pad)
        hidden, past = self.model.language(x, positions[:, None], past)
        return self.model.language.logits(hidden[:, -1])[0], past, after

    @torch.inference_mode()
    def run(self, user: str, slices: list[Image.Image], three_d: bool, elsewhere: Random | None = None, rounds: int = 4
            ) -> Outcome:
        """One grounded run; ``elsewhere``: crops come from a random square instead."""
        opening = self.encoder.ids(f"<|im_start|>system\n{SYSTEM_3D if three_d else SYSTEM_2D}<|im_end|>\n<|im_start|>user\n")
        if three_d not in self.openings:
            self.openings[three_d] = self.feed(opening, [], None, 0)[1]
        seen = [shown(s) for s in slices]
        sources = [crop_source(s) for s in slices]
        ids = sum((self.encoder.picture(s) for s in seen), []) + self.encoder.ids(user + "<|im_end|>\n<|im_start|>assistant\n")
        logits, past, at = self.feed(ids, seen, self.openings[three_d], len(opening))
        said: list[int] = []
        boxes: list[list[float]] = []
        start = 0
        for _ in range(rounds):
            for _ in range(128):
                token = int(logits.argmax())
                said.append(token)
                if token == self.encoder.end:
                    break
                logits, past, at = self.feed([token], [], past, at)
                if token == self.encoder.box_end:
                    break
            piece = self.encoder.tokenizer.decode(said[start:], skip_special_tokens=False)
            start = len(said)
            found = BOX.findall(piece) if said[-1] == self.encoder.box_end else []
            try:
                numbers = [float(v) for v in found[-1].split(",")] if found else []
            except ValueError:
                numbers = []
            if len(numbers) not in (4, 6):
                break
            boxes.append(numbers)
            use = numbers if elsewhere is None else _square(elsewhere, numbers)
            crops = cut_slices(sources, use) if len(use) == 6 else [cut(sources[0], use)]
            crops = [shown(c) for c in crops]
            logits, past, at = self.feed(sum((self.encoder.picture(c) for c in crops), []), crops, past, at)
        text = self.encoder.tokenizer.decode(said, skip_special_tokens=False)
        plain = re.sub(r"<think>.*?</think>", " ", text, flags=re.S)
        letter = re.search(r"\b([A-D])\.", plain)
        return Outcome(text, letter.group(1) if letter else "", boxes)


def _square(rng: Random, box: list[float]) -> list[float]:
    """A box of the same size that hardly overlaps ``box``."""
    flat = [box[0], box[1], box[3], box[4]] if len(box) == 6 else box
    w, h = max(4.0, flat[2] - flat[0]), max(4.0, flat[3] - flat[1])
    best, least = flat, 9.0
    for _ in range(40):
        x, y = rng.uniform(0, max(0.0, SIDE - w)), rng.uniform(0, max(0.0, SIDE - h))
        other = [x, y, x + w, y + h]
        overlap = iou([*flat], other)
        if overlap < least:
            best, least = other, overlap
        if overlap == 0.0 and rng.random() < 0.5:
            break
    return [best[0], best[1], box[2], best[2], best[3], box[5]] if len(box) == 6 else best


def iou(a: list[float], b: list[float]) -> float:
    """Intersection over union of boxes (4 numbers) or cuboids (6)."""
    half = len(a) // 2
    if len(a) != len(b):
        return 0.0
    both = one = two = 1.0
    for k in range(half):
        both *= max(0.0, min(a[half + k], b[half + k]) - max(a[k], b[k]))
        one *= max(0.0, a[half + k] - a[k])
        two *= max(0.0, b[half + k] - b[k])
    return both / (one + two - both) if one + two > both else 0.0


def cases(which: str, three_d: bool, first: int, count: int) -> list[Record]:
    """Held-out questions, kinds in turn (``make_dataset.py``)."""
    maker = ViewMaker(Painter(anatomy.load()), anatomy.load_labels(), SOURCES)
    return list(islice(records(maker, which, first, float(three_d), False, Statistics()), count))


def bundled(runner: Runner) -> None:
    """The suggested questions on the bundled case: axial, feet to head, 32 slices over the whole volume."""
    folder = HERE.parent / "resources" / "samples"
    about = json.loads((folder / "case.json").read_text(encoding="utf-8"))
    volume = anatomy.read_metaimage(folder / about["file"])[0].astype(np.float32)
    low, high = np.percentile(volume, [1.0, 99.0])
    scaled = np.clip((volume - low) / (high - low), 0.0, 1.0)
    at = (np.arange(DEPTH) + 0.5) * len(volume) / DEPTH - 0.5
    below, share = at.astype(int), (at - at.astype(int))[:, None, None]
    stack = ((scaled[below] * (1 - share) + scaled[below + 1] * share) * 255.0).astype(np.uint8)
    x1, y1, z1, x2, y2, z2 = about["truth"]["box_source_voxels"]
    plane, deep = SIDE / volume.shape[2], DEPTH / len(volume)
    truth = [x1 * plane, y1 * plane, z1 * deep, x2 * plane, y2 * plane, z2 * deep]
    for asked in about["questions"]:
        user = join(asked["question"], tuple(asked["options"]), True)
        out = runner.run(user, [Image.fromarray(s) for s in stack], True)
        print(asked["question"], "->", out.text, "| true", asked["answer"], "IoU",
              round(iou(out.boxes[-1], truth), 2) if out.boxes else "no box")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--state", type=Path, default=Path("/tmp/readroom-train/state.pt"), help="state.pt, or a checkpoint folder")
    parser.add_argument("--tokenizer", type=Path, default=FOLDER, help="checkpoint folder whose tokenizer is used")
    parser.add_argument("--set", choices=("six", "cross-slice", "simple"), default="six")
    parser.add_argument("--kind", choices=("2d", "3d"), default="2d")
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--split", choices=("validation", "train"), default="validation")
    parser.add_argument("--crop", choices=("own", "random"), default="own")
    parser.add_argument("--control", choices=cross_slice.CONTROLS, default="true", help="for --set cross-slice")
    parser.add_argument("--show", type=int, default=3)
    parser.add_argument("--bundled", action="store_true", help="only ask the questions of resources/samples")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    runner = Runner(rounded(load_model(args.state)), Encoder(vocabulary.load(args.state if args.state.is_dir() else args.tokenizer)))
    if args.bundled:
        bundled(runner)
        return
    three_d = args.kind == "3d" or args.set == "cross-slice"
    right: dict[str, list[float]] = defaultdict(list)
    overlaps: dict[str, list[float]] = defaultdict(list)
    first = SPLITS[args.split] + args.seed * 10**6
    for i, record in enumerate(cases(args.set, three_d, first, args.count)):
        asked = cross_slice.control(record, args.control, first + i) if args.set == "cross-slice" else record
        out = runner.run(asked.user, asked.pictures, three_d, Random(i) if args.crop == "random" else None)
        truth = [[float(v) for v in b] for b in asked.boxes]
        overlaps[record.kind] += [max((iou(b, t) for b in out.boxes), default=0.0) for t in truth]
        right[record.kind].append(float(out.letter == record.letter))
        if i < args.show:
            print(record.user.replace("\n", " | "), "\n  ", out.text.replace("\n", " | "), "\n  true", record.boxes, record.letter)
    print(f"{args.set} {args.kind} crop={args.crop} {args.control} n={args.count} mean IoU {mean(overlaps):.3f} answers {mean(right):.3f}")
    print("  " + ", ".join(f"{k} {np.mean(v):.2f} ({len(v)}) IoU {np.mean(overlaps[k] or [0]):.2f}" for k, v in sorted(right.items())))


def mean(groups: dict[str, list[float]]) -> float:
    """Mean of everything in ``groups``; 0 where there is nothing."""
    return float(np.mean([v for vs in groups.values() for v in vs] or [0.0]))


if __name__ == "__main__":
    main()
