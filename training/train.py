"""Trains readroom-mini from nothing: ``python training/train.py``. Two one-thread processes on two CPU cores.

Stages: the vision tower alone with auxiliary heads; everything on 2D questions; everything on 3D questions mixed with 2D.
Each stage has a number of steps and, optionally, a limit in minutes; the learning rate follows whichever is further on.
A stopped run goes on from ``--work`` when it is started again. Every ``--export-every`` seconds the checkpoint folder is
written anew.

The processes run on their own and average their weights every few steps (local SGD): on cores that other programs use too,
waiting for each other at every step would cost more than it gains.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor

import anatomy
import vocabulary
from batches import TRAIN_SEED, Batch, Maker
from export import read_checkpoint, write_checkpoint
from model import KV, Readroom
from scenes import Painter

HERE = Path(__file__).resolve().parent
FOLDER = HERE.parent / "resources" / "models" / "readroom-mini"
DEPTHS = (32, 4, 0, 8, 32, 2, 6, 4)
"""Slices in the steps of the 3D stage, in turn; 0 is a step on 2D images. Short stacks cost a fraction of a whole one and
teach the form of the answer, the letters and the reading of slice numbers."""
RELEARN = 160
"""Steps after starting from a checkpoint folder in which the auxiliary losses move the auxiliary heads alone."""


@dataclass(frozen=True)
class Stage:
    """``steps`` of ``kind`` at peak rate ``rate``; ``minutes`` 0 means no limit."""

    kind: str
    steps: int
    minutes: float
    rate: float
    hold: bool = False


def parse_plan(text: str) -> list[Stage]:
    """``vision:600:6:0.001,2d:1500:28:0.0008``: kind, steps, minutes, peak rate; a plus after the kind holds the rate."""
    stages = []
    for part in text.split(","):
        kind, steps, minutes, rate = part.split(":")
        stages.append(Stage(kind.rstrip("+"), int(steps), float(minutes), float(rate), kind.endswith("+")))
    return stages


def place_loss(model: Readroom, features: Tensor, hit: Tensor, box: Tensor) -> Tensor:
    """Objectness and box offsets at the merged tokens of whole images."""
    out = model.heads.place(features).float()
    found = F.binary_cross_entropy_with_logits(out[..., 0], hit)
    apart = (F.smooth_l1_loss(out[..., 1:], box, reduction="none", beta=0.1).sum(-1) * hit).sum() / hit.sum().clamp(min=1)
    return found * 2.0 + apart


def kind_loss(model: Readroom, features: Tensor, kind: Tensor) -> Tensor:
    """Lesion type from the mean of a crop's tokens; -1: not asked."""
    if not len(kind) or not bool((kind >= 0).any()):
        return features.sum() * 0.0
    return F.cross_entropy(model.heads.kind(features.mean(1)).float(), kind, ignore_index=-1)


def vision_step(model: Readroom, maker: Maker, seed: int, count: int) -> dict[str, Tensor]:
    images, crops, hit, box, kind = maker.vision(seed, count)
    features = model.visual(torch.cat((images, crops)))
    return {"place": place_loss(model, features[:len(images)], hit, box), "kind": kind_loss(model, features[len(images):], kind)}


