"""Greedy grounded runs of a training state, without transformers: IoU and answers by kind of question.

``python training/evaluate.py --state /tmp/readroom-train/state.pt --kind 2d --count 100 [--crop random]``. Scenes come
from the validation seeds. The loop is a re-statement of the reference's: a box stops the text, its crop is put behind it,
the text goes on. ``--crop random`` puts the crop of a box elsewhere in its place.
"""

from __future__ import annotations

import argparse
import json
import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
import torch
from PIL import Image
from torch import Tensor

import anatomy
import vocabulary
from batches import VALID_SEED, Maker
from export import read_checkpoint, rounded
from imaging import crop_source, cut, cut_slices, normalise_volume, patches, shown
from lesions import box_of, slices_of
from model import KV, Readroom, mrope
from questions import KINDS_2D, KINDS_3D, Item, choose_kind, join, make_item
from scenes import DEPTH, SIDE, Painter, Scene

BOX = re.compile(r"<\|box_start\|>[\[\(]([^\]\)]+)[\]\)]<\|box_end\|>")
HERE = Path(__file__).resolve().parent


@dataclass
class Outcome:
    """What one run said."""

    text: str
    box: list[float] | None
    letter: str


class Runner:
    """Runs one question at a time with a key-value cache."""

    def __init__(self, model: Readroom, maker: Maker) -> None:
        self.model, self.maker = model.eval(), maker
        self.stop = maker.tokenizer.token_to_id("<|box_end|>")
        self.openings: dict[bool, KV] = {}

    def feed(self, ids: list[int], pictures: list[Image.Image], past: KV | None, at: int) -> tuple[Tensor, KV, int]:
        """Append tokens and pictures; logits at the last position, the cache, the next position."""
        rows, grids = [], []
        for group in pictures:
            h, w = group.height // 14, group.width // 14
            rows.append(self.model.visual(torch.from_numpy(patches([group])), h, w)[0])
            grids.append((h // 2, w // 2))
        positions, after = mrope(ids, self.maker.pad, grids, at)
        x = self.model.embed(torch.tensor(ids)[None], torch.cat(rows) if rows else None, self.maker.pad)
        hidden, past = self.model.language(x, positions[:, None], past)
        return self.model.language.logits(hidden[:, -1])[0], past, after

    def picture(self, image: Image.Image) -> list[int]:
        return self.maker.ids("<|vision_start|>" + "<|image_pad|>" * (image.width * image.height // 784) + "<|vision_end|>")

    @torch.inference_mode()
    def run(self, user: str, slices: list[Image.Image], three_d: bool, elsewhere: Random | None = None, rounds: int = 4
            ) -> Outcome:
        """One grounded run; ``elsewhere``: crops come from a random square instead."""
        opening = self.maker.opening[three_d]
        if three_d not in self.openings:
            self.openings[three_d] = self.feed(opening, [], None, 0)[1]
        seen = [shown(s) for s in slices]
        sources = [crop_source(s) for s in slices]
        ids = sum((self.picture(s) for s in seen), []) + self.maker.ids(user + "<|im_end|>\n<|im_start|>assistant\n")
        logits, past, at = self.feed(ids, seen, self.openings[three_d], len(opening))
        said: list[int] = []
        last: list[float] | None = None
        start = 0
        for _ in range(rounds):
            for _ in range(128):
                token = int(logits.argmax())
                said.append(token)
                if token == self.maker.end:
                    break
                logits, past, at = self.feed([token], [], past, at)
                if token == self.stop:
                    break
            piece = self.maker.tokenizer.decode(said[start:], skip_special_tokens=False)
            start = len(said)
            found = BOX.findall(piece) if said[-1] == self.stop else []
            try:
                numbers = [float(v) for v in found[-1].split(",")] if found else []
            except ValueError:
                numbers = []
            if len(numbers) not in (4, 6):
                break
            last = numbers
            use = numbers if elsewhere is None else _square(elsewhere, numbers)
            crops = cut_slices(sources, use) if len(use) == 6 else [cut(sources[0], use)]
            crops = [shown(c) for c in crops]
            logits, past, at = self.feed(sum((self.picture(c) for c in crops), []), crops, past, at)
        text = self.maker.tokenizer.decode(said, skip_special_tokens=False)
        plain = re.sub(r"<think>.*?</think>", " ", text, flags=re.S)
        letter = re.search(r"\b([A-D])\.", plain)
        return Outcome(text, last, letter.group(1) if letter else "")


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


def case(painter: Painter, seed: int, three_d: bool, only: str = "") -> tuple[Scene, Item, list[float] | None]:
    """A validation scene, its question and its true box."""
    rng = Random(seed)
    scene = (painter.scene_3d if three_d else painter.scene_2d)(seed, in_lung=rng.random() < 0.2)
    lesion = scene.finding.lesion
    box: list[int] | None = None
    if lesion is not None:
        box = box_of(lesion)
        if three_d:
            span = slices_of(lesion, DEPTH)
            box = [box[0], box[1], span[0], box[2], box[3], span[-1] + 1]
    kind = choose_kind(rng, scene.finding, KINDS_3D if three_d else KINDS_2D)
    kind = only if only and lesion is not None else kind
    item = make_item(rng, scene.finding, kind, three_d, box, lesion.kind if lesion else "")
    return scene, item, [float(v) for v in box] if box else None


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
              round(iou(out.box, truth), 2) if out.box else "no box")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--state", type=Path, default=Path("/tmp/readroom-train/state.pt"), help="state.pt, or a checkpoint folder")
    parser.add_argument("--kind", choices=("2d", "3d"), default="2d")
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--crop", choices=("own", "random"), default="own")
    parser.add_argument("--only", choices=("", "type", "exists"), default="", help="only this kind of question, where there is a lesion")
    parser.add_argument("--show", type=int, default=3)
    parser.add_argument("--bundled", action="store_true", help="only ask the questions of resources/samples")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    painter = Painter(anatomy.load())
    maker = Maker(painter, vocabulary.load(HERE.parent / "resources" / "models" / "readroom-mini"))
    model = Readroom()
    folder = args.state.is_dir()
    model.load_state_dict(read_checkpoint(args.state) if folder else torch.load(args.state, weights_only=False)["model"], strict=False)
    runner = Runner(rounded(model), maker)
    if args.bundled:
        bundled(runner)
        return
    three_d = args.kind == "3d"
    right: dict[str, list[float]] = defaultdict(list)
    overlaps: list[float] = []
    for i in range(args.count):
        scene, item, truth = case(painter, VALID_SEED + args.seed + i, three_d, args.only)
        stack = normalise_volume(scene.image) if three_d else scene.image[None]
        out = runner.run(item.user, [Image.fromarray(s) for s in stack], three_d,
                         Random(i) if args.crop == "random" else None)
        if truth:
            overlaps.append(iou(out.box, truth) if out.box else 0.0)
        right[item.kind].append(float(out.letter == item.letter))
        if i < args.show:
            print(item.user.replace("\n", " | "), "\n  ", out.text.replace("\n", " | "), "\n  true", truth, item.letter)
    everything = [v for vs in right.values() for v in vs]
    print(f"{args.kind} crop={args.crop} n={args.count} mean IoU {np.mean(overlaps):.3f} (>=0.5: {np.mean(np.array(overlaps) >= 0.5):.2f}) "
          f"answers {np.mean(everything):.3f}")
    print("  " + ", ".join(f"{k} {np.mean(v):.2f} ({len(v)})" for k, v in sorted(right.items())))


if __name__ == "__main__":
    main()
