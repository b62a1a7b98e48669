"""Questions that need geometry across slices, and controls that take that geometry away (volumes only).

order: which of two lesions is nearer to the head. extent: how many slices a lesion spans. identity: are boxes on two slices
the same lesion. A model that answers from single slices should fall to chance on the controls: ``shuffled`` permutes the
slices, ``single`` shows only the slice through the centre of one of its lesions, 32 times. The answers stay those of the true
volume. Extent can be counted in any order of the slices, so for it ``shuffled`` takes away less than ``single``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random

import numpy as np
from PIL import Image

from data.record import Record, choices, write_record
from data.six_kinds import Made, Wording, types_in_crops
from data.views import Thing, View, ViewMaker
from imaging import normalise_volume

KINDS = ("order", "extent", "identity")
CONTROLS = ("true", "shuffled", "single")
CHANCE = {"order": 0.5, "extent": 0.25, "identity": 0.5}


def make(maker: ViewMaker, seed: int, kind: str, twin: bool) -> Record | None:
    """A record of the true volume, or None where this seed has no clear question."""
    rng = Random(seed)
    stacked = kind == "identity"
    view = maker.view(seed, True, 1 if kind == "extent" else 2, stacked)
    made = MAKERS[kind](rng, view, Wording(view, types_in_crops(view, twin)))
    if made is None:
        return None
    question, options, answer, steps = made
    return write_record(view, f"{kind}-3d-{seed}", kind, question, options, answer, "Searching the volume.", steps, twin,
                        {"chance": f"{1 / len(options):.3f}"})


def control(record: Record, how: str, seed: int) -> Record:
    """The same question on a volume without its geometry. ``how``: one of CONTROLS."""
    if how == "true":
        return record
    if record.volume is None:
        raise ValueError(f"{record.name}: controls are for volumes")
    depth = len(record.volume)
    if how == "shuffled":
        at = np.random.default_rng([6, seed]).permutation(depth)
    elif how == "single":
        # Not always the first lesion: lesions stand in the order of their slices, and "the one that is seen" would be a wrong answer always.
        box = record.boxes[seed % len(record.boxes)]
        at = np.full(depth, (box[2] + box[5]) // 2 if len(box) == 6 else depth // 2)
    else:
        raise ValueError(f"{how}: not one of {', '.join(CONTROLS)}")
    volume = record.volume[at]
    # Boxes of the true volume mean nothing here, so a control has no reasoning to learn from: it is for testing only.
    return replace(record, volume=volume, pictures=[Image.fromarray(s) for s in normalise_volume(volume)], pieces=[], crops=[], boxes=[])


def _order(rng: Random, view: View, words: Wording) -> Made | None:
    if len(view.lesions) != 2:
        return None
    a, b = view.lesions
    if a.size == b.size or abs(a.centre[2] - b.centre[2]) < 3:
        return None
    higher = a if a.centre[2] > b.centre[2] else b
    names = [f"the {a.size} lesion", f"the {b.size} lesion"]
    truth = f"the {higher.size} lesion"
    return "Which lesion is nearer to the head?", choices(rng, truth, names), truth, [words.look(a), words.look(b)]


def _extent(rng: Random, view: View, words: Wording) -> Made | None:
    if len(view.lesions) != 1:
        return None
    thing = view.lesions[0]
    span = thing.box[5] - thing.box[2]
    if span % 2 == 0 or not 3 <= span <= 9:
        return None
    return "How many slices does the lesion span?", choices(rng, str(span), ["3", "5", "7", "9"]), str(span), [words.look(thing)]


def _identity(rng: Random, view: View, words: Wording) -> Made | None:
    if len(view.lesions) != 2:
        return None
    a, b = view.lesions
    same = rng.random() < 0.5
    if same:
        owner = rng.choice([a, b])
        if owner.box[5] - owner.box[2] < 3:
            return None
        places = [(owner, owner.box[2]), (owner, owner.box[5] - 1)]
    else:
        places = [(a, a.box[5] - 1), (b, b.box[2])]
    said = [f"[{t.box[0]},{t.box[1]},{t.box[3]},{t.box[4]}] in slice {z}" for t, z in places]
    truth = "the same lesion" if same else "two lesions"
    looked: list[Thing] = [places[0][0]] if same else [a, b]
    return (f"Do {said[0]} and {said[1]} show the same lesion?", choices(rng, truth, ["the same lesion", "two lesions"]), truth,
            [words.look(t) for t in looked])


MAKERS: dict[str, Callable[[Random, View, Wording], Made | None]] = {"order": _order, "extent": _extent, "identity": _identity}
