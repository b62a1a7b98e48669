"""Group rollouts through the grounded loop: sampled text, a box stops it, its crop is injected, the text goes on.

All rollouts of one prompt advance together by one token a step, each either a sampled token or the next token of an
injected crop, so they share the prompt's keys and values and need no padding.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import torch
from PIL import Image
from torch import Tensor

from imaging import crop_source, cut, cut_slices, shown
from model import Readroom, mrope
from sequence import Encoder, Segment, grids, look, pick, run_prompt

BOX = re.compile(r"<\|box_start\|>[\[\(]([^\]\)]+)[\]\)]<\|box_end\|>")


@dataclass
class Rollout:
    """One answer. ``segment.taught`` marks the tokens the policy chose. ``stop``: end, tokens, rounds, no-box or round-tokens."""

    segment: Segment
    text: str = ""
    boxes: list[list[float]] = field(default_factory=list)
    stop: str = ""


@dataclass(frozen=True)
class Limits:
    """As in the reference, but shorter by default: readroom-mini needs few tokens."""

    new_tokens: int = 256
    rounds: int = 4
    tokens_a_round: int = 96


class _Row:
    """State of one rollout."""

    def __init__(self, after: int) -> None:
        self.out = Rollout(Segment([], [], []))
        self.at, self.round_start, self.made, self.rounds = after, 0, 0, 0
        self.waiting: list[tuple[int, Tensor | None, Tensor]] = []
        """Injected tokens still to be fed: id, vision row or None, position [3]."""


def find_box(text: str) -> list[float]:
    """The last valid box, of 4 or 6 numbers; empty where there is none."""
    for found in reversed(BOX.findall(text)):
        try:
            numbers = [float(v) for v in found.split(",")]
        except ValueError:
            continue
        if len(numbers) in (4, 6):
            return numbers
    return []


def crops_for(pictures: list[Image.Image], box: list[float]) -> list[Image.Image]:
    """The crops of a box, as the model sees them. 4 numbers in a volume crop the first slice, as the reference does."""
    sources = [crop_source(p.convert("L")) for p in (pictures if len(box) == 6 else pictures[:1])]
    crops = cut_slices(sources, box) if len(box) == 6 else [cut(sources[0], box)]
    return [shown(c) for c in crops]


@torch.inference_mode()
def roll_out(model: Readroom, encoder: Encoder, prompt: Segment, pictures: list[Image.Image], count: int, temperature: float,
             generator: torch.Generator, limits: Limits = Limits()) -> list[Rollout]:
    """``count`` answers to one prompt. ``pictures``: the image or the slices, as given to the prompt."""
    hidden, past, after = run_prompt(model, encoder, prompt)
    rows = [_Row(after) for _ in range(count)]
    past = [(k.expand(count, -1, -1, -1), v.expand(count, -1, -1, -1)) for k, v in past]
    scores = model.language.logits(hidden[:, -1]).expand(count, -1)
    while True:
        chosen = pick(scores, temperature, generator)
        ids, places, visions = [], [], []
        for row, token in zip(rows, chosen):
            if row.out.stop:
                step: tuple[int, Tensor | None, Tensor] = (encoder.filler, None, torch.full((3,), row.at))
            elif row.waiting:
                step = row.waiting.pop(0)
            else:
                step = (token, None, torch.full((3,), row.at))
                _take(model, encoder, row, token, pictures, limits)
            ids.append(step[0])
            visions.append(step[1])
            places.append(step[2])
        if all(row.out.stop for row in rows):
            break
        x = model.language.embed_tokens(torch.tensor(ids)[:, None])
        for i, vision in enumerate(visions):
            if vision is not None:
                x[i, 0] = vision
        states, past = model.language(x, torch.stack(places, 1)[:, :, None], past)
        scores = model.language.logits(states[:, -1])
    for row in rows:
        row.out.text = encoder.tokenizer.decode([t for t, mine in zip(row.out.segment.ids, row.out.segment.taught) if mine],
                                                skip_special_tokens=False).removesuffix("<|im_end|>")
    return [row.out for row in rows]


def _take(model: Readroom, encoder: Encoder, row: _Row, token: int, pictures: list[Image.Image], limits: Limits) -> None:
    """Note a sampled token; on a box queue its crop, at an end say why."""
    segment = row.out.segment
    segment.ids.append(token)
    segment.taught.append(True)
    row.at += 1
    row.made += 1
    if token == encoder.end:
        row.out.stop = "end"
        return
    if token == encoder.box_end:
        box = find_box(encoder.tokenizer.decode(segment.ids[row.round_start:], skip_special_tokens=False))
        row.rounds += 1
        if not box:
            row.out.stop = "no-box"
        elif row.rounds >= limits.rounds:
            row.out.stop = "rounds"
        else:
            _inject(model, encoder, row, crops_for(pictures, box))
            row.out.boxes.append(box)
    elif len(segment.ids) - row.round_start >= limits.tokens_a_round:
        row.out.stop = "round-tokens"
    if not row.out.stop and row.made >= limits.new_tokens:
        row.out.stop = "tokens"


def _inject(model: Readroom, encoder: Encoder, row: _Row, crops: list[Image.Image]) -> None:
    ids = [t for c in crops for t in encoder.picture(c)]
    positions, row.at = mrope(ids, encoder.pad, grids(crops), row.at)
    visions = iter(torch.cat(look(model, crops)))
    row.waiting = [(t, next(visions) if t == encoder.pad else None, positions[:, k]) for k, t in enumerate(ids)]
    segment = row.out.segment
    segment.ids += ids
    segment.taught += [False] * len(ids)
    segment.pictures += crops
    row.round_start = len(segment.ids)