def language_step(model: Readroom, maker: Maker, batch: Batch, three_d: bool, heads_only: bool = False) -> dict[str, Tensor]:
    """Losses of one batch. The system prompt, and in 3D the slices, are run once and shared.

    ``heads_only``: the auxiliary losses reach the auxiliary heads alone (which an exported checkpoint has not kept).
    """
    language = model.language
    n = len(batch.images)
    if bool(batch.live.all()):
        features = model.visual(torch.cat((batch.images, batch.crops)))
    else:
        moving = model.visual(torch.cat((batch.images[batch.live], batch.crops)))
        with torch.no_grad():
            still = model.visual(batch.images[~batch.live])
        features = torch.empty(n + len(batch.crops), *moving.shape[1:], dtype=moving.dtype)
        at = torch.cat((batch.live.nonzero()[:, 0], torch.arange(n, len(features))))
        features = features.index_copy(0, at, moving).index_copy(0, (~batch.live).nonzero()[:, 0], still.to(moving.dtype))
    rows = features.flatten(0, 1)
    opening = torch.tensor(maker.opening[three_d])[None]
    past: KV
    depth = torch.zeros(())
    _, past = language(language.embed_tokens(opening), torch.arange(opening.shape[1]).expand(3, 1, -1))
    if three_d:
        volumes = n // batch.depth
        x = model.embed(batch.context.expand(volumes, -1), rows[:n * 16], maker.pad)
        _, past = language(x, batch.context_positions, past)
        middle = language.middle.view(volumes, batch.depth, -1, x.shape[-1])[:, :, 1:]
        middle = middle.detach() if heads_only else middle
        guess = model.heads.depth(middle).float().flatten(0, 2)
        slices = torch.arange(batch.depth).repeat_interleave(middle.shape[2]).repeat(volumes)
        depth = 0.2 * F.cross_entropy(guess, slices)
        each = len(batch.tails) // volumes
        past = [(k.repeat_interleave(each, 0), v.repeat_interleave(each, 0)) for k, v in past]
    x = model.embed(batch.tails, rows[batch.tail_rows] if len(batch.tail_rows) else None, maker.pad)
    hidden, _ = language(x, batch.positions, past)
    logits = language.logits(hidden[batch.loss_at[:, 0], batch.loss_at[:, 1]])
    each_loss = F.cross_entropy(logits.float(), batch.targets, reduction="none")
    text = (each_loss * batch.weights).sum() / batch.weights.sum()
    letters = batch.weights > 1.5
    right = (logits[letters].argmax(-1) == batch.targets[letters]).float().mean()
    live = batch.live
    features = features.detach() if heads_only else features
    return {"text": text, "place": 0.5 * place_loss(model, features[:n][live], batch.place_hit[live], batch.place_box[live]),
            "kind": 0.3 * kind_loss(model, features[n:], batch.kind), "depth": depth, "letters": right.detach()}


def average(model: Readroom, extra: list[float], world: int) -> list[float]:
    """Average the weights, and ``extra`` numbers, over the processes."""
    if world == 1:
        return extra
    with torch.no_grad():
        flat = torch.cat([p.flatten() for p in model.parameters()] + [torch.tensor(extra)])
        dist.all_reduce(flat)
        flat /= world
        at = 0
        for p in model.parameters():
            p.copy_(flat[at:at + p.numel()].view_as(p))
            at += p.numel()
    return flat[at:].tolist()


