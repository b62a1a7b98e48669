"""Trains readroom-mini from nothing: ``python training/train.py``. Two one-thread processes on two CPU cores.

Stages (``--plan``): ``vision``, the tower alone with auxiliary heads; ``words``, the language model alone on finding letters and drawing conclusions; ``2d``, everything on images; ``joint``, everything on images and
volumes in turn, ``volumes`` with most steps on whole volumes, ``reason`` with words between them, ``all`` images and volumes evenly with words between them, ``images`` the same with more of images and words; ``3d``, volumes alone. A star freezes the vision tower and its merger, as the paper does in its supervised stage.
Each stage has a number of steps or a limit in minutes or both; the learning rate follows whichever is further on. A stopped
run goes on from ``--work`` when it is started again. Every ``--export-every`` seconds the checkpoint folder is written anew.

The processes average their weights every few steps (``together.py``). Matrices inside the layers move by Muon (Jordan et al.,
2024), the rest by AdamW.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

import anatomy
import vocabulary
from ahead import Ahead, Order
from batches import MODES, TRAIN_SEED, Batch, Maker
from data.views import SOURCES, ViewMaker
from dense import Dense
from export import load_model, write_checkpoint
from imaging import normalised
from model import KV, Readroom, mixed
from muon import Muon
from scenes import DEPTH, Painter
from together import average, run_together

HERE = Path(__file__).resolve().parent
FOLDER = HERE.parent / "resources" / "models" / "readroom-mini"
WORDS = -1
DEPTHS = {"vision": (0, 0, 0, DEPTH), "words": (WORDS,), "reason": (WORDS, DEPTH, 0, WORDS, DEPTH, DEPTH, WORDS, 0), "2d": (0,), "joint": (DEPTH, 0, 8, 0, DEPTH, 0, 4, 0), "all": (0, DEPTH, 0, DEPTH, WORDS),
          "images": (0, WORDS, 0, WORDS, 0, DEPTH), "volumes": (DEPTH, DEPTH, 0, DEPTH, DEPTH, 8, DEPTH, DEPTH, 0), "3d": (DEPTH, 8, DEPTH, 4)}
"""Slices in the steps of a stage, in turn; 0 is a step on images, WORDS one without pictures."""
LONGEST_STEP = 20.0
"""Seconds that a step counts at most towards the minutes of its stage."""
PLAN = ("vision:1430:0:0.002,2d:1110:0:0.002,joint:716:0:0.0015,volumes:432:0:0.0012,volumes*:1000:0:0.0012,"
        "reason*:540:0:0.001")
"""The stages of the shipped weights (its model card tells where their run differed)."""


@dataclass(frozen=True)
class Stage:
    """``steps`` of ``kind`` at peak rate ``rate``; ``minutes`` 0 means no limit."""

    kind: str
    steps: int
    minutes: float
    rate: float
    frozen: bool


def parse_plan(text: str) -> list[Stage]:
    """``vision:600:6:0.001,joint*:1500:28:0.0008``: kind (a star: frozen tower), steps, minutes, peak rate. Raises ValueError."""
    stages = []
    for part in text.split(","):
        kind, steps, minutes, rate = part.split(":")
        if kind.rstrip("*") not in DEPTHS:
            raise ValueError(f"{part}: stages are {', '.join(DEPTHS)}")
        stages.append(Stage(kind.rstrip("*"), int(steps), float(minutes), float(rate), kind.endswith("*")))
    return stages


def dense_losses(model: Readroom, features: Tensor, told: Dense) -> dict[str, Tensor]:
    """Objectness and boxes of lesions, and regions, at the merged tokens of whole images."""
    out = model.heads.place(features).float()
    found = F.binary_cross_entropy_with_logits(out[..., 0], told.hit)
    apart = (F.smooth_l1_loss(out[..., 1:], told.box, reduction="none", beta=0.1).sum(-1) * told.hit).sum() / told.hit.sum().clamp(min=1)
    maps = model.heads.regions(features).float().view(told.regions.numel(), -1)[told.known]
    regions = F.cross_entropy(maps, told.regions.flatten()[told.known]) if len(maps) else features.sum() * 0.0
    return {"place": 2.0 * found + apart, "regions": 0.5 * regions}


def kind_loss(model: Readroom, crops: list[Tensor], batch: Batch) -> Tensor:
    """Lesion type from the mean of a crop's tokens; -1: not asked."""
    if not batch.asked:
        return torch.zeros((), device=batch.images.device)
    scores = model.heads.kind(torch.cat([c.mean(1) for c in crops])).float()
    return F.cross_entropy(scores, batch.kind, ignore_index=-1, reduction="sum") / batch.asked


