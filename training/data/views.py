"""Images and volumes with one to three synthetic lesions and named structures, from a seed (numpy and Pillow only).

Unlike ``scenes.py`` no view is mirrored or turned upside down, so that names like "left hippocampus" stay true. A
structure or lesion has a mask; its box is the mask's extent in processor pixels (112x112) and slices.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from anatomy import Labels, Stack
from lesions import SMALL_RADIUS, TYPES, Lesion, box_of, draw, draw_volume, slices_of
from scenes import DEPTH, SIDE, SIZE_2D, SIZE_3D, Painter, affine, lesion_at, mean_level, noisy, phantom, spot_in, to_bytes, warp, window

Bytes = NDArray[np.uint8]
SOURCES = ("thorax", "lung", "brain", "phantom")
LEAST_SIDE, LEAST_FILL, MOST_SLICES = 14, 90, 8
"""A structure is asked about from this box side (processor pixels) and this many pixels of mask a slice on; in 3D up to this many
slices, since every slice of a cuboid puts a crop into the context."""


@dataclass(frozen=True)
class Thing:
    """A lesion or a named structure. ``box``: [x1, y1, x2, y2], in 3D [x1, y1, z1, x2, y2, z2], upper bounds exclusive.

    ``fill``: pixels (2D) or voxels (3D) of its mask on the 112-pixel grid; ``lesion`` is None for a structure.
    """

    name: str
    box: tuple[int, ...]
    fill: int
    lesion: Lesion | None = None
    size: str = ""
    within: str = ""

    @property
    def centre(self) -> tuple[float, float, float]:
        """x, y, z (0 in 2D)."""
        half = len(self.box) // 2
        middle = [(self.box[k] + self.box[half + k]) / 2 for k in range(half)]
        return middle[0], middle[1], middle[2] if half == 3 else 0.0

    @property
    def quadrant(self) -> str:
        """Empty where the centre is too near a midline to say."""
        x, y, _ = self.centre
        if min(abs(x - SIDE / 2), abs(y - SIDE / 2)) < 4.0:
            return ""
        return ("upper " if y < SIDE / 2 else "lower ") + ("left" if x < SIDE / 2 else "right")


@dataclass(frozen=True)
class View:
    """``image`` uint8 [256, 256], or [32, 128, 128] before the percentile clip; ``twin``: the lesions' textures drawn anew."""

    image: Bytes
    twin: Bytes
    twin_kinds: tuple[str, ...]
    lesions: tuple[Thing, ...]
    structures: tuple[Thing, ...]
    absent: tuple[str, ...]
    """Names of structures of this scan that are not in the view."""
    source: str
    regions: Bytes
    """Index into ``ViewMaker.names`` of the structure at each processor pixel, [slices, 112, 112]; 0 where there is none."""

    @property
    def three_d(self) -> bool:
        return self.image.ndim == 3