def worker(rank: int, world: int, args: argparse.Namespace) -> None:
    """One process of the run."""
    torch.set_num_threads(args.threads)
    torch.manual_seed(1234)
    if world > 1:
        os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(args.port))
        dist.init_process_group("gloo", rank=rank, world_size=world)
    maker = Maker(Painter(anatomy.load()), vocabulary.load(args.out))
    model = Readroom()
    decayed = [p for p in model.parameters() if p.dim() > 1]
    plain = [p for p in model.parameters() if p.dim() <= 1]
    sight = {id(p) for p in model.visual.parameters()}
    groups = [{"params": [p for p in ps if (id(p) in sight) == v], "weight_decay": d, "scale": 0.8 if v else 1.0}
              for ps, d in ((decayed, 0.02), (plain, 0.0)) for v in (True, False)]
    optimiser = torch.optim.AdamW(groups, lr=1e-3, betas=(0.9, 0.97), fused=True)
    state_file = args.work / "state.pt"
    stages = parse_plan(args.plan)
    stage_at, step, spent, seed = 0, 0, 0.0, TRAIN_SEED
    relearn = 0
    if args.start and args.start.is_dir():
        model.load_state_dict(read_checkpoint(args.start), strict=False)
        relearn = RELEARN
    elif args.start:
        model.load_state_dict(torch.load(args.start, weights_only=False)["model"], strict=False)
    if state_file.exists() and not (args.start and torch.load(state_file, weights_only=False)["plan"] != args.plan):
        saved = torch.load(state_file, weights_only=False)
        model.load_state_dict(saved["model"], strict=False)
        if saved["plan"] == args.plan:
            optimiser.load_state_dict(saved["optimiser"])
            stage_at, step, spent = saved["stage"], saved["step"], saved["spent"]
        seed, relearn = saved["seed"], 0
    last_export = last_save = time.time()
    while stage_at < len(stages):
        stage = stages[stage_at]
        progress, begun = 0.0, time.time() - spent
        while progress < 1.0:
            now = time.time()
            factor = min(1.0, (step + 1) / 60) * (
                1.0 if stage.hold else 0.03 + 0.97 * (1 - progress**2))
            for group in optimiser.param_groups:
                group["lr"] = stage.rate * factor * (group["scale"] if stage.kind != "vision" else 1.0)
            depth = DEPTHS[step % len(DEPTHS)] if stage.kind == "3d" else 0
            three_d, short = depth > 0, 0 < depth < 32
            count = (args.batch_3d * (2 if short else 1) if three_d else args.batch) // world
            own_seed = seed + rank * count
            seed += count * world
            made = time.time()
            if stage.kind == "vision":
                with torch.autocast("cpu", torch.bfloat16):
                    losses = vision_step(model, maker, own_seed, count)
            else:
                batch = maker.batch_3d(own_seed, count, depth) if three_d else maker.batch_2d(own_seed, count)
                made = time.time()
                with torch.autocast("cpu", torch.bfloat16):
                    losses = language_step(model, maker, batch, three_d, relearn > 0)
                relearn -= 1
            total = sum((v for k, v in losses.items() if k != "letters"), torch.zeros(()))
            for p in model.parameters():
                p.grad = None
            total.backward()
            mine = float(max(step / stage.steps, (now - begun) / 60 / stage.minutes if stage.minutes else 0.0))
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            step += 1
            shared = [mine] + [float(v.detach()) for v in losses.values()]
            if step % args.sync == 0:
                shared = average(model, shared, world)
                progress = shared[0]
            if rank == 0:
                if step % (4 * args.sync) < 8 or step < 9:
                    text = " ".join(f"{k} {v:.4f}" for k, v in zip(losses, shared[1:]))
                    print(f"{time.strftime('%H:%M:%S')} {stage.kind}/{depth} {step} {progress:.3f} {text} "
                          f"lr {stage.rate * factor:.2e} data {made - now:.2f}s all {time.time() - now:.2f}s", flush=True)
                if step % args.sync == 0 and time.time() - last_save > 60:
                    last_save = time.time()
                    save(args, model, optimiser, stage_at, step, last_save - begun, seed)
                if args.export_every and stage.kind != "vision" and time.time() - last_export > args.export_every:
                    last_export = time.time()
                    write_checkpoint(model, args.out)
        stage_at, step, spent = stage_at + 1, 0, 0.0
        if rank == 0:
            save(args, model, optimiser, stage_at, 0, 0.0, seed, f"after-{stage_at}-{stage.kind}.pt")
            save(args, model, optimiser, stage_at, 0, 0.0, seed)
            if stage.kind != "vision":
                write_checkpoint(model, args.out)
    if world > 1:
        dist.destroy_process_group()


def save(args: argparse.Namespace, model: Readroom, optimiser: torch.optim.Optimizer, stage: int, step: int, spent: float,
         seed: int, name: str = "state.pt") -> None:
    """Write the state so that a killed run loses at most a minute."""
    value = {"model": model.state_dict(), "optimiser": optimiser.state_dict(), "stage": stage, "step": step,
             "spent": spent, "seed": seed, "plan": args.plan}
    part = args.work / (name + ".part")
    torch.save(value, part)
    part.replace(args.work / name)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--plan", default="vision:700:0:0.0015,2d:2500:0:0.0008,3d:1500:0:0.0006")
    parser.add_argument("--work", type=Path, default=Path("/tmp/readroom-train"))
    parser.add_argument("--start", type=Path, 
                        help="weights to start from: an after-N-stage.pt of another run, or a checkpoint folder")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--batch-3d", type=int, default=8)
    parser.add_argument("--world", type=int, default=2)
    parser.add_argument("--rank", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--port", type=int, default=29517)
    parser.add_argument("--sync", type=int, default=4, help="steps between averaging the processes' weights")
    parser.add_argument("--out", type=Path, default=FOLDER, help="checkpoint folder; its tokenizer is kept where it has one")
    parser.add_argument("--export-every", type=float, default=600.0)
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    np.random.seed(0)
    others = [subprocess.Popen([sys.executable, *sys.argv, "--rank", str(rank)]) for rank in range(1, args.world) if not args.rank]
    try:
        worker(args.rank, args.world, args)
    except BaseException:
        for other in others:
            other.terminate()
        raise
    if any([other.wait() for other in others]):
        sys.exit("a process of the run failed")


if __name__ == "__main__":
    main()
