"""One grounded sample before it is written: pictures, question, and reasoning in pieces with the crops between them."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from data.views import Thing, View
from imaging import crop_source, cut, cut_slices, normalise_volume
from questions import LETTERS, SYSTEM_2D, SYSTEM_3D, conclude, join


@dataclass
class Record:
    """``pictures``: the image, or the slices of a volume in order. ``pieces``: the assistant's turn, cut after each box;
    ``crops[i]`` are the pictures injected behind ``pieces[i]``. ``boxes``: the boxes of those pieces.

    ``volume`` uint8 [32, 128, 128] as ``make_eval.py`` writes it, None in 2D. ``letter`` is the answer's.
    """

    name: str
    kind: str
    source: str
    three_d: bool
    pictures: list[Image.Image]
    question: str
    options: tuple[str, ...]
    answer: str
    pieces: list[str]
    crops: list[list[Image.Image]]
    boxes: list[list[int]]
    volume: NDArray[np.uint8] | None = None
    facts: dict[str, str] = field(default_factory=dict)

    @property
    def letter(self) -> str:
        return LETTERS[self.options.index(self.answer)]

    @property
    def system(self) -> str:
        return SYSTEM_3D if self.three_d else SYSTEM_2D

    @property
    def user(self) -> str:
        """The user's text behind the pictures."""
        return join(self.question, self.options, self.three_d)


@dataclass(frozen=True)
class Step:
    """One look: the words before the box, the thing looked at, and the words once the crop is seen."""

    before: str
    thing: Thing
    after: str


def pictures_of(view: View) -> list[Image.Image]:
    """What the model is given: the image, or the slices after the reference's percentile clip."""
    stack = normalise_volume(view.image) if view.three_d else view.image[None]
    return [Image.fromarray(s) for s in stack]


def crops_of(view: View, box: tuple[int, ...], twin: bool) -> list[Image.Image]:
    """The crops the grounded loop would inject for ``box``; ``twin``: from the view with the textures drawn anew."""
    image = view.twin if twin else view.image
    if not view.three_d:
        return [cut(crop_source(Image.fromarray(image)), [float(v) for v in box])]
    sources = [crop_source(Image.fromarray(s)) for s in normalise_volume(image)]
    return cut_slices(sources, [float(v) for v in box])


def write_record(view: View, name: str, kind: str, question: str, options: tuple[str, ...], answer: str, opening: str,
                 steps: list[Step], twin: bool, facts: dict[str, str] | None = None) -> Record:
    """Join the looks into one assistant turn: ``<think>opening box crop words ... Answer: X.</think>`` and the letter."""
    pieces, text = [], f"<think>{opening}"
    for step in steps:
        numbers = ",".join(str(v) for v in step.thing.box)
        pieces.append(f"{text} {step.before} <|box_start|>[{numbers}]<|box_end|>")
        text = step.after
    pieces.append(text + conclude(answer, options))
    return Record(name, kind, view.source, view.three_d, pictures_of(view), question, options, answer, pieces,
                  [crops_of(view, s.thing.box, twin) for s in steps], [list(s.thing.box) for s in steps],
                  view.image if view.three_d else None, facts or {})


def choices(rng: Random, truth: str, others: list[str], most: int = 4) -> tuple[str, ...]:
    """``truth`` among up to ``most - 1`` of ``others``, in random order."""
    pool = sorted({o for o in others if o != truth})
    rng.shuffle(pool)
    out = [truth, *pool[:most - 1]]
    rng.shuffle(out)
    return tuple(out)