class ViewMaker:
    """Draws views. ``sources`` limits the scans, so that one can be held out."""

    def __init__(self, painter: Painter, labels: dict[str, Labels], sources: tuple[str, ...]) -> None:
        self.painter, self.labels, self.sources = painter, labels, sources
        self.names = ("", *sorted({name for known in labels.values() for name in known.names}))

    def view(self, seed: int, three_d: bool, count: int | None = None, stacked: bool = False) -> View:
        """One view. ``count`` lesions (None: 0 to 3); ``stacked``: the second lesion lies over the first along z."""
        rng = np.random.default_rng([4 if three_d else 5, seed])
        for _ in range(30):
            view = self._try(rng, three_d, count, stacked)
            if view is not None:
                return view
        raise RuntimeError(f"seed {seed}: no room for {count} lesions in 30 tries")

    def _try(self, rng: np.random.Generator, three_d: bool, count: int | None, stacked: bool) -> View | None:
        name = self.sources[int(rng.integers(len(self.sources)))]
        ground, inside, labels = self._ground(rng, name, three_d)
        wanted = int(rng.choice([0, 1, 2, 3], p=[0.1, 0.4, 0.3, 0.2])) if count is None else count
        size = SIZE_3D if three_d else SIZE_2D
        scale = SIDE / size
        found: list[tuple[Lesion, str]] = []
        for _ in range(wanted * 12):
            if len(found) == wanted:
                break
            rz = float(rng.uniform(1.4, 4.6)) if three_d else 0.0
            cz = float(rng.uniform(rz + 0.3, DEPTH - rz - 0.3)) if three_d else 0.0
            plane = inside[int(cz)]
            spot = spot_in(rng, plane, plane, scale)
            if spot is None:
                continue
            cx, cy, rx, ry, word = spot
            if stacked and found:
                first = found[0][0]
                cx, cy = first.cx + float(rng.uniform(-3, 3)), first.cy + float(rng.uniform(-3, 3))
                if not rx + 1 <= cx <= SIDE - rx - 1 or not ry + 1 <= cy <= SIDE - ry - 1:
                    continue
            level = mean_level(ground[int(cz)], cx / scale, cy / scale, rx / scale)
            lesion, _ = lesion_at(rng, level, cx, cy, rx, ry, cz, rz)
            if all(_apart(lesion, other, three_d, stacked) for other, _ in found):
                found.append((lesion, word))
        if len(found) < wanted:
            return None
        twin = ground.copy()
        kinds = tuple(TYPES[int(rng.integers(len(TYPES)))] for _ in found)
        for (lesion, _), kind in zip(found, kinds):
            for target, drawn in ((ground, lesion), (twin, replace(lesion, kind=kind, angle=lesion.angle + 0.5))):
                if three_d:
                    draw_volume(target, drawn.scaled(1 / scale))
                else:
                    draw(target[0], drawn.scaled(1 / scale))
        structures, absent, regions = self._structures(name, labels, three_d)
        things = tuple(_thing(lesion, word, labels, self.labels.get(name), three_d) for lesion, word in found)
        # The order in which they are looked at must be one that can be learnt: by slice, or from left to right.
        order = sorted(range(len(things)), key=lambda i: things[i].box[2] if three_d else things[i].box[0])
        things, kinds = tuple(things[i] for i in order), tuple(kinds[i] for i in order)
        image, other = to_bytes(ground), to_bytes(twin)
        return View(image if three_d else image[0], other if three_d else other[0], kinds, things, structures, absent, name,
                    regions)

    def _ground(self, rng: np.random.Generator, name: str, three_d: bool) -> tuple[NDArray[np.float32], Bytes, Bytes]:
        """Background in 0..1, inside of the body and label map, all [z, y, x]; one slice in 2D."""
        size, depth = (SIZE_3D, DEPTH) if three_d else (SIZE_2D, 1)
        if name == "phantom":
            ground, inside = phantom(rng, depth, SIZE_3D)
            if not three_d:
                bigger = Image.fromarray(ground[0]).resize((size, size), Image.Resampling.BILINEAR)
                ground, inside = np.asarray(bigger)[None].astype(np.float32), inside.repeat(2, 1).repeat(2, 2)
            return noisy(rng, ground), inside, inside * 0
        stack = self.painter.stacks[name]
        turn = _upright(rng, stack, size)
        total = len(stack.voxels)
        step = float(rng.uniform(min(1.0, total / depth), total / depth)) if three_d else 1.0
        start = float(rng.uniform(0.0, total - step * depth)) if three_d else float(rng.integers(total))
        at = np.clip((start + (np.arange(depth) + 0.5) * step).astype(int), 0, total - 1) if three_d else np.array([int(start)])
        known = self.labels.get(name)
        ground = np.stack([warp(stack.voxels[z], turn, size) for z in at]).astype(np.float32)
        inside = np.stack([warp(self.painter.inside[name][z], turn, size, nearest=True) for z in at])
        labels = np.stack([warp(known.voxels[z], turn, size, nearest=True) for z in at]) if known else inside * 0
        return noisy(rng, window(rng, ground / np.float32(255.0), stack.lung)), inside, labels

    def _structures(self, name: str, labels: Bytes, three_d: bool) -> tuple[tuple[Thing, ...], tuple[str, ...], Bytes]:
        """Structures large enough to ask about, names of those that are not there at all, and the regions."""
        step = labels.shape[1] / SIDE
        at = ((np.arange(SIDE) + 0.5) * step).astype(int)
        small = labels[:, at][:, :, at]
        known = self.labels.get(name)
        if known is None:
            return (), (), small * 0
        z, y, x = np.nonzero(small)
        values = small[z, y, x]
        fills = np.bincount(values, minlength=256)
        ends = [_extents(values, at, size) for at, size in zip((x, y, z), reversed(small.shape))]
        seen = np.flatnonzero(fills)
        present: list[Thing] = []
        for value in seen:
            low, high = (tuple(int(end[value][k]) for end in ends) for k in (0, 1))
            box = (*low, *high) if three_d else (*low[:2], *high[:2])
            fill = int(fills[value])
            if min(high[0] - low[0], high[1] - low[1]) >= LEAST_SIDE and fill >= LEAST_FILL * (high[2] - low[2]) \
                    and high[2] - low[2] <= MOST_SLICES:
                present.append(Thing(known.names[value - 1], box, fill))
        absent = tuple(word for value, word in enumerate(known.names, 1) if value not in seen)
        index = np.array([0, *(self.names.index(word) for word in known.names)], np.uint8)
        return tuple(present), absent, index[small]


