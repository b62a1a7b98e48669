"""Supervised training from Parquet in UniMed-CoT's layout: any question, any image size, several boxes.

    python training/make_dataset.py --set six --split train --sft 4000 --out DIR
    python training/sft.py --data DIR --start resources/models/readroom-mini --work RUN --steps 2000
    python training/export.py --state RUN/state.pt --out FOLDER

``train.py`` makes the shipped checkpoint from scenes drawn on the fly, with auxiliary losses; this is the plain stage of the paper:
next-token loss on the assistant's words, injected crops excluded, vision tower and merger frozen (``--train-vision`` moves
them). Rows whose pictures are missing (3D rows of the release) are left out and counted. The same command goes on where it stopped.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from pathlib import Path
from random import Random

import torch

import vocabulary
from data.layout import Dataset, Sample
from export import load_model
from model import mixed
from grpo import FOLDER
from sequence import Encoder, Segment, log_probabilities


def encode(encoder: Encoder, data: Dataset, sample: Sample) -> tuple[Segment, Segment]:
    """Prompt and answer of a row; the pictures of the prompt come first."""
    pictures = data.pictures(sample)
    asked = sample.user.count("<image>")
    prompt = encoder.prompt(sample.system, sample.user, pictures[:asked])
    return prompt, encoder.segment(sample.answer + "<|im_end|>", pictures[asked:], True)


def rate_at(step: int, steps: int, peak: float) -> float:
    """Warm-up over 3 % of the steps, then a cosine to zero, as in the released configuration."""
    warm = max(1, round(0.03 * steps))
    return peak * step / warm if step < warm else peak * 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="dataset folder with sft and images")
    parser.add_argument("--start", type=Path, default=FOLDER, help="a checkpoint folder or a state.pt")
    parser.add_argument("--tokenizer", type=Path, default=FOLDER)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rate", type=float, default=3e-4)
    parser.add_argument("--train-vision", action="store_true")
    parser.add_argument("--longest", type=int, default=4096, help="longer rows, in tokens, are left out")
    parser.add_argument("--save", type=int, default=20)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    args.work.mkdir(parents=True, exist_ok=True)
    encoder = Encoder(vocabulary.load(args.tokenizer))
    data = Dataset(args.data)
    every = data.samples("sft")
    samples = [s for s in every if s.image_ids and all(i in data.where for i in s.image_ids)]
    print(f"{len(samples)} of {len(every)} rows have their pictures", flush=True)
    if not samples:
        sys.exit(f"{args.data}: nothing to train on")
    model = load_model(args.start)
    model.heads.requires_grad_(False)
    model.visual.requires_grad_(args.train_vision)
    optimiser = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=args.rate, betas=(0.9, 0.98), weight_decay=0.01)
    done = 0
    state = args.work / "state.pt"
    if state.exists():
        saved = torch.load(state, weights_only=False)
        model.load_state_dict(saved["model"])
        optimiser.load_state_dict(saved["optimiser"])
        done = saved["step"]
    while done < args.steps:
        begun = time.time()
        for group in optimiser.param_groups:
            group["lr"] = rate_at(done, args.steps, args.rate)
        pairs = [encode(encoder, data, s) for s in Random(done).sample(samples, min(args.batch, len(samples)))]
        pairs = [(p, a) for p, a in pairs if len(p.ids) + len(a.ids) <= args.longest]
        words = sum(sum(a.taught) for _, a in pairs)
        optimiser.zero_grad(set_to_none=True)
        total = 0.0
        for prompt, answer in pairs:
            with mixed(torch.device("cpu")):
                loss = -log_probabilities(model, encoder, prompt, [answer])[0].sum() / max(1, words)
            loss.backward()
            total += float(loss.detach())
        torch.nn.utils.clip_grad_norm_([p for p in model.parameters() if p.requires_grad], 1.0)
        optimiser.step()
        done += 1
        print(f"step {done} loss {total:.4f} rows {len(pairs)} seconds {time.time() - begun:.1f}", flush=True)
        if done % args.save == 0 or done == args.steps:
            part = state.with_suffix(".part")
            torch.save({"model": model.state_dict(), "optimiser": optimiser.state_dict(), "step": done}, part)
            part.replace(state)


if __name__ == "__main__":
    main()
