"""Writes held-out cases with known answers and boxes, for measuring the model through any engine.

``python training/make_eval.py --kind 2d|3d --seed S --count N --out DIR`` needs numpy and Pillow only.

2D: ``DIR/examples.jsonl``, one JSON object a line {question, image_path, option_A..D, answer, kind, boxes} and 256x256 grey
PNGs. 3D: ``DIR/examples.csv`` {Image Path, Question, Choice A..D, Answer, Kind, Boxes} and 32x128x128 uint8 ``.npy`` volumes.
Paths are relative to DIR; ``answer`` is a letter; boxes are lists of numbers in processor pixels (112x112 for these
images), in 3D [x1,y1,z1,x2,y2,z2] with slice indices, z2 exclusive; a case without a lesion has none. Seeds used here are
never used in training (``batches.py``).
"""

from __future__ import annotations

import argparse
import csv
import json
from pathlib import Path
from random import Random

import numpy as np
from PIL import Image

import anatomy
from lesions import box_of, slices_of
from questions import KINDS_2D, KINDS_3D, LETTERS, choose_kind, make_item
from scenes import DEPTH, Painter

PER_SEED = 1_000
MOST_SEEDS = 400_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kind", choices=("2d", "3d"), required=True)
    parser.add_argument("--seed", type=int, default=0, help=f"0..{MOST_SEEDS - 1}")
    parser.add_argument("--count", type=int, default=100, help=f"at most {PER_SEED}")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", choices=sorted({*KINDS_2D, *KINDS_3D}), help="only this kind of question")
    args = parser.parse_args()
    if not 0 <= args.seed < MOST_SEEDS or not 0 < args.count <= PER_SEED:
        parser.error(f"--seed must be 0..{MOST_SEEDS - 1} and --count 1..{PER_SEED}")
    painter = Painter(anatomy.load())
    three_d = args.kind == "3d"
    kinds = KINDS_3D if three_d else KINDS_2D
    folder = "volumes" if three_d else "images"
    (args.out / folder).mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, object]] = []
    for i in range(args.count):
        seed = args.seed * PER_SEED + i
        rng = Random(seed)
        in_lung = args.only == "lung" or rng.random() < 0.2
        present = None if args.only in (None, "exists") else True
        scene = (painter.scene_3d if three_d else painter.scene_2d)(seed, present, in_lung)
        lesion = scene.finding.lesion
        box: list[int] | None = None
        if lesion is not None:
            box = box_of(lesion)
            if three_d:
                span = slices_of(lesion, DEPTH)
                box = [box[0], box[1], span[0], box[2], box[3], span[-1] + 1]
        kind = choose_kind(rng, scene.finding, kinds)
        if args.only and (args.only == "exists" or args.only == "type" or args.only in scene.finding.facts):
            kind = args.only
        item = make_item(rng, scene.finding, kind, three_d, box, lesion.kind if lesion else "")
        path = f"{folder}/{i:04d}.{'npy' if three_d else 'png'}"
        if three_d:
            np.save(args.out / path, scene.image)
        else:
            Image.fromarray(scene.image).save(args.out / path)
        options = dict(zip(LETTERS, item.options))
        boxes = [box] if box else []
        if three_d:
            rows.append({"Image Path": path, "Question": item.question,
                         **{f"Choice {k}": options.get(k, "") for k in LETTERS},
                         "Answer": item.letter, "Kind": kind, "Boxes": json.dumps(boxes)})
        else:
            rows.append({"question": item.question, "image_path": path,
                         **{f"option_{k}": options.get(k, "") for k in LETTERS},
                         "answer": item.letter, "kind": kind, "boxes": boxes})
    if three_d:
        with (args.out / "examples.csv").open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, fieldnames=list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    else:
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (args.out / "examples.jsonl").write_text(text, encoding="utf-8")
    print(f"{len(rows)} {args.kind} cases in {args.out}")


if __name__ == "__main__":
    main()
