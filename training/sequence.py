"""Samples of any length and image size as token sequences, and their log-probabilities: for training from Parquet.

A sequence is a prompt and completions of it. The prompt is run once and its keys and values are shared by the completions
(one in supervised training, a group in GRPO).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from PIL import Image
from torch import Tensor

from data.layout import PLACEHOLDER
from imaging import patches, shown
from model import KV, Readroom, mrope
from vocabulary import Tokenizer


@dataclass
class Segment:
    """Token ids, the pictures at their placeholders in order (as the model sees them), and which tokens are taught."""

    ids: list[int]
    pictures: list[Image.Image]
    taught: list[bool]


class Encoder:
    """Text with ``<image>`` placeholders -> segments."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self.pad, self.end, self.box_end, self.filler = (tokenizer.token_to_id(t) for t in
                                                         ("<|image_pad|>", "<|im_end|>", "<|box_end|>", "<|endoftext|>"))

    def ids(self, text: str) -> list[int]:
        return self.tokenizer.encode(text, add_special_tokens=False).ids

    def picture(self, image: Image.Image) -> list[int]:
        """Vision tokens of a picture the model sees."""
        return self.ids("<|vision_start|>" + "<|image_pad|>" * (image.width * image.height // 784) + "<|vision_end|>")

    def segment(self, text: str, pictures: list[Image.Image], taught: bool) -> Segment:
        """Raises ValueError where placeholders and pictures differ in number."""
        parts = text.split(PLACEHOLDER)
        if len(parts) - 1 != len(pictures):
            raise ValueError(f"{len(parts) - 1} placeholders for {len(pictures)} pictures")
        seen = [shown(p.convert("L")) for p in pictures]
        ids, marks = self.ids(parts[0]), [taught] * len(self.ids(parts[0]))
        for picture, part in zip(seen, parts[1:]):
            block, words = self.picture(picture), self.ids(part)
            ids += block + words
            marks += [False] * len(block) + [taught] * len(words)
        return Segment(ids, seen, marks)

    def prompt(self, system: str, user: str, pictures: list[Image.Image]) -> Segment:
        """Everything up to the assistant's first token."""
        text = (f"<|im_start|>system\n{system}<|im_end|>\n" if system else "") + \
            f"<|im_start|>user\n{user}<|im_end|>\n<|im_start|>assistant\n"
        return self.segment(text, pictures, False)


def look(model: Readroom, pictures: list[Image.Image]) -> list[Tensor]:
    """Merged vision features [tokens, hidden] of each picture; pictures of one size are run together."""
    out: dict[int, Tensor] = {}
    sizes: dict[tuple[int, int], list[int]] = {}
    for i, picture in enumerate(pictures):
        sizes.setdefault(picture.size, []).append(i)
    for (width, height), members in sizes.items():
        rows = model.visual(torch.from_numpy(patches([pictures[i] for i in members])), height // 14, width // 14)
        out |= dict(zip(members, rows))
    return [out[i] for i in range(len(pictures))]


def grids(pictures: list[Image.Image]) -> list[tuple[int, int]]:
    """Merged grids (rows, columns)."""
    return [(p.height // 28, p.width // 28) for p in pictures]


def run_prompt(model: Readroom, encoder: Encoder, prompt: Segment) -> tuple[Tensor, KV, int]:
    """Hidden states [1, T, hidden], keys and values, and the next free position."""
    positions, after = mrope(prompt.ids, encoder.pad, grids(prompt.pictures), 0)
    rows = look(model, prompt.pictures)
    x = model.embed(torch.tensor(prompt.ids)[None], torch.cat(rows) if rows else None, encoder.pad)
    hidden, past = model.language(x, positions[:, None])
    return hidden, past, after


def log_probabilities(model: Readroom, encoder: Encoder, prompt: Segment, completions: list[Segment],
                      temperature: float = 1.0) -> list[Tensor]:
    """For each completion the log-probabilities of its taught tokens, in order. Gradients flow where they are enabled."""
    hidden, past, after = run_prompt(model, encoder, prompt)
    width = max(len(c.ids) for c in completions)
    tails = torch.full((len(completions), width), encoder.filler)
    positions = torch.zeros(3, len(completions), width, dtype=torch.long)
    for i, c in enumerate(completions):
        tails[i, :len(c.ids)] = torch.tensor(c.ids)
        positions[:, i, :len(c.ids)] = mrope(c.ids, encoder.pad, grids(c.pictures), after)[0]
    rows = look(model, [p for c in completions for p in c.pictures])
    x = model.embed(tails, torch.cat(rows) if rows else None, encoder.pad)
    wide = [(k.expand(len(completions), -1, -1, -1), v.expand(len(completions), -1, -1, -1)) for k, v in past]
    states, _ = model.language(x, positions, wide)
    # The state that predicts a completion's first token is the prompt's last.
    before = torch.cat((hidden[:, -1:].expand(len(completions), -1, -1), states[:, :-1]), 1)
    out = []
    for i, c in enumerate(completions):
        at = torch.tensor([k for k, t in enumerate(c.taught) if t], dtype=torch.long)
        scores = model.language.logits(before[i, at]).float() / temperature
        out.append(torch.log_softmax(scores, -1).gather(1, tails[i, at][:, None])[:, 0])
    return out


def pick(scores: Tensor, temperature: float, generator: torch.Generator) -> list[int]:
    """A token for each row of scores [B, vocabulary]; temperature 0 takes the best."""
    if temperature == 0.0:
        return [int(v) for v in scores.argmax(-1)]
    chances = torch.softmax(scores.float() / temperature, -1)
    return [int(v) for v in torch.multinomial(chances, 1, generator=generator)[:, 0]]


