"""Builds the tokenizer: Qwen2's byte-level BPE with every byte, digits singly, and a few hundred merges of our texts.

Writes ``tokenizer.json``, ``tokenizer_config.json``, ``vocab.json``, ``merges.txt``, ``added_tokens.json``,
``special_tokens_map.json``, ``chat_template.json`` and ``chat_template.jinja`` into the checkpoint folder. The split
pattern and the special tokens are those published with Qwen2.5-VL; the chat template is our own text with the same
output for text and images.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from random import Random

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

import anatomy
from data.six_kinds import types_in_crops
from data.views import SOURCES, ViewMaker
from questions import SYSTEM_2D, SYSTEM_3D
from scenes import Painter
from talks import Talk, as_view, simple, six

SPLIT = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|"
         r"\s+(?!\S)|\s+")
SPECIALS = (
    "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|object_ref_start|>", "<|object_ref_end|>", "<|box_start|>",
    "<|box_end|>", "<|quad_start|>", "<|quad_end|>", "<|vision_start|>", "<|vision_end|>", "<|vision_pad|>",
    "<|image_pad|>", "<|video_pad|>",
)
PLAIN_ADDED = ("<tool_call>", "</tool_call>", "<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>", "<|fim_pad|>",
               "<|repo_name|>", "<|file_sep|>")
FILES = ("tokenizer.json", "tokenizer_config.json", "vocab.json", "merges.txt", "added_tokens.json", "special_tokens_map.json",
         "chat_template.json", "chat_template.jinja")
BASE_SIZE = 1000
VOCAB_SIZE = 1024
CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{% if loop.first and message['role'] != 'system' %}<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n{% endif %}"
    "<|im_start|>{{ message['role'] }}\n"
    "{% if message['content'] is string %}{{ message['content'] }}"
    "{% else %}{% for part in message['content'] %}"
    "{% if part['type'] == 'image' or 'image' in part or 'image_url' in part %}<|vision_start|><|image_pad|><|vision_end|>"
    "{% elif part['type'] == 'video' or 'video' in part %}<|vision_start|><|video_pad|><|vision_end|>"
    "{% elif 'text' in part %}{{ part['text'] }}{% endif %}"
    "{% endfor %}{% endif %}<|im_end|>\n"
    "{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
EXTRA = (
    "Readroom shows what the model looked at. The patient, the study, the scan, the slice and the volume. "
    "CT MR X-ray image of the chest, thorax, brain, abdomen, liver, kidney, heart, lungs. yes no left right upper lower. "
    "Please describe the finding. Where is it? Which one? Answer: A. B. C. D. radiology artery vein bone tissue normal "
    "abnormal mass nodule tumour cyst fluid pleural effusion fracture calcified enhancing benign malignant "
)


def corpus(count: int = 3000) -> list[str]:
    """Texts of our own the merges are learnt from: what training says (``talks.py``)."""
    labels = anatomy.load_labels()
    maker = ViewMaker(Painter(anatomy.load()), labels, SOURCES)
    texts = [SYSTEM_2D, SYSTEM_3D] * 250 + [EXTRA] * 20 + [f"Is the {name} in the volume? the {name}." for name in maker.names] * 4
    for i in range(count):
        rng, three = Random(i), i % 8 == 0
        if i % 4 == 1:
            scene = maker.painter.scene_2d(i)
            said: Talk | None = simple(rng, as_view(scene), scene, types_in_crops(as_view(scene), True))
        else:
            view = maker.view(i, three, None if i % 3 else 2)
            said = six(rng, view, types_in_crops(view, True))
        if said is not None:
            texts += ["assistant\n", "user\n", "system\n", said.user]
            texts += [piece for whole in said.pieces for piece in re.split(r"<\|box_(?:start|end)\|>", whole)]
    return texts


def build(folder: Path) -> Tokenizer:
    """Train the merges and write every tokenizer file into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(SPLIT), behavior="isolated", invert=False),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=BASE_SIZE, min_frequency=2, show_progress=False, special_tokens=[],
                                  initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()))
    tokenizer.train_from_iterator(corpus(), trainer)
    learnt = json.loads(tokenizer.to_str())["model"]
    vocab, merges = learnt["vocab"], [tuple(m) for m in learnt["merges"]]
    if len(vocab) > BASE_SIZE:
        raise RuntimeError(f"{len(vocab)} entries where {BASE_SIZE} were asked for")
    from tokenizers import AddedToken
    tokenizer.add_special_tokens([AddedToken(s, special=True, normalized=False) for s in SPECIALS])
    tokenizer.add_tokens([AddedToken(s, special=False, normalized=False) for s in PLAIN_ADDED])
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "vocab.json").write_text(json.dumps(vocab, ensure_ascii=False), encoding="utf-8")
    lines = ["#version: 0.2"] + [" ".join(m) for m in merges]
    (folder / "merges.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    added = {s: tokenizer.token_to_id(s) for s in SPECIALS + PLAIN_ADDED}
    _json(folder / "added_tokens.json", added)
    decoder = {str(i): {"content": s, "lstrip": False, "normalized": False, "rstrip": False, "single_word": False,
                        "special": s in SPECIALS} for s, i in sorted(added.items(), key=lambda x: x[1])}
    extra = [s for s in SPECIALS if s not in ("<|endoftext|>",)]
    _json(folder / "special_tokens_map.json", {"additional_special_tokens": extra, "eos_token": "<|im_end|>",
                                               "pad_token": "<|endoftext|>"})
    _json(folder / "tokenizer_config.json", {
        "add_bos_token": False, "add_prefix_space": False, "added_tokens_decoder": decoder,
        "additional_special_tokens": extra, "bos_token": None, "chat_template": CHAT_TEMPLATE,
        "clean_up_tokenization_spaces": False, "eos_token": "<|im_end|>", "errors": "replace",
        "model_max_length": 8192, "pad_token": "<|endoftext|>", "processor_class": "Qwen2_5_VLProcessor",
        "split_special_tokens": False, "tokenizer_class": "Qwen2Tokenizer", "unk_token": None})
    _json(folder / "chat_template.json", {"chat_template": CHAT_TEMPLATE})
    (folder / "chat_template.jinja").write_text(CHAT_TEMPLATE, encoding="utf-8")
    return tokenizer


def load(folder: Path) -> Tokenizer:
    """The tokenizer of a checkpoint folder, built first where it is missing."""
    path = folder / "tokenizer.json"
    return Tokenizer.from_file(str(path)) if path.exists() else build(folder)


def copy(source: Path, folder: Path) -> None:
    """Copy the tokenizer files of one checkpoint folder into another."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        (folder / name).write_bytes((source / name).read_bytes())


def _json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    made = build(Path(__file__).resolve().parent.parent / "resources" / "models" / "readroom-mini")
    print(made.get_vocab_size(), len(made.encode(SYSTEM_2D).ids), len(made.encode(SYSTEM_3D).ids))
