"""Held-out cases on disk in the form of ``make_eval.py``: examples.jsonl with PNGs (2D), examples.csv with volumes (3D)."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np

from data.record import Record
from questions import LETTERS


def write_cases(records: list[Record], out: Path) -> list[str]:
    """Write ``out``/2d and ``out``/3d, as far as there are records of each; returns a line about each."""
    told = []
    flat, deep = [r for r in records if not r.three_d], [r for r in records if r.three_d]
    if flat:
        (out / "2d" / "images").mkdir(parents=True, exist_ok=True)
        lines = []
        for i, record in enumerate(flat):
            path = f"images/{i:04d}.png"
            record.pictures[0].save(out / "2d" / path)
            options = dict(zip(LETTERS, record.options))
            lines.append(json.dumps({"question": record.question, "image_path": path, **{f"option_{k}": options.get(k, "") for k in LETTERS},
                                     "answer": record.letter, "kind": record.kind, "boxes": record.boxes}))
        (out / "2d" / "examples.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
        told.append(f"{len(flat)} 2d cases in {out / '2d'}")
    if deep:
        (out / "3d" / "volumes").mkdir(parents=True, exist_ok=True)
        with (out / "3d" / "examples.csv").open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(["Image Path", "Question", *(f"Choice {k}" for k in LETTERS), "Answer", "Kind", "Boxes"])
            for i, record in enumerate(deep):
                path = f"volumes/{i:04d}.npy"
                if record.volume is None:
                    raise ValueError(f"{record.name}: a 3D record without its volume")
                np.save(out / "3d" / path, record.volume)
                options = [*record.options, "", "", "", ""][:4]
                writer.writerow([path, record.question, *options, record.letter, record.kind, json.dumps(record.boxes)])
        told.append(f"{len(deep)} 3d cases in {out / '3d'}")
    return told
