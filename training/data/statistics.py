"""What is in a set of records: kinds, answers, box sizes, slice counts, and how alike neighbouring slices' lesions are."""

from __future__ import annotations

from collections import Counter

import numpy as np

from data.record import Record
from lesions import shrink_at
from data.views import View


class Statistics:
    """Collects while records are made; ``lines`` tells."""

    def __init__(self) -> None:
        self.kinds: Counter[str] = Counter()
        self.sources: Counter[str] = Counter()
        self.letters: Counter[str] = Counter()
        self.chance: list[float] = []
        self.sides: list[int] = []
        self.slices: list[int] = []
        self.looks: Counter[int] = Counter()
        self.overlap: list[float] = []

    def add(self, record: Record) -> None:
        self.kinds[f"{record.kind} {'3d' if record.three_d else '2d'}"] += 1
        self.sources[record.source] += 1
        self.letters[record.letter] += 1
        self.chance.append(1 / len(record.options))
        self.looks[len(record.boxes)] += 1
        for box in record.boxes:
            half = len(box) // 2
            self.sides += [box[half] - box[0], box[half + 1] - box[1]]
            if half == 3:
                self.slices.append(box[5] - box[2])

    def add_view(self, view: View) -> None:
        """Overlap of a lesion's squares in neighbouring slices: the ratio of the smaller to the larger."""
        for thing in view.lesions:
            if view.three_d and thing.lesion is not None:
                sizes = [shrink_at(thing.lesion, z + 0.5) for z in range(thing.box[2], thing.box[5])]
                self.overlap += [(min(a, b) / max(a, b)) ** 2 for a, b in zip(sizes, sizes[1:])]

    def lines(self) -> list[str]:
        """Text for a terminal."""
        total = sum(self.kinds.values())
        out = [f"{total} records, chance {np.mean(self.chance):.3f}" if total else "no records"]
        for title, counter in (("kinds", self.kinds), ("sources", self.sources), ("answers", self.letters), ("boxes a record", self.looks)):
            out.append(f"{title}: " + ", ".join(f"{k} {v}" for k, v in sorted(counter.items(), key=lambda i: str(i[0]))))
        for title, values in (("box sides in pixels", self.sides), ("slices a cuboid", self.slices)):
            if values:
                low, middle, high = np.percentile(values, [5, 50, 95])
                out.append(f"{title}: 5 % {low:.0f}, median {middle:.0f}, 95 % {high:.0f}")
        if self.overlap:
            out.append(f"overlap of a lesion in neighbouring slices (IoU): mean {np.mean(self.overlap):.2f}, least {min(self.overlap):.2f}")
        return out
