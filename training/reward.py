"""The released outcome reward (UniReason-Med, GRPO stage), restated: 0.8 answer + 0.2 format, no overlap with any true box."""

from __future__ import annotations

import re
from dataclasses import dataclass

ANSWER_WEIGHT, FORMAT_WEIGHT = 0.8, 0.2
_THINK = re.compile(r"<think>.*?</think>", re.I | re.S)
_LONE = re.compile(r"\b([A-D])\b", re.I)


@dataclass(frozen=True)
class Reward:
    """``answer`` 0 or 1, ``form`` 0, 0.5 or 1, ``total`` 0..1."""

    answer: float
    form: float

    @property
    def total(self) -> float:
        return ANSWER_WEIGHT * self.answer + FORMAT_WEIGHT * self.form


def letter_of(response: str) -> str:
    """The first letter A-D that stands alone outside the reasoning, upper case; empty where there is none."""
    found = _LONE.search(_THINK.sub(" ", response))
    return found[1].upper() if found else ""


def reward(response: str, truth: str) -> Reward:
    """``truth``: a letter or text that begins with one. Format: half for as many ``<think>`` as ``</think>``, half for as many
    box openings as box closings."""
    wanted = letter_of(truth)
    right = float(bool(wanted) and letter_of(response) == wanted)
    if not response:
        return Reward(0.0, 0.0)
    thinks = len(re.findall("<think>", response, re.I)) == len(re.findall("</think>", response, re.I))
    return Reward(right, 0.5 * thinks + 0.5 * (response.count("<|box_start|>") == response.count("<|box_end|>")))
