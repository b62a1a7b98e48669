"""Makes odd-heads.safetensors: what transformers computes for the checkpoint of graphs.test.ts.

    READROOM_ODD_HEADS=/tmp/odd-heads npx vitest run src-main/checkpoint/graphs
    python src-main/checkpoint/testing/make_odd_heads.py /tmp/odd-heads

torch 2.11, transformers 5.23. Heads of 12 (decoder) and of 12 (vision), partial windows, three images of one size.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file
from transformers import Qwen2_5_VLForConditionalGeneration


def synthetic_pixels(count: int, seed: int) -> np.ndarray:
    values, state = np.empty(count, np.float32), seed
    for i in range(count):
        state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
        values[i] = ((state >> 20) - 2048) / 1024
    return values


torch.set_num_threads(1)
model = Qwen2_5_VLForConditionalGeneration.from_pretrained(sys.argv[1], dtype=torch.float32, attn_implementation="eager").eval()
height, width, images = 10, 6, 3
pixels = torch.from_numpy(synthetic_pixels(images * height * width * 1176, 7)).reshape(-1, 1176)
grids = torch.tensor([[1, height, width]] * images)
pad, tokens = model.config.image_token_id, height * width // 4
ids = torch.tensor([[1, 2, 3] + ([8] + [pad] * tokens + [9]) * images + [10, 11, 12, 13, 14]])
with torch.inference_mode():
    features = torch.cat(list(model.model.get_image_features(pixels, grids, return_dict=True).pooler_output))
    logits = model(input_ids=ids, pixel_values=pixels, image_grid_thw=grids, mm_token_type_ids=(ids == pad).int(),
                   attention_mask=torch.ones_like(ids)).logits[0]
# Few numbers say enough: every fourth row of features, logits of the last eight positions.
save_file({"features": features[::4].contiguous().numpy(), "logits": logits[-8:].contiguous().numpy()},
          Path(__file__).with_name("odd-heads.safetensors"))