def _extents(values: Bytes, at: NDArray[np.intp], size: int) -> dict[int, tuple[int, int]]:
    """First coordinate and the one behind the last, by value, of points ``at`` along an axis of ``size``."""
    there = np.zeros((256, size), bool)
    there[values, at] = True
    return {int(v): (int(there[v].argmax()), size - int(there[v, ::-1].argmax())) for v in np.flatnonzero(there.any(1))}


def shortened(view: View, slices: range) -> View:
    """Some slices of a volume: what lies outside is left out, what reaches out of them is cut. The images are those of the whole volume."""
    if len(slices) == len(view.regions):
        return view

    def inside(thing: Thing) -> Thing | None:
        x1, y1, z1, x2, y2, z2 = thing.box
        low, high = max(z1, slices.start), min(z2, slices.stop)
        if high <= low:
            return None
        share = (high - low) / (z2 - z1)
        return replace(thing, box=(x1, y1, low - slices.start, x2, y2, high - slices.start), fill=int(thing.fill * share))

    lesions = [(found, kind) for t, kind in zip(view.lesions, view.twin_kinds) if (found := inside(t))]
    # A structure that is cut through has another extent in the plane than the whole one: it is left out, but it isn't absent.
    structures = tuple(found for t in view.structures if t.box[2] >= slices.start and t.box[5] <= slices.stop and (found := inside(t)))
    cut = view.image[slices.start:slices.stop]
    return replace(view, image=cut, twin=view.twin[slices.start:slices.stop], lesions=tuple(t for t, _ in lesions),
                   twin_kinds=tuple(k for _, k in lesions), structures=structures, regions=view.regions[slices.start:slices.stop])


def _upright(rng: np.random.Generator, stack: Stack, size: int) -> tuple[float, ...]:
    """A random view that is not mirrored."""
    while True:
        turn = affine(rng, stack, size, calm=False)
        if turn[0] > 0:
            return turn


def _thing(lesion: Lesion, word: str, labels: Bytes, known: Labels | None, three_d: bool) -> Thing:
    x1, y1, x2, y2 = box_of(lesion)
    span = slices_of(lesion, DEPTH) if three_d else range(0, 1)
    box = (x1, y1, span[0], x2, y2, span[-1] + 1) if three_d else (x1, y1, x2, y2)
    step = labels.shape[1] / SIDE
    value = int(labels[int(lesion.cz), int(lesion.cy * step), int(lesion.cx * step)])
    fill = int(np.pi * lesion.rx * lesion.ry) * len(span)
    return Thing("lesion", box, fill, lesion, word, known.names[value - 1] if known and value else "")


def _apart(one: Lesion, two: Lesion, three_d: bool, stacked: bool) -> bool:
    """Boxes do not touch; stacked lesions are apart along z, others in the plane."""
    if three_d and stacked:
        a, b = slices_of(one, DEPTH), slices_of(two, DEPTH)
        return bool(a) and bool(b) and (a[0] - b[-1] > 3 or b[0] - a[-1] > 3)
    gap = SMALL_RADIUS[0] / 2
    return abs(one.cx - two.cx) > one.rx + two.rx + gap or abs(one.cy - two.cy) > one.ry + two.ry + gap
