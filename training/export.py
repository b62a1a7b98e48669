"""Writes the trained network as a Hugging Face folder with the names and layout of Qwen2.5-VL checkpoints."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

import vocabulary
from imaging import MAX_PIXELS, MEAN, MERGE, MIN_PIXELS, PATCH, STD
from model import Readroom, Shape


def named_weights(model: Readroom) -> dict[str, Tensor]:
    """Weights by the names of Qwen2_5_VLForConditionalGeneration checkpoints, in bfloat16. Auxiliary heads are left out."""
    out: dict[str, Tensor] = {}
    for name, value in model.state_dict().items():
        if name.startswith("heads."):
            continue
        if name == "visual.patch_embed.weight":
            grey = value.view(-1, 1, 1, PATCH, PATCH) / 6.0
            out["visual.patch_embed.proj.weight"] = grey.expand(-1, 3, 2, -1, -1)
        elif name.startswith("language."):
            out["model." + name.removeprefix("language.")] = value
        else:
            out[name] = value
    return {k: v.detach().cpu().to(torch.bfloat16).contiguous().clone() for k, v in out.items()}


def read_checkpoint(folder: Path) -> dict[str, Tensor]:
    """The state dict that ``named_weights`` wrote into ``folder``, in float32, for ``Readroom.load_state_dict(strict=False)``:
    the auxiliary heads are not in it. ValueError: not a checkpoint of this project's grey patch embedding."""
    out: dict[str, Tensor] = {}
    for name, value in load_file(str(folder / "model.safetensors")).items():
        value = value.float()
        if name == "visual.patch_embed.proj.weight":
            if bool((value != value[:, :1, :1]).any()):
                raise ValueError(f"{folder}: the patch embedding is not the same for all colours and frames")
            out["visual.patch_embed.weight"] = (value[:, 0, 0] * 6.0).flatten(1)
        elif name.startswith("model."):
            out["language." + name.removeprefix("model.")] = value
        else:
            out[name] = value
    return out


def load_model(path: Path) -> Readroom:
    """The network of a checkpoint folder or of a state file of any stage."""
    weights = read_checkpoint(path) if path.is_dir() else torch.load(path, weights_only=False, map_location="cpu")["model"]
    model = Readroom(Shape(vocab_size=len(weights["language.embed_tokens.weight"])))
    model.load_state_dict(weights, strict=False)
    return model


def mean_of(paths: list[Path]) -> Readroom:
    """The network whose weights are the mean of those of ``paths``, states along one run or from one start: it is often better than
    each (Wortsman et al., "Model soups", 2022)."""
    models = [load_model(path) for path in paths]
    with torch.no_grad():
        for same in zip(*(m.parameters() for m in models)):
            same[0].copy_(torch.stack(same).mean(0))
    return models[0]


def rounded(model: Readroom) -> Readroom:
    """The same network with its weights rounded as the exported file has them."""
    copy = Readroom(model.shape)
    copy.load_state_dict({k: v.to(torch.bfloat16).float() if not k.startswith("heads.") else v
                          for k, v in model.state_dict().items()})
    grey = model.state_dict()["visual.patch_embed.weight"]
    copy.visual.patch_embed.weight.data = (grey / 6.0).to(torch.bfloat16).float() * 6.0
    return copy


def config(shape: Shape, tokens: dict[str, int]) -> dict[str, object]:
    """config.json, with the text sizes both at the top (as published checkpoints have them) and in text_config."""
    scaling = {"type": "mrope", "rope_type": "default", "mrope_section": list(shape.mrope_section)}
    text: dict[str, object] = {
        "vocab_size": shape.vocab_size, "hidden_size": shape.hidden_size, "intermediate_size": shape.intermediate_size,
        "num_hidden_layers": shape.layers, "num_attention_heads": shape.heads, "num_key_value_heads": shape.kv_heads,
        "hidden_act": "silu", "max_position_embeddings": 8192, "initializer_range": 0.02, "rms_norm_eps": shape.eps,
        "use_cache": True, "rope_theta": shape.rope_theta, "rope_scaling": scaling, "use_sliding_window": False,
        "sliding_window": 8192, "max_window_layers": shape.layers, "attention_dropout": 0.0, "tie_word_embeddings": True,
        "bos_token_id": tokens["<|endoftext|>"], "eos_token_id": tokens["<|im_end|>"],
        "pad_token_id": tokens["<|endoftext|>"],
    }
    vision = {
        "model_type": "qwen2_5_vl", "depth": shape.vision_depth, "hidden_size": shape.vision_hidden, "hidden_act": "silu",
        "intermediate_size": shape.vision_intermediate, "num_heads": shape.vision_heads, "in_channels": 3, "in_chans": 3,
        "patch_size": PATCH, "spatial_patch_size": PATCH, "spatial_merge_size": MERGE, "temporal_patch_size": 2,
        "tokens_per_second": 2, "window_size": shape.window * PATCH * MERGE,
        "fullatt_block_indexes": list(shape.full_blocks), "out_hidden_size": shape.hidden_size,
    }
    ids = {"image_token_id": tokens["<|image_pad|>"], "video_token_id": tokens["<|video_pad|>"],
           "vision_start_token_id": tokens["<|vision_start|>"], "vision_end_token_id": tokens["<|vision_end|>"],
           "vision_token_id": tokens["<|vision_pad|>"]}
    return {"architectures": ["Qwen2_5_VLForConditionalGeneration"], "model_type": "qwen2_5_vl", "torch_dtype": "bfloat16",
            **text, **ids, "text_config": {"model_type": "qwen2_5_vl_text", **text}, "vision_config": vision}


def write_checkpoint(model: Readroom, folder: Path) -> None:
    """Write every file of the checkpoint into ``folder`` (the weights last, by renaming)."""
    tokenizer = vocabulary.load(folder)
    tokens = {t: int(tokenizer.token_to_id(t)) for t in vocabulary.SPECIALS}
    _json(folder / "config.json", config(model.shape, tokens))
    _json(folder / "generation_config.json", {
        "bos_token_id": tokens["<|endoftext|>"], "eos_token_id": [tokens["<|im_end|>"], tokens["<|endoftext|>"]],
        "pad_token_id": tokens["<|endoftext|>"], "do_sample": False})
    _json(folder / "preprocessor_config.json", {
        "do_convert_rgb": True, "do_normalize": True, "do_rescale": True, "do_resize": True, "image_mean": list(MEAN),
        "image_std": list(STD), "image_processor_type": "Qwen2VLImageProcessor", "max_pixels": MAX_PIXELS,
        "min_pixels": MIN_PIXELS, "merge_size": MERGE, "patch_size": PATCH, "temporal_patch_size": 2, "resample": 3,
        "rescale_factor": 1 / 255, "size": {"shortest_edge": MIN_PIXELS, "longest_edge": MAX_PIXELS},
        "processor_class": "Qwen2_5_VLProcessor"})
    part = folder / "model.safetensors.part"
    save_file(named_weights(model), str(part), metadata={"format": "pt"})
    part.chmod(0o644)
    part.replace(folder / "model.safetensors")


def _json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--state", type=Path, nargs="+", required=True, help="state.pt or after-N-stage.pt of a run; of several, the mean")
    parser.add_argument("--out", type=Path, required=True, help="checkpoint folder with its tokenizer; or a .pt file, which keeps the auxiliary heads")
    options = parser.parse_args()
    model = mean_of(options.state)
    if options.out.suffix == ".pt":
        torch.save({"model": model.state_dict()}, options.out)
    else:
        write_checkpoint(model, options.out)
