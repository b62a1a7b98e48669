"""Question and answer on a view, as text in pieces: what training samples are before they are tokens."""

from __future__ import annotations

import re
from dataclasses import dataclass
from random import Random

import numpy as np

from data import cross_slice, six_kinds
from data.six_kinds import Wording
from data.views import Thing, View
from dense import UNKNOWN
from lesions import TYPES, box_of, slices_of
from questions import KINDS_2D, KINDS_3D, choose_kind, conclude, join, make_item
from scenes import DEPTH, SIDE, Scene

CROSS_SHARE = 0.25
"""Share of questions on volumes that are about geometry across slices, where there are any, and of volumes made for one."""
TWO_THINGS = ("size_comparison", "spatial_relation")


@dataclass
class Talk:
    """A question and the assistant's turn in pieces, a box at the end of each but the last; ``boxes`` are theirs."""

    user: str
    pieces: list[str]
    boxes: list[tuple[int, ...]]
    lettered: bool
    taught: str = "all"
    """``all``, only the ``end`` (``ending``), or from the ``letter`` on."""


PHRASES = (*(f"{k} lesion" for k in TYPES), *six_kinds.QUADRANTS, *six_kinds.LEVELS, "yes", "no", "no lesion", "left", "right", "brighter", "darker",
           "small", "large", "1", "2", "3", "5", "7", "9", "to the left", "to the right", "above", "below", "nearer to the head",
           "nearer to the feet", "the same lesion", "two lesions", "the small lesion", "the large lesion", "right lung", "left lung",
           *(f"the {q} lesion" for q in six_kinds.QUADRANTS))


def drill(rng: Random, three_d: bool, names: tuple[str, ...]) -> Talk:
    """Options of any words, one of them named as the answer: only its letter is taught. Finding the letter of words is the same in
    every question, and it is learnt long before it would be from the questions alone."""
    like = rng.random()
    pool = six_kinds.QUADRANTS if like < 0.25 else six_kinds.LEVELS if like < 0.35 else PHRASES if like < 0.85 else names[1:]
    options = tuple(rng.sample(pool, rng.randint(2, min(4, len(pool)))))
    answer = rng.choice(options)
    return Talk(join("Which of these is it?", options, three_d), ["<think>" + conclude(answer, options).strip()], [], True, "letter")


def conclusion(talk: Talk) -> Talk:
    """The same reasoning as plain text, of which only the end is taught: what follows from what was said is learnt without looking."""
    return Talk(talk.user, ["".join(talk.pieces)], [], talk.lettered, "end")


def ending(said: str) -> str:
    """What follows the last look: the sentence that weighs what was seen, where there is one, and the answer."""
    looked = said.rfind("The crop shows")
    return said[said.index(".", looked) + 1:] if looked >= 0 else " Answer:" + said.rsplit(" Answer:", 1)[1]


def without_boxes(talk: Talk) -> Talk:
    """The same reasoning in one piece that points at nothing."""
    said = re.sub(r" at <\|box_start\|>[^<]*<\|box_end\|>(?:The crop shows)?", ":", "".join(talk.pieces))
    return Talk(talk.user, [said], [], talk.lettered)


def six(rng: Random, view: View, types: dict[tuple[int, ...], str]) -> Talk | None:
    """A question of any of the six kinds, or, in a volume, across slices. Those that weigh two things are the hardest: twice as many."""
    words = Wording(view, types)
    for _ in range(12):
        if view.three_d and rng.random() < CROSS_SHARE:
            made = cross_slice.MAKERS[rng.choice(cross_slice.KINDS)](rng, view, words)
        else:
            made = six_kinds.MAKERS[rng.choice((*six_kinds.KINDS, *TWO_THINGS))](rng, view, words)
        if made is not None:
            question, options, answer, steps = made
            noun = "volume" if view.three_d else "image"
            text = f"<think>Searching the {noun}." if steps else f"<think>Searching the {noun}. Nothing of the kind is visible."
            pieces = []
            for step in steps:
                pieces.append(f"{text} {step.before} <|box_start|>[{','.join(str(v) for v in step.thing.box)}]<|box_end|>")
                text = step.after
            pieces.append(text + conclude(answer, options))
            return Talk(join(question, options, view.three_d), pieces, [s.thing.box for s in steps], True)
    return None


def simple(rng: Random, view: View, scene: Scene, types: dict[tuple[int, ...], str]) -> Talk:
    """A question of ``questions.py``."""
    finding = scene.finding
    if not view.lesions:
        item = make_item(rng, type(finding)(None), "exists", view.three_d, None, "", rng.random() < 0.04)
        return Talk(item.user, [item.before], [], bool(item.options))
    thing = view.lesions[0]
    if view.three_d:
        finding.facts["level"] = six_kinds.level(thing, view).split()[0]
    kind = choose_kind(rng, finding, KINDS_3D if view.three_d else KINDS_2D)
    item = make_item(rng, finding, kind, view.three_d, list(thing.box), types[thing.box], rng.random() < 0.04)
    return Talk(item.user, [item.before, item.after], [thing.box], bool(item.options))


def as_view(scene: Scene) -> View:
    """A scene of ``scenes.py`` as a view; its regions are unknown, since it may be mirrored."""
    depth = len(scene.image) if scene.image.ndim == 3 else 1
    things: tuple[Thing, ...] = ()
    lesion = scene.finding.lesion
    if lesion is not None:
        x1, y1, x2, y2 = box_of(lesion)
        span = slices_of(lesion, DEPTH) if depth > 1 else range(0, 1)
        box = (x1, y1, span[0], x2, y2, span[-1] + 1) if depth > 1 else (x1, y1, x2, y2)
        things = (Thing("lesion", box, 0, lesion, scene.finding.facts.get("size", "")),)
    return View(scene.image, scene.twin, (scene.twin_kind,) * len(things), things, (), (), scene.source, 
                np.full((depth, SIDE, SIDE), UNKNOWN, np.uint8))
