"""Questions, options and the reasoning the model is taught to write, for one scene (no dependencies).

The prompts are those of the reference's released inference code: system prompts, choices joined after a blank line,
and, in 3D only, "Please answer with A, B, C, or D.".
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from lesions import TYPES, Finding

SYSTEM_2D = (
    "You are a medical expert skilled in analyzing 2D medical images. You are capable of interleaved image-text thinking."
    " In the <think></think> tag, you can use <|box_start|>[x1,y1,x2,y2]<|box_end|> to focus on that region of the image."
    " You can inspect it once or multiple times and think in an interleaved manner to answer the question. You need to"
    " answer a single-choice question. You only need to reply with option_letter. option_content."
)
SYSTEM_3D = (
    "You are a medical expert skilled in analyzing 3D medical images. You are capable of interleaved image-text thinking."
    " In the <think></think> tag, you can use <|box_start|>[x1,y1,z1,x2,y2,z2]<|box_end|> to focus on that region of the"
    " image. You can inspect it once or multiple times and think in an interleaved manner to answer the question."
)
LETTERS = "ABCD"
KINDS_2D = ("type", "quadrant", "side", "size", "density", "lung", "exists")
KINDS_3D = ("type", "quadrant", "side", "level", "density", "lung", "exists")

ASKED = {
    "type": ("What type of lesion is shown?", "Which type of lesion is it?", "What kind of lesion does the {m} show?",
             "How is the lesion best described?"),
    "quadrant": ("Which quadrant of the image contains the lesion?", "In which quadrant is the lesion?",
                 "Where in the {m} is the lesion located?"),
    "side": ("On which side of the image is the lesion?", "Which side of the {m} contains the lesion?",
             "Is the lesion on the left or on the right of the image?"),
    "size": ("How large is the lesion?", "What is the size of the lesion?", "Is the lesion small or large?"),
    "density": ("Is the lesion brighter or darker than its surroundings?", "How does the lesion compare with the tissue around it?"),
    "lung": ("Which lung contains the lesion?", "In which lung is the lesion?", "Where is the lesion located?"),
    "exists": ("Is there a lesion in the {m}?", "Does the {m} show a lesion?", "Is a lesion present?"),
    "level": ("In which slices is the lesion?", "Which part of the slices contains the lesion?"),
}
WORDS = {
    "type": {kind: f"{kind} lesion" for kind in TYPES},
    "quadrant": {k: k for k in ("upper left", "upper right", "lower left", "lower right")},
    "side": {k: k for k in ("left", "right")},
    "size": {k: k for k in ("small", "large")},
    "density": {"bright": "brighter", "dark": "darker"},
    "lung": {k: k for k in ("right lung", "left lung")},
    "exists": {"yes": "yes", "no": "no"},
    "level": {k: f"{k} slices" for k in ("first", "middle", "last")},
}
NONE = "no lesion"


@dataclass(frozen=True)
class Item:
    """One question: user text, and the assistant's turn before and after the injected crop (``after`` empty: no box)."""

    kind: str
    question: str
    options: tuple[str, ...]
    answer: str
    user: str
    before: str
    after: str

    @property
    def letter(self) -> str:
        return LETTERS[self.options.index(self.answer)] if self.options else ""


def applicable(finding: Finding, kinds: tuple[str, ...]) -> list[str]:
    """The kinds of question that have an answer for this finding."""
    if finding.lesion is None:
        return ["exists"]
    return [k for k in kinds if k in ("type", "exists") or k in finding.facts]


def choose_kind(rng: Random, finding: Finding, kinds: tuple[str, ...]) -> str:
    """A kind for training or evaluation: the type of the lesion in a third of the cases that have one."""
    fitting = applicable(finding, kinds)
    if "lung" in fitting and rng.random() < 0.5:
        return "lung"
    if len(fitting) > 1 and rng.random() < 0.33:
        return "type"
    rest = [k for k in fitting if k != "type"]
    return rng.choice(rest or fitting)


def join(question: str, options: tuple[str, ...], three_d: bool) -> str:
    """The user's text as the reference joins it."""
    parts = [question]
    if options:
        parts.append("\n".join(f"{letter}. {text}" for letter, text in zip(LETTERS, options)))
        if three_d:
            parts.append("Please answer with A, B, C, or D.")
    return "\n\n".join(parts)


def centre_of(box: tuple[int, ...] | list[int]) -> str:
    """``centre 45,61`` of a box, with the slice of a cuboid behind it; whole numbers, rounded down."""
    half = len(box) // 2
    return "centre " + ",".join(str((box[k] + box[half + k]) // 2) for k in range(half))


def conclude(answer: str, options: tuple[str, ...]) -> str:
    """The end of the assistant's turn. The letter is named behind the answer's words first, inside the reasoning: there the words to be
    looked up among the options are the ones just written, and a small network learns the look-up far sooner."""
    if not options:
        return f" Answer: {answer}.</think>\n{answer}"
    letter = LETTERS[options.index(answer)]
    return f" Answer: {answer}, {letter}.</think>\n{letter}. {answer}"


def make_item(rng: Random, finding: Finding, kind: str, three_d: bool, box: list[int] | None, seen: str,
              bare: bool = False) -> Item:
    """Write question and reasoning. ``seen``: the lesion type in the crop; ``box``: 4 or 6 numbers, None without lesion.

    ``seen`` empty: the crop misses the lesion. A question about the type then gets a random answer and says that it is a
    guess, so that the whole image is never what the type is read from. ``bare``: no options are given and the answer is
    the content alone.
    """
    noun = "volume" if three_d else "image"
    question = rng.choice(ASKED[kind]).format(m=noun)
    words = dict(WORDS[kind])
    if finding.lesion is None:
        truth = "no" if kind == "exists" else NONE
    else:
        looked = {"type": words.get(seen or rng.choice(TYPES), ""), "exists": "yes"}
        truth = looked.get(kind) or words[finding.facts[kind]]
    pool = [w for w in words.values()]
    if kind in ("side", "lung") and (truth == NONE or rng.random() < 0.3):
        pool.append(NONE)
    if kind in ("type", "quadrant") and rng.random() < 0.15 and truth in pool:
        pool.remove(rng.choice([w for w in pool if w != truth]))
    rng.shuffle(pool)
    options = () if bare else tuple(pool)
    end = conclude(truth, options)
    if finding.lesion is None or box is None:
        before = f"<think>Searching the {noun}. No lesion is visible.{end}"
        return Item(kind, question, options, truth, join(question, options, three_d), before, "")
    facts = finding.facts
    numbers = ",".join(str(v) for v in box)
    before = f"<think>Searching the {noun}. A lesion at <|box_start|>[{numbers}]<|box_end|>"
    place = f"{centre_of(box)}, {facts['quadrant']}"
    if three_d:
        place += f", {facts['level']} slices"
    elif "size" in facts:
        place = f"{facts['size']}, {place}"
    found = f"a {seen} lesion" if seen else "no lesion"
    said = f"The crop shows {found}, {WORDS['density'][facts['density']]}, {place}."
    if not seen and kind == "type":
        said = "The crop shows no lesion, so the type is a guess."
    after = f"{said}{end}"
    return Item(kind, question, options, truth, join(question, options, three_d), before, after)
