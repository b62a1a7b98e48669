"""Synthetic lesions: where they are, what they look like, and how they are blended into an image or a volume.

The four types differ in texture, not in outline, so that a lesion is easily found in the whole image while its type
is better read from an enlarged crop.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]
TYPES = ("solid", "ring", "stippled", "spiculated")
SMALL_RADIUS = (8.0, 10.5)
LARGE_RADIUS = (13.0, 17.0)
"""Half-widths in processor pixels; nothing lies between the two ranges, so the size question has one answer."""


@dataclass(frozen=True)
class Lesion:
    """Centre and half-axes in pixels of the grid it is drawn on (pixel i covers [i, i+1)), z in slices."""

    kind: str
    cx: float
    cy: float
    rx: float
    ry: float
    bright: bool
    level: float
    angle: float
    cz: float = 0.0
    rz: float = 0.0

    def scaled(self, factor: float) -> "Lesion":
        """The same lesion on a grid ``factor`` times as fine in the plane."""
        return replace(self, cx=self.cx * factor, cy=self.cy * factor, rx=self.rx * factor, ry=self.ry * factor)


@dataclass(frozen=True)
class Finding:
    """What is true of one image: the lesion on the 112-pixel grid, or none; extra facts for the questions."""

    lesion: Lesion | None
    facts: dict[str, str] = field(default_factory=dict)


def _edge(distance: Float, soft: float) -> Float:
    return np.clip((1.0 - distance) / soft + 0.5, 0.0, 1.0)


def texture(kind: str, u: Float, v: Float, angle: float) -> Float:
    """Opacity in [0, 1] of a lesion of unit radius at the points (u, v)."""
    r = np.sqrt(u * u + v * v)
    disc = _edge(r, 0.14)
    if kind == "solid":
        return disc
    if kind == "ring":
        return disc * (1.0 - _edge(r / 0.6, 0.2))
    if kind == "stippled":
        out = 0.22 * disc
        for k in range(7):
            distance = 0.0 if k == 0 else 0.7
            du = u - distance * np.cos(angle + k * np.pi / 3)
            dv = v - distance * np.sin(angle + k * np.pi / 3)
            out = np.maximum(out, _edge(np.sqrt(du * du + dv * dv) / 0.23, 0.4))
        return out
    if kind == "spiculated":
        out = _edge(r / 0.3, 0.3)
        for k in range(3):
            across = np.abs(u * np.sin(angle + k * np.pi / 3) - v * np.cos(angle + k * np.pi / 3))
            out = np.maximum(out, _edge(across / 0.15, 0.5) * disc)
        return out
    raise ValueError(kind)


def _opacity(lesion: Lesion, x0: int, x1: int, y0: int, y1: int, shrink: float) -> Float:
    u = ((np.arange(x0, x1, dtype=np.float32) + 0.5 - lesion.cx) / (lesion.rx * shrink))[None, :]
    v = ((np.arange(y0, y1, dtype=np.float32) + 0.5 - lesion.cy) / (lesion.ry * shrink))[:, None]
    return texture(lesion.kind, u + 0 * v, v + 0 * u, lesion.angle).astype(np.float32)


def _bounds(lesion: Lesion, height: int, width: int) -> tuple[int, int, int, int]:
    x0, x1 = int(max(0, lesion.cx - lesion.rx * 1.15)), int(min(width, lesion.cx + lesion.rx * 1.15 + 2))
    y0, y1 = int(max(0, lesion.cy - lesion.ry * 1.15)), int(min(height, lesion.cy + lesion.ry * 1.15 + 2))
    return x0, x1, y0, y1


def draw(image: Float, lesion: Lesion, shrink: float = 1.0) -> None:
    """Blend ``lesion`` into ``image`` [y, x] in place: towards its own grey level, where its texture is opaque."""
    x0, x1, y0, y1 = _bounds(lesion, *image.shape)
    if x1 <= x0 or y1 <= y0:
        return
    patch = image[y0:y1, x0:x1]
    patch += _opacity(lesion, x0, x1, y0, y1, shrink) * (np.float32(lesion.level) - patch)


def shrink_at(lesion: Lesion, z: float) -> float:
    """In-plane size of the lesion at depth ``z`` (slice units) as a share of its greatest; 0 outside."""
    t = abs(z - lesion.cz) / lesion.rz
    return 0.0 if t >= 1.0 else float((1.0 - t**3) ** 0.5)


def draw_volume(volume: Float, lesion: Lesion) -> None:
    """Blend into ``volume`` [z, y, x] in place. Slice z has its centre at z + 0.5."""
    for z in slices_of(lesion, volume.shape[0]):
        draw(volume[z], lesion, shrink_at(lesion, z + 0.5))


def slices_of(lesion: Lesion, depth: int) -> range:
    """Slices in which the lesion is at least half as wide as at its widest."""
    hit = [z for z in range(depth) if shrink_at(lesion, z + 0.5) >= 0.5]
    return range(hit[0], hit[-1] + 1) if hit else range(0)


def box_of(lesion: Lesion, side: int = 112) -> list[int]:
    """Whole-pixel box [x1, y1, x2, y2] around the lesion, clamped to the image."""
    corners = (lesion.cx - lesion.rx, lesion.cy - lesion.ry, lesion.cx + lesion.rx, lesion.cy + lesion.ry)
    return [max(0, min(side, int(round(c)))) for c in corners]


def grey_level(rng: np.random.Generator, mean: float) -> tuple[bool, float]:
    """(bright, grey level) of a lesion on surroundings of grey level ``mean``: at least 0.45 away from them."""
    bright = bool(rng.random() < 0.5) if 0.4 < mean < 0.6 else mean < 0.5
    step = float(rng.uniform(0.45, 0.65))
    level = min(1.0, max(mean + step, 0.85)) if bright else max(0.0, min(mean - step, 0.22))
    return bright, level


def random_shape(rng: np.random.Generator) -> tuple[float, float, str]:
    """Half-axes in processor pixels and the size word."""
    size = "small" if rng.random() < 0.5 else "large"
    low, high = SMALL_RADIUS if size == "small" else LARGE_RADIUS
    r = float(rng.uniform(low, high))
    stretch = float(np.exp(rng.uniform(-0.07, 0.07)))
    return r * stretch, r / stretch, size
