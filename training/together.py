"""Several one-thread processes on one machine that train one network: they run on their own and average their weights now and then
(local SGD). On cores that other programs use too, waiting for each other at every step would cost more than it gains."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Callable

import torch
import torch.distributed as dist
from torch import nn


def average(model: nn.Module, extra: list[float], world: int) -> list[float]:
    """Average the weights, and ``extra`` numbers, over the processes."""
    if world == 1:
        return extra
    with torch.no_grad():
        # On the CPU: gloo would copy there and back as well.
        flat = torch.cat([*(p.flatten().cpu() for p in model.parameters()), torch.tensor(extra)])
        dist.all_reduce(flat)
        flat /= world
        at = 0
        for p in model.parameters():
            p.copy_(flat[at:at + p.numel()].view_as(p))
            at += p.numel()
    return flat[at:].tolist()


def run_together(args: argparse.Namespace, work: Callable[[argparse.Namespace], None]) -> None:
    """Call ``work`` in ``args.world`` processes of this same command, of which this is ``args.rank``. Rank 0 starts the others, and
    exits with an error where one of them fails."""
    others = [subprocess.Popen([sys.executable, *sys.argv, "--rank", str(rank)]) for rank in range(1, args.world) if not args.rank]
    try:
        if args.world > 1:
            os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(args.port))
            dist.init_process_group("gloo", rank=args.rank, world_size=args.world)
        work(args)
        if args.world > 1:
            dist.destroy_process_group()
    except BaseException:
        for other in others:
            other.terminate()
        raise
    if any([other.wait() for other in others]):
        sys.exit("a process of the run failed")
