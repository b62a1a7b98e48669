"""Images and volumes with at most one synthetic lesion, drawn deterministically from a seed (numpy and Pillow only).

Backgrounds are slices of the real scans in ``anatomy/`` (moved, turned, scaled, flipped, windowed anew) or procedural
phantoms. A *twin* shows the same lesion with a texture drawn anew: training crops are cut from the twin, so that the type is
read only from the crop.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from anatomy import Stack
from lesions import (TYPES, Finding, Lesion, draw, draw_volume, grey_level, random_shape)

SIDE = 112
"""Side of what the model sees, in processor pixels."""
SIZE_2D, SIZE_3D, DEPTH = 256, 128, 32
Bytes = NDArray[np.uint8]
Float = NDArray[np.float32]


@dataclass(frozen=True)
class Scene:
    """``image`` uint8 [y, x] (2D) or [z, y, x] (3D); ``twin`` the same with the twin lesion (or the same array)."""

    image: Bytes
    twin: Bytes
    finding: Finding
    twin_kind: str
    source: str


class Painter:
    """Holds the stacks, with a map of the inside of the body for each slice."""

    def __init__(self, stacks: dict[str, Stack]) -> None:
        self.stacks = stacks
        self.inside = {name: _inside(s) for name, s in stacks.items()}

    def scene_2d(self, seed: int, lesion: bool | None = None, in_lung: bool = False) -> Scene:
        """One 256x256 image. ``lesion`` None: present in 85%. ``in_lung``: a CT slice, lesion in a lung."""
        rng = np.random.default_rng([2, seed])
        present = bool(rng.random() < 0.85) if lesion is None else lesion
        for _ in range(20):
            ground, inside, lung, source = self._ground_2d(rng, in_lung)
            place = lung if in_lung else inside
            spot = spot_in(rng, place, inside, SIDE / SIZE_2D)
            if spot is not None:
                break
        else:
            return self.scene_2d(seed + 10**12, lesion, False)
        if not present:
            picture = to_bytes(ground)
            return Scene(picture, picture, Finding(None), "none", source)
        cx, cy, rx, ry, size = spot
        factor = SIZE_2D / SIDE
        found, twin_kind = lesion_at(rng, mean_level(ground, cx * factor, cy * factor, rx * factor), cx, cy, rx, ry)
        twin = ground.copy()
        draw(ground, found.scaled(factor))
        draw(twin, _as(found, twin_kind).scaled(factor))
        return Scene(to_bytes(ground), to_bytes(twin), Finding(found, _facts(found, size, in_lung)), twin_kind, source)

    def scene_3d(self, seed: int, lesion: bool | None = None, in_lung: bool = False) -> Scene:
        """One 32x128x128 volume, before the percentile clip of the reference's path."""
        rng = np.random.default_rng([3, seed])
        present = bool(rng.random() < 0.9) if lesion is None else lesion
        for _ in range(20):
            ground, inside, lung, source = self._ground_3d(rng, in_lung)
            rz = float(rng.uniform(1.6, 3.4))
            cz = float(rng.uniform(rz + 0.3, DEPTH - rz - 0.3))
            if min(abs(cz - DEPTH / 3), abs(cz - 2 * DEPTH / 3)) < 1.0:
                cz += 2.0 if cz < DEPTH / 2 else -2.0
            spot = spot_in(rng, (lung if in_lung else inside)[int(cz)], inside[int(cz)], SIDE / SIZE_3D)
            if spot is not None:
                break
        else:
            return self.scene_3d(seed + 10**12, lesion, False)
        if not present:
            picture = to_bytes(ground)
            return Scene(picture, picture, Finding(None), "none", source)
        cx, cy, rx, ry, size = spot
        factor = SIZE_3D / SIDE
        mean = float(np.mean([mean_level(ground[z], cx * factor, cy * factor, rx * factor)
                              for z in range(int(cz - rz / 2), int(cz + rz / 2) + 1)]))
        found, twin_kind = lesion_at(rng, mean, cx, cy, rx, ry, cz, rz)
        twin = ground.copy()
        draw_volume(ground, found.scaled(factor))
        draw_volume(twin, _as(found, twin_kind).scaled(factor))
        facts = _facts(found, size, in_lung)
        facts["level"] = "first" if cz < DEPTH / 3 else "middle" if cz < 2 * DEPTH / 3 else "last"
        return Scene(to_bytes(ground), to_bytes(twin), Finding(found, facts), twin_kind, source)

    def _ground_2d(self, rng: np.random.Generator, in_lung: bool) -> tuple[Float, Bytes, Bytes, str]:
        name = _pick(rng, in_lung)
        if name == "phantom":
            ground, inside = phantom(rng, 1, SIZE_2D // 2)
            big = np.asarray(Image.fromarray(ground[0]).resize((SIZE_2D, SIZE_2D), Image.Resampling.BILINEAR))
            inside = inside[0].repeat(2, 0).repeat(2, 1)
            return noisy(rng, big.astype(np.float32)), inside, inside * 0, name
        stack = self.stacks[name]
        low, high = (30, 118) if in_lung and name == "thorax" else (0, len(stack.voxels))
        z = int(rng.integers(low, high))
        turn = affine(rng, stack, SIZE_2D, calm=False)
        ground = warp(stack.voxels[z], turn, SIZE_2D)
        inside = warp(self.inside[name][z], turn, SIZE_2D, nearest=True)
        lung = ((inside > 0) & (ground < 75)).astype(np.uint8) if stack.lung else inside * 0
        return noisy(rng, window(rng, ground.astype(np.float32) / 255.0, stack.lung)), inside, lung, name

    def _ground_3d(self, rng: np.random.Generator, in_lung: bool) -> tuple[Float, Bytes, Bytes, str]:
        name = _pick(rng, in_lung, thorax=0.66, lung=0.07, brain=0.07)
        if name == "phantom":
            ground, inside = phantom(rng, DEPTH, SIZE_3D)
            return noisy(rng, ground), inside, inside * 0, name
        stack = self.stacks[name]
        depth = len(stack.voxels)
        whole = name == "thorax" and rng.random() < 0.5
        step = depth / DEPTH if whole else float(rng.uniform(min(1.0, depth / DEPTH), depth / DEPTH))
        start = float(rng.uniform(0.0, depth - step * DEPTH)) if not whole else 0.0
        at = np.clip(start + (np.arange(DEPTH) + 0.5) * step - 0.5, 0, depth - 1)
        if not whole and rng.random() < 0.3:
            at = at[::-1]
        turn = affine(rng, stack, SIZE_3D, calm=whole)
        ground = np.empty((DEPTH, SIZE_3D, SIZE_3D), np.float32)
        inside = np.empty((DEPTH, SIZE_3D, SIZE_3D), np.uint8)
        for i, z in enumerate(at):
            below = int(z)
            share = np.float32(z - below)
            mixed = stack.voxels[below]
            if share > 0.05 and below + 1 < depth:
                mixed = np.uint8(stack.voxels[below] * (1 - share) + stack.voxels[below + 1] * share)
            ground[i] = warp(mixed, turn, SIZE_3D)
            inside[i] = warp(self.inside[name][below], turn, SIZE_3D, nearest=True)
        lung = ((inside > 0) & (ground < 75)).astype(np.uint8) if stack.lung else inside * 0
        return noisy(rng, window(rng, ground / np.float32(255.0), stack.lung)), inside, lung, name


def _pick(rng: np.random.Generator, in_lung: bool, thorax: float = 0.6, lung: float = 0.09, brain: float = 0.09) -> str:
    if in_lung:
        return "thorax"
    draw_at = rng.random()
    return "thorax" if draw_at < thorax else "lung" if draw_at < thorax + lung else \
        "brain" if draw_at < thorax + lung + brain else "phantom"


def _inside(stack: Stack) -> Bytes:
    """1 where something dense lies to all four sides within the slice (the CT couch is left out)."""
    dense = stack.voxels > (110 if stack.lung else 25)
    if stack.name == "thorax":
        dense = dense.copy()
        dense[:, 170:] = False
    out = np.maximum.accumulate(dense, 2) & np.maximum.accumulate(dense[:, :, ::-1], 2)[:, :, ::-1]
    out &= np.maximum.accumulate(dense, 1) & np.maximum.accumulate(dense[:, ::-1], 1)[:, ::-1]
    return out.astype(np.uint8)


def affine(rng: np.random.Generator, stack: Stack, size: int, calm: bool) -> tuple[float, ...]:
    """PIL's six numbers: output pixel -> input pixel. ``calm``: the whole slice, unturned, as a viewer shows it."""
    rows, columns = stack.voxels.shape[1:]
    centre = (columns / 2, rows / 2)
    extent = float(max(rows, columns))
    if calm:
        s, angle, flip, shift = extent / size, 0.0, 1.0, (0.0, 0.0)
    else:
        zoom = rng.uniform(0.95, 1.55) if stack.name == "thorax" else rng.uniform(0.9, 1.25)
        s = extent / size / float(zoom)
        angle = float(np.radians(rng.uniform(-12, 12)))
        flip = -1.0 if rng.random() < 0.5 else 1.0
        shift = tuple(rng.uniform(-0.07, 0.07, 2) * extent)
        if stack.name == "thorax" and zoom > 1.1:
            centre = (columns / 2, 108.0)
    c, n = np.cos(angle) * s, np.sin(angle) * s
    half = size / 2
    a, b, d, e = c * flip, -n, n * flip, c
    return (a, b, centre[0] + shift[0] - a * half - b * half, d, e, centre[1] + shift[1] - d * half - e * half)


def warp(image: Bytes, turn: tuple[float, ...], size: int, nearest: bool = False) -> Bytes:
    how = Image.Resampling.NEAREST if nearest else Image.Resampling.BILINEAR
    return np.asarray(Image.fromarray(image).transform((size, size), Image.Transform.AFFINE, turn, how))


def window(rng: np.random.Generator, values: Float, ct: bool) -> Float:
    low, high = (rng.uniform(0.0, 0.08), rng.uniform(0.74, 0.98)) if ct else (0.0, rng.uniform(0.75, 1.1))
    scaled = np.clip((values - np.float32(low)) / np.float32(high - low), 0.0, 1.0)
    return scaled if ct and rng.random() < 0.5 else scaled ** np.float32(rng.uniform(0.8, 1.25))


def noisy(rng: np.random.Generator, values: Float) -> Float:
    sigma = np.float32(rng.uniform(0.0, 0.03))
    flat = rng.integers(0, 4096)
    grain = np.resize(np.roll(_GRAIN, int(flat)), values.size).reshape(values.shape)
    return np.clip(values + sigma * grain, 0.0, 1.0).astype(np.float32)


_GRAIN: Float = np.random.default_rng(0).standard_normal(70_001).astype(np.float32)


def phantom(rng: np.random.Generator, depth: int, size: int) -> tuple[Float, Bytes]:
    """A body ellipsoid with organs: float [z, y, x] in 0..1 and its inside."""
    grid = (np.arange(size, dtype=np.float32) + 0.5) / size - 0.5
    level = float(rng.uniform(0.15, 0.85))
    out = np.full((depth, size, size), rng.uniform(0.0, 0.06), np.float32)
    inside = np.zeros((depth, size, size), np.uint8)
    parts: list[tuple[float, ...]] = [(0.0, 0.0, 0.0, rng.uniform(0.36, 0.46), rng.uniform(0.33, 0.46), 3.0, 0.0, level)]
    for _ in range(int(rng.integers(2, 6))):
        parts.append((rng.uniform(-0.22, 0.22), rng.uniform(-0.22, 0.22), rng.uniform(-0.5, 0.5),
                      rng.uniform(0.05, 0.2), rng.uniform(0.05, 0.2), rng.uniform(0.3, 0.9), rng.uniform(0, 3.1),
                      float(np.clip(level + rng.uniform(-0.3, 0.3), 0.05, 0.95))))
    for index, (cx, cy, cz, rx, ry, rz, angle, value) in enumerate(parts):
        x, y = (grid - cx)[None, :], (grid - cy)[:, None]
        u, v = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
        flat = ((u / rx) ** 2 + (v / ry) ** 2).astype(np.float32)
        for z in range(depth):
            room = 1.0 - (((z + 0.5) / depth - 0.5 - cz) / rz) ** 2
            if room <= 0.02:
                continue
            share = np.clip((np.float32(room) - flat) * 8.0 + 0.5, 0.0, 1.0)
            out[z] += share * (np.float32(value) - out[z])
            if index == 0:
                inside[z] = flat < room * 0.8
    return out, inside


def spot_in(rng: np.random.Generator, place: Bytes, inside: Bytes, scale: float) -> tuple[float, float, float, float, str] | None:
    """A centre (processor pixels) in ``place`` for a random shape that lies in the body and avoids the midlines."""
    rx, ry, size = random_shape(rng)
    for _ in range(60):
        cx, cy = rng.uniform(rx + 1, SIDE - rx - 1), rng.uniform(ry + 1, SIDE - ry - 1)
        if min(abs(cx - SIDE / 2), abs(cy - SIDE / 2)) < 4.0:
            continue
        if not place[int(cy / scale), int(cx / scale)]:
            continue
        rim = ((cx - rx * 0.85, cy), (cx + rx * 0.85, cy), (cx, cy - ry * 0.85), (cx, cy + ry * 0.85))
        if all(inside[int(y / scale), int(x / scale)] for x, y in rim):
            return float(cx), float(cy), rx, ry, size
    return None


def mean_level(image: Float, cx: float, cy: float, r: float) -> float:
    y0, y1, x0, x1 = (int(max(0, v)) for v in (cy - r, cy + r, cx - r, cx + r))
    return float(image[y0:y1 + 1, x0:x1 + 1].mean())


def lesion_at(rng: np.random.Generator, mean: float, cx: float, cy: float, rx: float, ry: float,
            cz: float = 0.0, rz: float = 0.0) -> tuple[Lesion, str]:
    bright, level = grey_level(rng, mean)
    kind = TYPES[int(rng.integers(4))]
    other = TYPES[int(rng.integers(4))]
    return Lesion(kind, cx, cy, rx, ry, bright, level, float(rng.uniform(0, 3.1)), cz, rz), other


def _as(lesion: Lesion, kind: str) -> Lesion:
    return Lesion(kind, lesion.cx, lesion.cy, lesion.rx, lesion.ry, lesion.bright, lesion.level, lesion.angle + 0.5,
                  lesion.cz, lesion.rz)


def _facts(lesion: Lesion, size: str, in_lung: bool) -> dict[str, str]:
    side = "left" if lesion.cx < SIDE / 2 else "right"
    facts = {"side": side, "quadrant": ("upper " if lesion.cy < SIDE / 2 else "lower ") + side,
             "size": size, "density": "bright" if lesion.bright else "dark"}
    if in_lung:
        facts["lung"] = "right lung" if side == "left" else "left lung"
    return facts


def to_bytes(values: Float) -> Bytes:
    return (np.clip(values, 0.0, 1.0) * np.float32(255.0)).astype(np.uint8)
