"""Compares the exported folder, run by ``transformers``, with our own network: positions, features and logits.

Needs transformers and torch. Exits with an error where they differ.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from transformers import AutoTokenizer, Qwen2_5_VLForConditionalGeneration
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

import vocabulary
from evaluate import cases
from export import load_model, rounded
from imaging import crop_source, cut, patches, shown
from make_dataset import SPLITS
from model import mrope
from questions import SYSTEM_2D
from sequence import Encoder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    args = parser.parse_args()
    torch.set_num_threads(1)
    encoder = Encoder(vocabulary.load(args.folder))
    ours = rounded(load_model(args.state))
    theirs = Qwen2_5_VLForConditionalGeneration.from_pretrained(args.folder, dtype=torch.float32).eval()
    processor = Qwen2VLImageProcessorPil.from_pretrained(args.folder)
    tokenizer = AutoTokenizer.from_pretrained(args.folder)
    asked = cases("six", False, SPLITS["validation"], 1)[0]
    picture = asked.pictures[0]
    crops = [cut(crop_source(picture), [20, 30, 44, 54]), cut(crop_source(picture), [20, 30, 50, 52])]
    messages = [{"role": "system", "content": SYSTEM_2D},
                {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": asked.user}]}]
    text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    text += "<think>Searching the image. A lesion at <|box_start|>[20,30,44,54]<|box_end|>"
    text += "<|vision_start|><|image_pad|><|vision_end|>" * 2 + "The crop shows"
    views = [picture, *crops]
    inputs = processor(images=[v.convert("RGB") for v in views], return_tensors="pt")
    mine = [shown(v) for v in views]
    grids = [(m.height // 28, m.width // 28) for m in mine]
    assert [tuple(g[1:] // 2) for g in inputs["image_grid_thw"].tolist() for g in [np.array(g)]] == grids, "grids differ"
    parts = text.split("<|image_pad|>")
    filled = parts[0] + "".join("<|image_pad|>" * (h * w) + p for (h, w), p in zip(grids, parts[1:]))
    ids = tokenizer(filled, add_special_tokens=False)["input_ids"]
    assert ids == encoder.ids(filled), "token ids differ"
    with torch.inference_mode():
        features = torch.cat([ours.visual(
            torch.from_numpy(patches([m])), m.height // 14, m.width // 14)[0] for m in mine])
        given = theirs.model.get_image_features(inputs["pixel_values"], inputs["image_grid_thw"])
        given = torch.cat(list(getattr(given, "pooler_output", given)))
        batch = torch.tensor(ids)[None]
        kinds = (batch == encoder.pad).int()
        positions, _ = theirs.model.get_rope_index(batch, kinds, inputs["image_grid_thw"])
        assert torch.equal(positions[:, 0], mrope(ids, encoder.pad, grids)[0]), "M-RoPE positions differ"
        x = ours.embed(batch, features, encoder.pad)
        hidden, _ = ours.language(x, positions)
        logits = ours.language.logits(hidden)[0]
        want = theirs(input_ids=batch, attention_mask=torch.ones_like(batch), mm_token_type_ids=kinds, **inputs).logits[0]
    for name, a, b in (("features", features, given), ("logits", logits, want)):
        apart = float((a - b).abs().max() / b.abs().max())
        print(f"{name}: {tuple(b.shape)} greatest difference {apart:.2e} of the greatest value")
        assert apart < 1e-4, f"{name} differ"


if __name__ == "__main__":
    main()