def look(model: Readroom, batch: Batch, frozen: bool) -> tuple[Tensor, list[Tensor]]:
    """Merged features of the images [n, 16, hidden] and of the crops of each size; gradients only where images are live."""
    shown, cut = normalised(batch.images.float()), [(normalised(c.float()), h, w) for c, h, w in batch.crops]
    with torch.set_grad_enabled(not frozen):
        square = [c for c, h, w in cut if (h, w) == (8, 8)]
        rows = model.visual(torch.cat((shown[batch.live], *square)))
        crops = [rows[-len(c):] if (h, w) == (8, 8) else model.visual(c, h, w) for c, h, w in cut]
    moving = rows[:len(batch.live)]
    if not len(batch.still):
        return moving, crops
    with torch.no_grad():
        still = model.visual(shown[batch.still])
    images = torch.empty(len(shown), *moving.shape[1:], dtype=moving.dtype, device=moving.device)
    images = images.index_copy(0, batch.live, moving).index_copy(0, batch.still, still.to(moving.dtype))
    return images, crops


def losses_of(model: Readroom, maker: Maker, batch: Batch, frozen: bool) -> dict[str, Tensor]:
    """Losses of one batch. The system prompt, and in 3D the slices, are run once and shared."""
    device = batch.images.device
    images, crops = look(model, batch, frozen) if len(batch.images) else (torch.empty(0, 16, model.shape.hidden_size, device=device), [])
    out: dict[str, Tensor] = {}
    if not frozen and len(images):
        weight = 0.5 if batch.tails else 1.0
        seen = dense_losses(model, images[batch.live], batch.dense) | {"kind": 0.5 * kind_loss(model, crops, batch)}
        out = {name: weight * value for name, value in seen.items()}
    if not batch.tails:
        return out
    language, three_d = model.language, batch.depth > 0
    features = torch.cat([images.flatten(0, 1), *(c.flatten(0, 1) for c in crops)])
    opening = torch.tensor(maker.opening[three_d], device=device)[None]
    past: KV
    _, past = language(language.embed_tokens(opening), torch.arange(opening.shape[1], device=device).expand(3, 1, -1))
    if three_d:
        volumes = len(images) // batch.depth
        x = model.embed(batch.context.expand(volumes, -1), images.flatten(0, 1), maker.pad)
        _, past = language(x, batch.context_positions, past)
        middle = language.early.view(volumes, batch.depth, -1, x.shape[-1])[:, :, 1:]
        slices = torch.arange(batch.depth, device=device).repeat_interleave(middle.shape[2]).repeat(volumes)
        out["depth"] = 0.1 * F.cross_entropy(model.heads.depth(middle).float().flatten(0, 2), slices)
    total, weights, boxes, spans = torch.zeros((), device=device), torch.zeros((), device=device), [], []
    right: list[Tensor] = []
    for tails in batch.tails:
        own = [(k[tails.view], v[tails.view]) for k, v in past] if three_d else past
        hidden, _ = language(model.embed(tails.tokens, features[tails.rows] if len(tails.rows) else None, maker.pad, tails.spots),
                             tails.positions, own)
        if len(tails.box_at):
            opened = language.late[tails.box_at[:, 0], tails.box_at[:, 1]]
            guess = model.heads.box(opened).float()
            known = [0, 1, 2, 3, 4, 5] if three_d else [0, 1, 3, 4]
            boxes.append(F.smooth_l1_loss(guess[:, known], tails.boxes[:, known], beta=0.02))
            if three_d:
                z = torch.arange(batch.depth, device=device) + 0.5
                inside = (z > tails.boxes[:, 2:3] * batch.depth) & (z < tails.boxes[:, 5:6] * batch.depth)
                spans.append(F.binary_cross_entropy_with_logits(model.heads.slices(opened)[:, :batch.depth].float(), inside.float()))
        logits = language.logits(hidden[tails.loss_at[:, 0], tails.loss_at[:, 1]])
        total = total + (F.cross_entropy(logits.float(), tails.targets, reduction="none") * tails.weights).sum()
        weights = weights + tails.weights.sum()
        # Of the two letters of a row the first has to be looked up, the other is a copy of it.
        right.append((logits[tails.letters].argmax(-1) == tails.targets[tails.letters]).float())
    out |= {"text": total / weights, "box": 2.0 * torch.stack(boxes).mean() if boxes else torch.zeros((), device=device), "letters": torch.cat(right).mean()}
    if spans:
        out["slices"] = torch.stack(spans).mean()
    return out


