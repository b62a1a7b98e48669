"""Records of what readroom-mini is trained on: at most one lesion, the questions of ``questions.py``."""

from __future__ import annotations

from random import Random

import numpy as np
from PIL import Image

from data.record import Record
from imaging import crop_source, cut, cut_slices, normalise_volume
from lesions import box_of, slices_of
from questions import KINDS_2D, KINDS_3D, choose_kind, make_item
from scenes import DEPTH, Painter


def make(painter: Painter, seed: int, three_d: bool, twin: bool) -> Record:
    """One record; ``twin``: the crop is cut from the scene's twin and the type follows it."""
    rng = Random(seed)
    scene = (painter.scene_3d if three_d else painter.scene_2d)(seed, None, rng.random() < 0.2)
    lesion = scene.finding.lesion
    box: list[int] = []
    if lesion is not None:
        box = box_of(lesion)
        if three_d:
            span = slices_of(lesion, DEPTH)
            box = [box[0], box[1], span[0], box[2], box[3], span[-1] + 1]
    kind = choose_kind(rng, scene.finding, KINDS_3D if three_d else KINDS_2D)
    seen = "" if lesion is None else scene.twin_kind if twin else lesion.kind
    item = make_item(rng, scene.finding, kind, three_d, box or None, seen)
    stack = [Image.fromarray(s) for s in (normalise_volume(scene.image) if three_d else scene.image[None])]
    crops: list[list[Image.Image]] = []
    if box:
        image: np.ndarray = scene.twin if twin else scene.image
        sources = [crop_source(Image.fromarray(s)) for s in (normalise_volume(image) if three_d else image[None])]
        crops = [cut_slices(sources, [float(v) for v in box]) if three_d else [cut(sources[0], [float(v) for v in box])]]
    pieces = [item.before, item.after] if item.after else [item.before]
    return Record(f"simple-{'3d' if three_d else '2d'}-{seed}", kind, scene.source, three_d, stack, item.question, item.options, item.answer,
                  pieces, crops, [box] if box else [], scene.image if three_d else None)
