"""Outcome rewards on grounded reasoning: GRPO with the reward of ``reward.py``.

    python training/make_dataset.py --set simple --split train --seed 1 --rl 2000 --out DIR
    python training/grpo.py --data DIR --start resources/models/readroom-mini --work RUN --steps 100
    python training/export.py --state RUN/state.pt --out FOLDER

Each step takes ``--prompts`` questions, samples ``--group`` answers to each through the grounded loop with crops injected
(``rollout.py``), and scores them: 0.8 answer + 0.2 format, boxes are never compared with a truth. Advantages are the
rewards less the group's mean over its standard deviation (Shao et al., DeepSeekMath, arXiv:2402.03300); a group in which
all are alike teaches nothing. The loss is the clipped ratio, averaged over tokens, plus ``--kl`` times the low-variance
estimate exp(d) - d - 1, d = log reference - log policy, of the divergence from the starting model (Schulman, "Approximating KL
Divergence"; verl's ``low_var_kl``). The vision tower and its merger stay frozen, as in the paper's supervised stage.

The state is written after every ``--save`` steps; the same command goes on where it stopped. ``RUN/log.jsonl`` has a line a step.
"""

from __future__ import annotations

import argparse
import copy
import json
import sys
import time
from pathlib import Path
from random import Random

import torch
from torch import Tensor

import vocabulary
from data.layout import Dataset, Sample
from export import load_model
from model import Readroom
from reward import reward
from rollout import Limits, Rollout, roll_out
from sequence import Encoder, Segment, log_probabilities
from together import average, run_together

HERE = Path(__file__).resolve().parent
FOLDER = HERE.parent / "resources" / "models" / "readroom-mini"


