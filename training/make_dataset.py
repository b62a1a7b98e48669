"""Makes grounded data from masks and writes it in UniMed-CoT's Parquet layout (``data/layout.py``).

    python training/make_dataset.py --set six --split train --sft 2000 --rl 500 --out DIR
    python training/make_dataset.py --set cross-slice --split test --cases 120 --out DIR

``--set simple``: one lesion and the questions readroom-mini is trained on (``scenes.py``, ``questions.py``); ``six``: the paper's
six kinds, up to three lesions and named structures; ``cross-slice``: volumes, questions across slices. ``--cases N`` writes
N held-out cases as ``make_eval.py`` does (DIR/2d, DIR/3d), and for cross-slice three folders of the same questions: the true volumes, their
slices shuffled, and one slice only. The same split, seed and counts give the same bytes. Splits never share a seed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

import anatomy
from data import cross_slice, simple, six_kinds
from data.cases import write_cases
from data.layout import Writer
from data.record import Record
from data.statistics import Statistics
from data.views import SOURCES, ViewMaker
from scenes import Painter

SPLITS = {"test": 0, "validation": 5 * 10**8, "train": 10**9}
MOST_MISSES = 400
SPAN = 4 * 10**8
"""Seeds of one split: SPLITS[name] up to SPLITS[name] + SPAN."""


def records(maker: ViewMaker, which: str, first: int, share_3d: float, twin: bool, numbers: Statistics) -> Iterator[Record]:
    """Records without end; kinds in turn, so that each is as frequent as the others. A kind that the sources have no question of (a scan
    without named structures) is left out after MOST_MISSES views, and standard error says so."""
    kinds = list({"six": six_kinds.KINDS, "cross-slice": cross_slice.KINDS, "simple": ("simple",)}[which])
    made, missed, seed = 0, 0, first
    while seed < first + SPAN:
        if missed == MOST_MISSES:
            print(f"no question of the kind {kinds.pop(made % len(kinds))} in {missed} views: left out", file=sys.stderr)
            missed = 0
        kind = kinds[made % len(kinds)]
        three_d = which == "cross-slice" or Random(seed * 7 + 1).random() < share_3d
        if which == "simple":
            record: Record | None = simple.make(maker.painter, seed, three_d, twin)
        elif which == "cross-slice":
            record = cross_slice.make(maker, seed, kind, twin)
        else:
            view = maker.view(seed, three_d, lesions_for(kind, seed))
            record = six_kinds.ask(view, seed, kind, twin)
            if record is not None:
                numbers.add_view(view)
        seed += 1
        missed += record is None
        if record is not None:
            made, missed = made + 1, 0
            yield record


def lesions_for(kind: str, seed: int) -> int | None:
    """Lesions in a view for a question of ``kind``; None: as it comes. Comparisons need two; "no" must be as true as "yes"."""
    if kind in ("size_comparison", "spatial_relation"):
        return 2 + seed % 2
    return 0 if kind == "existence" and seed % 3 == 0 else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", choices=("simple", "six", "cross-slice"), default="six")
    parser.add_argument("--split", choices=tuple(SPLITS), required=True)
    parser.add_argument("--seed", type=int, default=0, help="0..399: a million seeds each within the split")
    parser.add_argument("--sft", type=int, default=0, help="supervised samples")
    parser.add_argument("--rl", type=int, default=0, help="questions for outcome rewards")
    parser.add_argument("--cases", type=int, default=0, help="held-out cases for the command line")
    parser.add_argument("--share-3d", type=float, default=0.25, help="share of volumes (the paper has 50K of 220K)")
    parser.add_argument("--hold-out", choices=SOURCES[:3], help="leave this scan out")
    parser.add_argument("--only-question", default="", help="only questions that begin with these words")
    parser.add_argument("--only-source", choices=SOURCES, help="draw from this one only")
    parser.add_argument("--only-dicom", type=Path, help="draw from the DICOM series in this folder only: a scan that training never saw")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    if not 0 <= args.seed < 400:
        parser.error("--seed must be 0..399")
    if args.sft + args.rl + args.cases == 0:
        parser.error("nothing to make: give --sft, --rl or --cases")
    if args.cases and args.split == "train":
        parser.error("--cases are for measuring: take --split test or validation")
    sources = tuple(s for s in SOURCES if s != args.hold_out and args.only_source in (None, s))
    if not sources:
        parser.error("no source is left")
    if args.set == "simple" and len(sources) < len(SOURCES):
        parser.error("--set simple draws from all scans")
    stacks = anatomy.load()
    if args.only_dicom:
        sources = ("unseen",)
        stacks["unseen"] = anatomy.read_dicom_series(args.only_dicom)
    maker = ViewMaker(Painter(stacks), anatomy.load_labels(), sources)
    first = SPLITS[args.split] + args.seed * 10**6
    numbers = Statistics()
    every = records(maker, args.set, first, args.share_3d, args.split == "train", numbers)
    stream = (record for record in every if record.question.startswith(args.only_question))
    writer = Writer(args.out) if args.sft + args.rl else None
    for index in range(args.sft + args.rl):
        record = next(stream)
        numbers.add(record)
        if writer is not None and index < args.sft:
            writer.sft(record)
        elif writer is not None:
            writer.rl(record, args.split, index - args.sft)
    if writer is not None:
        writer.close()
    held = [next(stream) for _ in range(args.cases)]
    for record in held:
        numbers.add(record)
    for how in (cross_slice.CONTROLS if args.set == "cross-slice" else ("",)) if held else ():
        shown = [cross_slice.control(r, how, first + i) if how else r for i, r in enumerate(held)]
        print(*write_cases(shown, args.out / how), sep="\n")
    print(*numbers.lines(), sep="\n")


if __name__ == "__main__":
    main()
