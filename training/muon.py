"""Muon (Jordan et al., 2024, "Muon: an optimizer for hidden layers in neural networks"), as ``torch.optim.Muon`` with
``adjust_lr_fn="match_rms_adamw"`` and Nesterov momentum computes it.

PyTorch's own goes through the matrices one by one, in bfloat16 always: on a CPU without instructions for bfloat16 that took more time
than the rest of a step, on a GPU thousands of small kernels. Here matrices of one shape are one batch, in float32 on a CPU.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import torch
from torch import Tensor
from torch.optim import Optimizer

COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Of the quintic Newton-Schulz iteration."""
ITERATIONS = 5


class Muon(Optimizer):
    """For 2-D parameters only. Its state is one ``momentum_buffer`` a matrix, like ``torch.optim.Muon``'s."""

    def __init__(self, groups: Iterable[dict], lr: float, weight_decay: float, momentum: float) -> None:
        super().__init__(groups, {"lr": lr, "weight_decay": weight_decay, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:
        """One step on every matrix that has a gradient."""
        for group in self.param_groups:
            alike: dict[torch.Size, list[Tensor]] = defaultdict(list)
            for p in group["params"]:
                if p.grad is not None:
                    alike[p.shape].append(p)
            for shape, matrices in alike.items():
                moved = []
                for p in matrices:
                    buffer = self.state[p].setdefault("momentum_buffer", torch.zeros_like(p))
                    buffer.lerp_(p.grad, 1 - group["momentum"])
                    moved.append(p.grad.lerp(buffer, group["momentum"]))
                turned = orthogonal(torch.stack(moved))
                rate = group["lr"] * 0.2 * max(shape) ** 0.5
                for p, update in zip(matrices, turned):
                    p.mul_(1 - group["lr"] * group["weight_decay"]).add_(update, alpha=-rate)


def orthogonal(matrices: Tensor) -> Tensor:
    """[n, rows, columns]: each with its singular values brought near 1."""
    x = matrices.bfloat16() if matrices.is_cuda else matrices.float()
    wide = x.shape[1] <= x.shape[2]
    x = x if wide else x.mT
    x = x / x.norm(dim=(1, 2), keepdim=True).clamp(min=1e-7)
    a, b, c = COEFFICIENTS
    for _ in range(ITERATIONS):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return (x if wide else x.mT).to(matrices.dtype)
