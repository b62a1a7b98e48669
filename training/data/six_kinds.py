"""The paper's six kinds of question (UniReason-Med, section on data construction), asked of masks, boxes and textures.

structure_localisation: where a named structure lies. spatial_localisation: where a lesion lies (quadrant, slices, named
structure). existence: is a structure, a lesion or a type of lesion there. size_comparison: which of two is larger.
spatial_relation: where one thing lies from another. lesion_analysis: type, density, size and number of lesions.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from random import Random

from data.record import Record, Step, choices, write_record
from data.views import LEAST_FILL, Thing, View
from lesions import TYPES
from questions import centre_of
from scenes import DEPTH, SIDE

KINDS = ("structure_localisation", "spatial_localisation", "existence", "size_comparison", "spatial_relation", "lesion_analysis")
QUADRANTS = ["upper left", "upper right", "lower left", "lower right"]
LEVELS = ["first slices", "middle slices", "last slices"]
DENSITY = {True: "brighter", False: "darker"}
LEAST_RATIO = 1.6
"""Structures are compared where one is this many times as large as the other."""
Made = tuple[str, tuple[str, ...], str, list[Step]]
"""Question, options, answer, looks."""


def ask(view: View, seed: int, kind: str, twin: bool) -> Record | None:
    """A question of ``kind``, or None where this view has none. ``twin``: crops show other textures than the view, and a
    question about a type is answered from the crop."""
    made = MAKERS[kind](Random(seed), view, Wording(view, types_in_crops(view, twin)))
    if made is None:
        return None
    question, options, answer, steps = made
    noun = "volume" if view.three_d else "image"
    opening = f"Searching the {noun}." if steps else f"Searching the {noun}. Nothing of the kind is visible."
    return write_record(view, f"{kind}-{'3d' if view.three_d else '2d'}-{seed}", kind, question, options, answer, opening, steps, twin,
                        {"lesions": str(len(view.lesions))})


def types_in_crops(view: View, twin: bool) -> dict[tuple[int, ...], str]:
    """The type that the crop of each lesion's box shows; empty where a crop misses its lesion (training only)."""
    return dict(zip((t.box for t in view.lesions), view.twin_kinds if twin else (t.lesion.kind for t in view.lesions if t.lesion)))


class Wording:
    """How things are called and what is said of them once their crop is seen."""

    def __init__(self, view: View, seen: dict[tuple[int, ...], str]) -> None:
        self.view, self.seen = view, seen

    def refer(self, thing: Thing) -> str:
        """A name that fits one thing of the view only; empty where there is none."""
        if thing.lesion is None:
            return f"the {thing.name}"
        if len(self.view.lesions) == 1:
            return "the lesion"
        if sum(t.size == thing.size for t in self.view.lesions) == 1:
            return f"the {thing.size} lesion"
        alone = thing.quadrant and sum(t.quadrant == thing.quadrant for t in self.view.lesions) == 1
        return f"the {thing.quadrant} lesion" if alone else ""

    def look(self, thing: Thing) -> Step:
        """A step of reasoning about one thing: every number and word that a conclusion is drawn from is said here."""
        place = f"{centre_of(thing.box)}, {thing.quadrant or 'near the middle'}"
        if self.view.three_d:
            place += f", {level(thing, self.view)}"
        if thing.lesion is None:
            return Step(f"The {thing.name} at", thing, f"The crop shows the {thing.name}, size {size_class(thing)}, {place}.")
        kind = self.seen[thing.box]
        found = f"a {kind} lesion" if kind else "no lesion"
        said = f"The crop shows {found}, {DENSITY[thing.lesion.bright]}, {thing.size}, {place}."
        return Step("A lesion at", thing, said)

    def named(self) -> list[tuple[Thing, str]]:
        """Lesions that have a name of their own."""
        return [(t, r) for t in self.view.lesions if (r := self.refer(t))]


def size_class(thing: Thing) -> int:
    """How many times LEAST_RATIO larger than the smallest structure that is asked about."""
    return max(0, int(math.log(thing.fill / LEAST_FILL, LEAST_RATIO)))


def concluding(steps: list[Step], said: str) -> list[Step]:
    """The looks with a sentence behind the last one, from which the answer can be read."""
    return [*steps[:-1], replace(steps[-1], after=f"{steps[-1].after} {said}")]