class Optimiser:
    """Muon for the matrices inside the layers, AdamW for the rest, at one rate."""

    def __init__(self, model: Readroom, tower: float) -> None:
        inner = {n: p for n, p in model.named_parameters() if p.dim() == 2 and (".blocks." in n or ".layers." in n or ".merger.mlp" in n)}
        rest = {n: p for n, p in model.named_parameters() if n not in inner}
        split = lambda ps: [{"params": [p for n, p in ps.items() if n.startswith("visual.") == v], "scale": tower if v else 1.0} for v in (True, False)]
        self.parts = [Muon(split(inner), lr=1e-3, weight_decay=0.02, momentum=0.95),
                      torch.optim.AdamW(split(rest), lr=1e-3, betas=(0.9, 0.97), weight_decay=0.0, fused=True)]

    def step(self, rate: float) -> None:
        for part in self.parts:
            for group in part.param_groups:
                group["lr"] = rate * group["scale"]
            part.step()

    def state(self) -> list[dict]:
        return [part.state_dict() for part in self.parts]

    def load(self, saved: list[dict]) -> None:
        for part, state in zip(self.parts, saved):
            part.load_state_dict(state)


def orders(stage: Stage, step: int, seed: int, args: argparse.Namespace) -> Iterator[Order]:
    """What the steps of a stage are made of, from ``step`` on, without end."""
    talk = stage.kind != "vision"
    for at in itertools.count(step):
        depth = DEPTHS[stage.kind][at % len(DEPTHS[stage.kind])]
        if depth == WORDS:
            count = 2 * args.batch // args.world
        elif not talk:
            count = args.batch // (4 if depth else 1) // args.world
        else:
            count = (args.batch_3d * (3 if depth < DEPTH else 1) if depth > 0 else args.batch // 2) // args.world
        apart = max(count, args.batch)
        yield Order(seed + args.rank * apart, count, depth, talk, seed + apart * args.world)
        seed += apart * args.world


def run(args: argparse.Namespace) -> None:
    """One process of the run."""
    rank, world = args.rank, args.world
    torch.set_num_threads(args.threads)
    torch.manual_seed(1234 + args.seed)
    device = torch.device(args.device)
    sources = tuple(s for s in SOURCES if s != args.hold_out)
    maker = Maker(ViewMaker(Painter(anatomy.load()), anatomy.load_labels(), sources), vocabulary.load(args.out), simple=not args.hold_out,
                  mode=args.mode, drills=not args.no_drills, parts=4 if device.type == "cpu" else 2)
    # cuDNN's attention makes a plan for every new shape, and here nearly every step has new ones.
    torch.backends.cuda.enable_cudnn_sdp(False)
    ahead = Ahead(lambda o: maker.words(o.seed, o.count) if o.depth == WORDS else maker.batch(o.seed, o.count, o.depth, o.talk), args.workers,
                  device)
    model = Readroom()
    state_file = args.work / "state.pt"
    stages = parse_plan(args.plan)
    stage_at, step, spent, seed = 0, 0, 0.0, TRAIN_SEED + args.seed * 10**7
    saved: dict | None = None
    if state_file.exists():
        saved = torch.load(state_file, weights_only=False, map_location="cpu")
        if saved["plan"] != args.plan:
            sys.exit(f"{args.work} holds a run of another plan ({saved['plan']}); choose another --work")
        model.load_state_dict(saved["model"])
        stage_at, step, spent, seed = saved["stage"], saved["step"], saved["spent"], saved["seed"]
    elif args.start:
        model.load_state_dict(load_model(args.start).state_dict())
    model.to(device)
    optimiser = Optimiser(model, 1.0)
    if saved:
        optimiser.load(saved["optimiser"])
    torch.manual_seed(4321 + rank + step)
    last_export = last_save = time.time()
    while stage_at < len(stages):
        stage = stages[stage_at]
        model.visual.requires_grad_(not stage.frozen)
        made = ahead.batches(orders(stage, step, seed, args))
        progress = 0.0
        while progress < 1.0:
            now = time.time()
            factor = min(1.0, (step + 1) / 60) * (0.02 + 0.98 * (1 - progress**2))
            order, batch = next(made)
            seed = order.after
            waited = time.time() - now
            with mixed(device):
                losses = losses_of(model, maker, batch, stage.frozen)
            for p in model.parameters():
                p.grad = None
            sum((v for k, v in losses.items() if k != "letters"), torch.zeros((), device=device)).backward()
            mine = float(max(step / stage.steps if stage.steps else 0.0, spent / 60 / stage.minutes if stage.minutes else 0.0))
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step(stage.rate * factor)
            step += 1
            # A run that was suspended has not spent its minutes.
            spent += min(time.time() - now, LONGEST_STEP)
            if step % args.sync == 0:
                progress = average(model, [mine], world)[0]
            if rank == 0:
                if step % 50 < 8 or step < 9:
                    text = " ".join(f"{k} {float(v.detach()):.4f}" for k, v in losses.items())
                    print(f"{time.strftime('%H:%M:%S')} {stage.kind}/{order.depth} {step} {progress:.3f} {text} "
                          f"lr {stage.rate * factor:.2e} data {waited:.2f}s all {time.time() - now:.2f}s", flush=True)
                if step % args.sync == 0 and time.time() - last_save > 60:
                    last_save = time.time()
                    save(args, model, optimiser, stage_at, step, spent, seed)
                if args.export_every and stage.kind != "vision" and time.time() - last_export > args.export_every:
                    last_export = time.time()
                    write_checkpoint(model, args.out)
        made.close()
        stage_at, step, spent = stage_at + 1, 0, 0.0
        if rank == 0:
            save(args, model, optimiser, stage_at, 0, 0.0, seed, f"after-{stage_at}-{stage.kind}.pt")
            save(args, model, optimiser, stage_at, 0, 0.0, seed)
            if stage.kind != "vision":
                write_checkpoint(model, args.out)


def save(args: argparse.Namespace, model: Readroom, optimiser: Optimiser, stage: int, step: int, spent: float, seed: int,
         name: str = "state.pt") -> None:
    """Write the state so that a killed run loses at most a minute."""
    value = {"model": model.state_dict(), "optimiser": optimiser.state(), "stage": stage, "step": step,
             "spent": spent, "seed": seed, "plan": args.plan}
    part = args.work / (name + ".part")
    torch.save(value, part)
    part.replace(args.work / name)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--plan", default=PLAN)
    parser.add_argument("--work", type=Path, default=Path("/tmp/readroom-train"))
    parser.add_argument("--start", type=Path, help="weights to start from: an after-N-stage.pt of another run, or a checkpoint folder")
    parser.add_argument("--seed", type=int, default=0, help="another start and other images")
    parser.add_argument("--mode", choices=MODES, default=MODES[0], help="ablations: boxes without crops, or no boxes at all")
    parser.add_argument("--no-drills", action="store_true", help="for weights that find letters already: a quarter fewer words in a step on images")
    parser.add_argument("--hold-out", choices=SOURCES[:3], help="never show this scan")
    parser.add_argument("--batch", type=int, default=64, help="images in a step of the vision stage; half of it with questions")
    parser.add_argument("--batch-3d", type=int, default=8, help="volumes in a step")
    parser.add_argument("--world", type=int, default=2)
    parser.add_argument("--rank", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu", help="cuda: on a GPU, which one process (--world 1) does not fill")
    parser.add_argument("--workers", type=int, default=0, help="for each process of --world, others that make batches ahead of its steps")
    parser.add_argument("--port", type=int, default=29517)
    parser.add_argument("--sync", type=int, default=4, help="steps between averaging the processes' weights")
    parser.add_argument("--out", type=Path, default=FOLDER, help="checkpoint folder; its tokenizer is kept where it has one")
    parser.add_argument("--tokenizer", type=Path, help="a checkpoint folder whose tokenizer is copied into a new --out")
    parser.add_argument("--export-every", type=float, default=600.0)
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    if args.tokenizer and not args.rank:
        vocabulary.copy(args.tokenizer, args.out)
    vocabulary.load(args.out)
    run_together(args, run)


if __name__ == "__main__":
    main()