class Trainer:
    """Policy, reference and optimiser."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.args = args
        self.encoder = Encoder(vocabulary.load(args.tokenizer))
        self.policy = load_model(args.start)
        self.reference = copy.deepcopy(self.policy).eval().requires_grad_(False)
        for part in (self.policy.visual, self.policy.heads):
            part.requires_grad_(False)
        moving = [p for p in self.policy.parameters() if p.requires_grad]
        self.optimiser = torch.optim.AdamW(moving, lr=args.rate, betas=(0.9, 0.99), weight_decay=0.0)
        self.generator = torch.Generator().manual_seed(args.seed * 1009 + args.rank)
        self.done = 0
        if (args.work / "state.pt").exists():
            saved = torch.load(args.work / "state.pt", weights_only=False)
            if saved["start"] != str(args.start) or saved["data"] != str(args.data):
                sys.exit(f"{args.work} holds a run of {saved['start']} on {saved['data']}; choose another --work")
            self.policy.load_state_dict(saved["model"])
            self.optimiser.load_state_dict(saved["optimiser"])
            self.generator.manual_seed(args.seed * 1009 + args.rank + 7919 * saved["step"])
            self.done = saved["step"]

    def save(self) -> None:
        part = self.args.work / "state.pt.part"
        torch.save({"model": self.policy.state_dict(), "optimiser": self.optimiser.state_dict(), "step": self.done, "start": str(self.args.start), "data": str(self.args.data)}, part)
        part.replace(self.args.work / "state.pt")

    def step(self, batch: list[Sample], data: Dataset) -> dict[str, float]:
        """Roll out, score and update once for each of ``--updates`` parts of the batch."""
        groups = [self._group(sample, data) for sample in batch]
        numbers: dict[str, list[float]] = {k: [] for k in ("reward", "answer", "format", "boxes", "tokens", "kl", "clipped")}
        for _, answers, scores, _ in groups:
            numbers["reward"] += [s.total for s in scores]
            numbers["answer"] += [s.answer for s in scores]
            numbers["format"] += [s.form for s in scores]
            numbers["boxes"] += [float(len(a.boxes)) for a in answers]
            numbers["tokens"] += [float(sum(a.segment.taught)) for a in answers]
        telling = [g for g in groups if float(g[3].abs().max()) > 0.0]
        parts = [telling[k::self.args.updates] for k in range(self.args.updates)]
        with torch.no_grad():
            before = {id(g): [torch.cat(self._logs(m, g)) for m in (self.policy, self.reference)] for g in telling}
        for part in parts:
            if not part:
                continue
            self.optimiser.zero_grad(set_to_none=True)
            total = sum(sum(a.segment.taught) for g in part for a in g[1])
            for g in part:
                old, fixed = before[id(g)]
                now = torch.cat(self._logs(self.policy, g))
                gain = torch.cat([s.expand(sum(a.segment.taught)) for a, s in zip(g[1], g[3])])
                loss, kl, clipped = grpo_loss(now, old, fixed, gain, self.args.clip, self.args.kl)
                (loss.sum() / total).backward()
                numbers["kl"].append(float(kl.mean()))
                numbers["clipped"].append(float(clipped.float().mean()))
            torch.nn.utils.clip_grad_norm_([p for p in self.policy.parameters() if p.requires_grad], 1.0)
            self.optimiser.step()
        self.done += 1
        return {k: sum(v) / len(v) if v else 0.0 for k, v in numbers.items()} | {"groups": float(len(telling))}

    def _group(self, sample: Sample, data: Dataset) -> tuple[Segment, list[Rollout], list, Tensor]:
        pictures = data.pictures(sample)
        prompt = self.encoder.prompt(sample.system, sample.user, pictures)
        answers = roll_out(self.policy.eval(), self.encoder, prompt, pictures, self.args.group, self.args.temperature, self.generator,
                           Limits(self.args.new_tokens))
        scores = [reward(a.text, sample.truth) for a in answers]
        return prompt, answers, scores, advantages([s.total for s in scores])

    def _logs(self, model: Readroom, group: tuple[Segment, list[Rollout], list, Tensor]) -> list[Tensor]:
        return log_probabilities(model, self.encoder, group[0], [a.segment for a in group[1]], self.args.temperature)


def advantages(rewards: list[float]) -> Tensor:
    """Rewards of one group less their mean over their standard deviation; zeros where all are alike."""
    values = torch.tensor(rewards)
    spread = values.std(unbiased=True) if len(rewards) > 1 else torch.zeros(())
    return (values - values.mean()) / (spread + 1e-6) if float(spread) > 1e-6 else torch.zeros_like(values)


def grpo_loss(now: Tensor, old: Tensor, fixed: Tensor, gain: Tensor, clip: float, kl_weight: float) -> tuple[Tensor, Tensor, Tensor]:
    """Loss, divergence estimate and "was clipped" of each token, from log-probabilities under the policy now, at rollout, and
    under the reference, and the token's advantage. All of shape [tokens]."""
    ratio = torch.exp(now - old)
    plain, held = ratio * gain, ratio.clamp(1 - clip, 1 + clip) * gain
    d = fixed - now
    kl = torch.exp(d) - d - 1
    return -torch.minimum(plain, held) + kl_weight * kl, kl.detach(), held < plain


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="dataset folder with rl and images")
    parser.add_argument("--start", type=Path, default=FOLDER, help="the SFT model: a checkpoint folder or a state.pt")
    parser.add_argument("--tokenizer", type=Path, default=FOLDER, help="checkpoint folder whose tokenizer is used")
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--prompts", type=int, default=16)
    parser.add_argument("--group", type=int, default=8)
    parser.add_argument("--updates", type=int, default=2, help="optimiser steps on each batch of rollouts")
    parser.add_argument("--rate", type=float, default=2e-5)
    parser.add_argument("--clip", type=float, default=0.2)
    parser.add_argument("--kl", type=float, default=0.01)
    parser.add_argument("--temperature", type=float, default=1.0)
    parser.add_argument("--new-tokens", type=int, default=256)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--save", type=int, default=5)
    parser.add_argument("--world", type=int, default=2, help="processes, which share the prompts of a step and average their weights after it")
    parser.add_argument("--rank", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, default=29518)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    if args.group < 2 or args.prompts < args.world:
        parser.error("a group needs at least two answers, a step at least one prompt for each process")
    args.work.mkdir(parents=True, exist_ok=True)
    run_together(args, run)


def run(args: argparse.Namespace) -> None:
    """One process of the run."""
    torch.set_num_threads(args.threads)
    data = Dataset(args.data)
    samples = data.samples("rl")
    if not all(s.truth for s in samples):
        sys.exit(f"{args.data}: rows without a ground truth in reward_model")
    trainer = Trainer(args)
    while trainer.done < args.steps:
        # The same step draws the same questions, whether or not the run was stopped before it.
        order = Random(args.seed * 100_003 + trainer.done)
        begun = time.time()
        batch = order.sample(samples, min(args.prompts, len(samples)))[args.rank::args.world]
        numbers = trainer.step(batch, data)
        numbers = dict(zip(numbers, average(trainer.policy, list(numbers.values()), args.world)))
        line = {"step": trainer.done, "seconds": round(time.time() - begun, 1)} | {k: round(v, 4) for k, v in numbers.items()}
        if args.rank:
            continue
        with (args.work / "log.jsonl").open("a", encoding="utf-8") as log:
            log.write(json.dumps(line) + "\n")
        print(" ".join(f"{k} {v}" for k, v in line.items()), flush=True)
        if trainer.done % args.save == 0 or trainer.done == args.steps:
            trainer.save()


if __name__ == "__main__":
    main()