def level(thing: Thing, view: View) -> str:
    """Third of the slices in which the centre lies."""
    return LEVELS[min(2, int(3 * thing.centre[2] / len(view.image)))]


def _clear_level(thing: Thing, view: View) -> bool:
    depth = len(view.image)
    return min(abs(thing.centre[2] - depth / 3), abs(thing.centre[2] - 2 * depth / 3)) >= depth / 32


def structure_localisation(rng: Random, view: View, words: Wording) -> Made | None:
    fitting = [s for s in view.structures if s.quadrant]
    if not fitting:
        return None
    thing = rng.choice(fitting)
    if view.three_d and _clear_level(thing, view) and rng.random() < 0.4:
        return f"In which slices does the centre of the {thing.name} lie?", choices(rng, level(thing, view), LEVELS), level(thing, view), [words.look(thing)]
    return f"In which quadrant is the {thing.name}?", choices(rng, thing.quadrant, QUADRANTS), thing.quadrant, [words.look(thing)]


def spatial_localisation(rng: Random, view: View, words: Wording) -> Made | None:
    fitting = [(t, r) for t, r in words.named() if r == "the lesion" or r == f"the {t.size} lesion"]
    if not fitting:
        return None
    thing, name = rng.choice(fitting)
    regions = [s.name for s in view.structures]
    if thing.within and len(set(regions) - {thing.within}) > 0 and rng.random() < 0.35:
        return f"In which structure is the centre of {name}?", choices(rng, thing.within, regions), thing.within, [words.look(thing)]
    if view.three_d and _clear_level(thing, view) and rng.random() < 0.4:
        return f"In which slices is the centre of {name}?", choices(rng, level(thing, view), LEVELS), level(thing, view), [words.look(thing)]
    if not thing.quadrant:
        return None
    return f"In which quadrant is {name}?", choices(rng, thing.quadrant, QUADRANTS), thing.quadrant, [words.look(thing)]


def existence(rng: Random, view: View, words: Wording) -> Made | None:
    noun = "volume" if view.three_d else "image"
    answers = ("yes", "no") if rng.random() < 0.5 else ("no", "yes")
    roll = rng.random()
    if roll < 0.4 and view.structures and view.absent:
        thing = rng.choice(view.structures)
        if rng.random() < 0.5:
            return f"Is the {thing.name} in the {noun}?", answers, "yes", [words.look(thing)]
        return f"Is the {rng.choice(view.absent)} in the {noun}?", answers, "no", []
    if roll < 0.7 and view.lesions:
        kind = (words.seen[rng.choice(view.lesions).box] if rng.random() < 0.5 else "") or rng.choice(TYPES)
        found = kind in words.seen.values()
        looks = [concluding([words.look(t)], verdict(kind, words.seen[t.box]))[0] for t in view.lesions]
        return f"Does the {noun} show a {kind} lesion?", answers, "yes" if found else "no", looks
    return f"Is there a lesion in the {noun}?", answers, "yes" if view.lesions else "no", [words.look(t) for t in view.lesions[:1]]


def verdict(asked: str, seen: str) -> str:
    """The type that was asked for beside the one that a crop shows, and whether they are the same."""
    return f"Asked for {asked}, seen {seen or 'none'}: {'the same' if asked == seen else 'another'}."


def size_comparison(rng: Random, view: View, words: Wording) -> Made | None:
    lesions = [t for t in view.lesions if t.quadrant and sum(o.quadrant == t.quadrant for o in view.lesions) == 1]
    pairs: list[tuple[Thing, str, Thing, str]] = []
    for a in lesions:
        for b in lesions:
            if a.size == "large" and b.size == "small":
                pairs.append((a, f"the {a.quadrant} lesion", b, f"the {b.quadrant} lesion"))
    if not pairs or rng.random() < 0.2:
        pairs += [(a, f"the {a.name}", b, f"the {b.name}") for a in view.structures for b in view.structures
                  if a.fill >= LEAST_RATIO * b.fill]
    if not pairs:
        return None
    large, large_name, small, small_name = rng.choice(pairs)
    wants_large = rng.random() < 0.5
    first, second = rng.sample([(large, large_name), (small, small_name)], 2)
    word, truth = ("larger", large_name) if wants_large else ("smaller", small_name)
    return (f"Which is {word}, {first[1]} or {second[1]}?", choices(rng, truth, [large_name, small_name]), truth,
            concluding([words.look(first[0]), words.look(second[0])], f"The larger is {large_name}."))


