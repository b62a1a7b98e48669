"""The network in plain PyTorch: Qwen2.5-VL's arithmetic with its weight names, arranged for fast training on a CPU.

Written from the published architecture (Qwen2.5-VL technical report, arXiv:2502.13923) and checked against
``transformers`` by ``check_export.py``. Two things differ in arrangement only: a prefix that is the same for the whole
batch is run once at batch size 1 and its keys and values are shared, and the patch embedding takes grey patches.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

KV = list[tuple[Tensor, Tensor]]
Rope = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class Shape:
    """Sizes of the network; the names follow config.json."""

    vocab_size: int = 1024
    hidden_size: int = 192
    layers: int = 6
    heads: int = 6
    kv_heads: int = 2
    intermediate_size: int = 512
    mrope_section: tuple[int, int, int] = (4, 6, 6)
    rope_theta: float = 10_000.0
    eps: float = 1e-6
    vision_hidden: int = 128
    vision_depth: int = 4
    vision_heads: int = 4
    vision_intermediate: int = 384
    window: int = 4
    full_blocks: tuple[int, ...] = (1, 3)

    @property
    def head_dim(self) -> int:
        return self.hidden_size // self.heads


class RMSNorm(nn.Module):
    """x / rms(x) * weight."""

    def __init__(self, size: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        return F.rms_norm(x, self.weight.shape, self.weight.to(x.dtype), self.eps)


def rotate(x: Tensor, rope: Rope) -> Tensor:
    """Rotary embedding of [..., T, d]; cos and sin broadcast against it."""
    half = x.shape[-1] // 2
    turned = torch.cat((-x[..., half:], x[..., :half]), dim=-1)
    return x * rope[0].to(x.dtype) + turned * rope[1].to(x.dtype)


def attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None) -> Tensor:
    """Attention of q [B, H, T, d] over k, v [B, G, S, d], H a multiple of G; ``mask`` [T, S] bool, True is seen.

    Written out for bfloat16 on a CPU because, at these lengths, the backward pass of the fused kernel is the slower one there. The
    query heads of one group are stacked, so keys and values are never repeated. On a GPU the fused kernel saves the scores' memory, in
    float32 on a CPU it is faster (AVX2, one thread: 0.3 s against 1.0 s for the forward pass of a vision step).
    """
    b, h, t, d = q.shape
    g, s = k.shape[1], k.shape[2]
    if q.is_cuda or q.dtype == torch.float32:
        wide_k, wide_v = (x.repeat_interleave(h // g, 1) if h > g else x for x in (k, v))
        return F.scaled_dot_product_attention(q, wide_k, wide_v, attn_mask=mask)
    scores = (q * d**-0.5).reshape(b * g, h // g * t, d) @ k.reshape(b * g, s, d).transpose(1, 2)
    if mask is not None:
        hidden = torch.zeros(t, s, dtype=scores.dtype, device=q.device).masked_fill_(~mask, -1e4)
        scores = scores + hidden.repeat(h // g, 1)
    weights = torch.softmax(scores, -1, dtype=scores.dtype)
    return (weights @ v.reshape(b * g, s, d)).view(b, h, t, d)


class MLP(nn.Module):
    """SwiGLU."""

    def __init__(self, size: int, inner: int, bias: bool) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(size, inner, bias=bias)
        self.up_proj = nn.Linear(size, inner, bias=bias)
        self.down_proj = nn.Linear(inner, size, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class VisionAttention(nn.Module):
    """Attention among the patches of one image; ``mask`` [N, N] bool keeps it inside windows."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.heads = shape.vision_heads
        self.qkv = nn.Linear(shape.vision_hidden, 3 * shape.vision_hidden)
        self.proj = nn.Linear(shape.vision_hidden, shape.vision_hidden)

    def forward(self, x: Tensor, rope: Rope, mask: Tensor | None) -> Tensor:
        b, n, c = x.shape
        q, k, v = self.qkv(x).view(b, n, 3, self.heads, c // self.heads).permute(2, 0, 3, 1, 4)
        out = attend(rotate(q, rope), rotate(k, rope), v, mask)
        return self.proj(out.transpose(1, 2).reshape(b, n, c))


class VisionBlock(nn.Module):
    """Pre-norm block of the vision tower."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.norm1 = RMSNorm(shape.vision_hidden, 1e-6)
        self.norm2 = RMSNorm(shape.vision_hidden, 1e-6)
        self.attn = VisionAttention(shape)
        self.mlp = MLP(shape.vision_hidden, shape.vision_intermediate, bias=True)

    def forward(self, x: Tensor, rope: Rope, mask: Tensor | None) -> Tensor:
        x = x + self.attn(self.norm1(x), rope, mask)
        return x + self.mlp(self.norm2(x))


class Merger(nn.Module):
    """2x2 patches -> one token of the language model."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.ln_q = RMSNorm(shape.vision_hidden, 1e-6)
        wide = 4 * shape.vision_hidden
        self.mlp = nn.Sequential(nn.Linear(wide, wide), nn.GELU(), nn.Linear(wide, shape.hidden_size))

    def forward(self, x: Tensor) -> Tensor:
        b, n, c = x.shape
        return self.mlp(self.ln_q(x).view(b, n // 4, 4 * c))


class Vision(nn.Module):
    """Vision tower: grey patches [B, h*w, 196] of images of one size -> [B, h*w/4, hidden_size]."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.patch_embed = nn.Linear(196, shape.vision_hidden, bias=False)
        self.blocks = nn.ModuleList([VisionBlock(shape) for _ in range(shape.vision_depth)])
        self.merger = Merger(shape)
        self._grids: dict[tuple[int, int, torch.device], tuple[Rope, Tensor | None]] = {}

    def _grid(self, h: int, w: int, device: torch.device) -> tuple[Rope, Tensor | None]:
        """Rotary tables and window mask for a grid of h x w patches, in the processor's order."""
        if (h, w, device) not in self._grids:
            rows = torch.arange(h)[:, None].expand(h, w).reshape(h // 2, 2, w // 2, 2).permute(0, 2, 1, 3).flatten()
            cols = torch.arange(w)[None].expand(h, w).reshape(h // 2, 2, w // 2, 2).permute(0, 2, 1, 3).flatten()
            d = self.shape.vision_hidden // self.shape.vision_heads // 2
            inv = 1.0 / 10_000.0 ** (torch.arange(0, d, 2).float() / d)
            angle = torch.cat((rows[:, None] * inv, cols[:, None] * inv), -1)
            angle = torch.cat((angle, angle), -1)
            side = 2 * self.shape.window
            window = (rows // side) * 10_000 + cols // side
            same = window[:, None] == window[None]
            rope = (angle.cos().to(device), angle.sin().to(device))
            self._grids[h, w, device] = (rope, None if bool(same.all()) else same.to(device))
        return self._grids[h, w, device]

    def forward(self, patches: Tensor, h: int = 8, w: int = 8) -> Tensor:
        rope, mask = self._grid(h, w, patches.device)
        x = self.patch_embed(patches)
        for i, block in enumerate(self.blocks):
            x = block(x, rope, None if i in self.shape.full_blocks else mask)
        return self.merger(x)


class Attention(nn.Module):
    """Grouped-query attention with keys and values of earlier segments."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        kv = shape.kv_heads * shape.head_dim
        self.q_proj = nn.Linear(shape.hidden_size, shape.hidden_size)
        self.k_proj = nn.Linear(shape.hidden_size, kv)
        self.v_proj = nn.Linear(shape.hidden_size, kv)
        self.o_proj = nn.Linear(shape.hidden_size, shape.hidden_size, bias=False)

    def forward(self, x: Tensor, rope: Rope, mask: Tensor | None, past: tuple[Tensor, Tensor] | None
                ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        b, t, c = x.shape
        s = self.shape
        q = rotate(self.q_proj(x).view(b, t, s.heads, s.head_dim).transpose(1, 2), rope)
        k = rotate(self.k_proj(x).view(b, t, s.kv_heads, s.head_dim).transpose(1, 2), rope)
        v = self.v_proj(x).view(b, t, s.kv_heads, s.head_dim).transpose(1, 2)
        if past is not None:
            k = torch.cat((past[0].to(k.dtype).expand(b, -1, -1, -1), k), 2)
            v = torch.cat((past[1].to(v.dtype).expand(b, -1, -1, -1), v), 2)
        out = attend(q, k, v, mask)
        return self.o_proj(out.transpose(1, 2).reshape(b, t, c)), (k, v)


class Layer(nn.Module):
    """Pre-norm decoder layer."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.self_attn = Attention(shape)
        self.mlp = MLP(shape.hidden_size, shape.intermediate_size, bias=False)
        self.input_layernorm = RMSNorm(shape.hidden_size, shape.eps)
        self.post_attention_layernorm = RMSNorm(shape.hidden_size, shape.eps)

    def forward(self, x: Tensor, rope: Rope, mask: Tensor | None, past: tuple[Tensor, Tensor] | None
                ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        out, kv = self.self_attn(self.input_layernorm(x), rope, mask, past)
        x = x + out
        return x + self.mlp(self.post_attention_layernorm(x)), kv


class Language(nn.Module):
    """Decoder with M-RoPE and tied vocabulary."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.embed_tokens = nn.Embedding(shape.vocab_size, shape.hidden_size)
        self.layers = nn.ModuleList([Layer(shape) for _ in range(shape.layers)])
        self.norm = RMSNorm(shape.hidden_size, shape.eps)

    def rope(self, positions: Tensor) -> Rope:
        """cos, sin [B, 1, T, head_dim] from M-RoPE positions [3, B, T]."""
        d = self.shape.head_dim
        inv = 1.0 / self.shape.rope_theta ** (torch.arange(0, d, 2, device=positions.device).float() / d)
        angle = positions[..., None].float() * inv
        parts = angle.split(self.shape.mrope_section, -1)
        mixed = torch.cat([p[i] for i, p in enumerate(parts)], -1)
        mixed = torch.cat((mixed, mixed), -1)[:, None]
        return mixed.cos(), mixed.sin()

    early: Tensor
    late: Tensor
    """Hidden states of the last segment after half of the layers and before the last one, for the auxiliary heads."""

    def forward(self, x: Tensor, positions: Tensor, past: KV | None = None) -> tuple[Tensor, KV]:
        """One segment [B, T, hidden] after ``past`` (batch B or 1) -> (hidden before the last norm, all keys/values)."""
        rope = self.rope(positions)
        t = x.shape[1]
        before = past[0][0].shape[2] if past else 0
        mask = None
        if t > 1:
            mask = torch.ones(t, before + t, dtype=torch.bool, device=x.device).tril(before)
        kept: KV = []
        for i, layer in enumerate(self.layers):
            x, kv = layer(x, rope, mask, past[i] if past else None)
            kept.append(kv)
            if i == len(self.layers) // 2 - 1:
                self.early = x
            if i == len(self.layers) - 2:
                self.late = x
        return x, kept

    def logits(self, x: Tensor) -> Tensor:
        return F.linear(self.norm(x), self.embed_tokens.weight)


class Heads(nn.Module):
    """Auxiliary heads for training only. From a merged token: objectness and box of a lesion, the named structure in each of 4x4
    cells; from a crop: the type of its lesion. From the language model: half-way up, the slice that a token of a volume belongs
    to; before the last layer, where a box opens, its six numbers and the slices it holds."""

    def __init__(self, size: int, regions: int = 119) -> None:
        super().__init__()
        self.place = nn.Linear(size, 5)
        self.regions = nn.Linear(size, 16 * regions)
        self.kind = nn.Linear(size, 5)
        self.depth = nn.Linear(size, 32)
        self.box = nn.Linear(size, 6)
        self.slices = nn.Linear(size, 32)


class Readroom(nn.Module):
    """The whole network; ``heads`` are not exported."""

    def __init__(self, shape: Shape = Shape()) -> None:
        super().__init__()
        self.shape = shape
        self.visual = Vision(shape)
        self.language = Language(shape)
        self.heads = Heads(shape.hidden_size)
        for module in self.modules():
            if isinstance(module, (nn.Linear, nn.Embedding)):
                nn.init.normal_(module.weight, std=0.04)
                if getattr(module, "bias", None) is not None:
                    nn.init.zeros_(module.bias)

    def embed(self, ids: Tensor, images: Tensor | None, pad_id: int, spots: Tensor | None = None) -> Tensor:
        """Token embeddings [B, T, hidden] with the rows of ``images`` [n, hidden] at the placeholders, in order. ``spots``: where those
        are among B*T, if that is known (to look for them makes a GPU wait)."""
        x = self.language.embed_tokens(ids)
        if images is None:
            return x
        if spots is None:
            spots = spots_of(ids, pad_id)
        return x.flatten(0, 1).index_copy(0, spots, images.to(x.dtype)).view_as(x)


def spots_of(ids: Tensor, pad_id: int) -> Tensor:
    """Where the placeholders of ``ids`` [B, T] are, as numbers among B*T."""
    return (ids == pad_id).flatten().nonzero()[:, 0]


def mrope(ids: list[int], pad_id: int, grids: list[tuple[int, int]], start: int = 0) -> tuple[Tensor, int]:
    """M-RoPE positions [3, T] of one sequence, its images having merged grids (h, w), and the next free position."""
    columns: list[Tensor] = []
    at, i, image = start, 0, 0
    while i < len(ids):
        if ids[i] == pad_id:
            h, w = grids[image]
            image += 1
            rows = torch.arange(h)[:, None].expand(h, w).flatten()
            cols = torch.arange(w)[None].expand(h, w).flatten()
            columns.append(torch.stack((torch.zeros_like(rows), rows, cols)) + at)
            at += max(h, w)
            i += h * w
        else:
            j = i
            while j < len(ids) and ids[j] != pad_id:
                j += 1
            columns.append((torch.arange(j - i) + at).expand(3, -1))
            at += j - i
            i = j
    return torch.cat(columns, 1), at


def mixed(device: torch.device) -> AbstractContextManager[None]:
    """bfloat16 for matrix products, except on a CPU without instructions for it: there each is emulated, and a step takes 30 times as long."""
    slow = device.type == "cpu" and not torch.ops.mkldnn._is_mkldnn_bf16_supported()
    return torch.autocast(device.type, torch.bfloat16, enabled=not slow)