def spatial_relation(rng: Random, view: View, words: Wording) -> Made | None:
    things = words.named() + [(s, f"the {s.name}") for s in rng.sample(view.structures, min(2, len(view.structures)))]
    fitting: list[tuple[Thing, str, Thing, str, str]] = []
    for a, name_a in things:
        for b, name_b in things:
            word = relation(a, b, view.three_d)
            if a is not b and word and (a.lesion or b.lesion) and {name_a, name_b}.isdisjoint({f"the {q} lesion" for q in QUADRANTS}):
                fitting.append((a, name_a, b, name_b, word))
    if not fitting:
        return None
    a, name_a, b, name_b, truth = rng.choice(fitting)
    options = ["to the left", "to the right", "above", "below"] if truth not in ("nearer to the head", "nearer to the feet") else \
        ["nearer to the head", "nearer to the feet"]
    return (f"Where is {name_a} relative to {name_b}?", choices(rng, truth, options), truth,
            concluding([words.look(a), words.look(b)], f"So the first lies {offset(a, b)}."))


def offset(a: Thing, b: Thing) -> str:
    """How far the centre of ``a`` lies from that of ``b`` along each axis, in whole pixels and slices, as the looks name the centres.
    Two digits each: whether a number has ended is one thing less to learn."""
    (ax, ay, az), (bx, by, bz) = ([int(v) for v in t.centre] for t in (a, b))
    said = f"{abs(ax - bx):02d} to the {'left' if ax < bx else 'right'}, {abs(ay - by):02d} {'above' if ay < by else 'below'}"
    return f"{said}, {abs(az - bz):02d} slices nearer to the {'head' if az > bz else 'feet'}" if len(a.box) == 6 else said


def relation(a: Thing, b: Thing, three_d: bool) -> str:
    """Where ``a`` lies from ``b`` along the axis that tells them apart best; empty where no axis does. Above and below are
    directions of the picture; slices run from the feet to the head."""
    (ax, ay, az), (bx, by, bz) = a.centre, b.centre
    dx, dy, dz = ax - bx, ay - by, (az - bz) * SIDE / DEPTH
    if three_d and abs(dz) >= 14 and abs(dz) >= 1.5 * max(abs(dx), abs(dy)):
        return "nearer to the head" if dz > 0 else "nearer to the feet"
    if max(abs(dx), abs(dy)) < 10 or max(abs(dx), abs(dy)) < 1.5 * min(abs(dx), abs(dy)):
        return ""
    if abs(dx) > abs(dy):
        return "to the right" if dx > 0 else "to the left"
    return "below" if dy > 0 else "above"


def lesion_analysis(rng: Random, view: View, words: Wording) -> Made | None:
    if not view.lesions:
        return None
    if len(view.lesions) > 1 and rng.random() < 0.3:
        noun = "volume" if view.three_d else "image"
        truth = str(len(view.lesions))
        return f"How many lesions does the {noun} show?", choices(rng, truth, ["1", "2", "3"]), truth, [words.look(t) for t in view.lesions]
    fitting = words.named()
    if not fitting:
        return None
    thing, name = rng.choice(fitting)
    roll = rng.random()
    if roll < 0.6:
        truth = f"{words.seen[thing.box] or rng.choice(TYPES)} lesion"
        look = words.look(thing)
        if not words.seen[thing.box]:
            look = Step(look.before, thing, "The crop shows no lesion, so the type is a guess.")
        return f"Of which type is {name}?", choices(rng, truth, [f"{k} lesion" for k in TYPES]), truth, [look]
    if roll < 0.8 and thing.lesion is not None:
        return (f"Is {name} brighter or darker than its surroundings?", choices(rng, DENSITY[thing.lesion.bright], list(DENSITY.values())),
                DENSITY[thing.lesion.bright], [words.look(thing)])
    if name.startswith(f"the {thing.size}"):
        return None
    return f"What is the size of {name}?", choices(rng, thing.size, ["small", "large"]), thing.size, [words.look(thing)]


MAKERS: dict[str, Callable[[Random, View, Wording], Made | None]] = {
    "structure_localisation": structure_localisation, "spatial_localisation": spatial_localisation, "existence": existence,
    "size_comparison": size_comparison, "spatial_relation": spatial_relation, "lesion_analysis": lesion_analysis}
