"""The Parquet layout in which UniMed-CoT is released: folders sft, rl and images of one dataset folder.

sft: messages [{role, content}], image_ids. rl: data_source, agent_name, prompt [{role, content}], image_ids, ability,
reward_model (JSON), extra_info (JSON). images: image_id, path, bytes. A picture stands in the text as ``<image>``; image_ids
are in the order of the placeholders, crops of the assistant's turn included. The release keeps its 3D records
without pictures; ours have their slices, which readers of the release take as they are. Schemas after the
released scripts (github.com/IQuestLab/unireason-med, code/sft/scripts and code/rl/examples/data_preprocess).
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from data.record import Record

MESSAGES = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
SFT = pa.schema([("messages", MESSAGES), ("image_ids", pa.list_(pa.string()))])
RL = pa.schema([("data_source", pa.string()), ("agent_name", pa.string()), ("prompt", MESSAGES), ("image_ids", pa.list_(pa.string())),
                ("ability", pa.string()), ("reward_model", pa.string()), ("extra_info", pa.string())])
IMAGES = pa.schema([("image_id", pa.string()), ("path", pa.string()), ("bytes", pa.binary())])
SCHEMAS = {"sft": SFT, "rl": RL, "images": IMAGES}
PLACEHOLDER = "<image>"
ROWS_A_FILE = 2_000


def opening_messages(record: Record) -> list[dict[str, str]]:
    """System prompt and question, with a placeholder for each picture."""
    return [{"role": "system", "content": record.system},
            {"role": "user", "content": PLACEHOLDER * len(record.pictures) + record.user}]


class Writer:
    """Writes records into ``folder``/{sft,rl,images}; a picture that is already there is not written again.

    Files get their name when they are complete; ``close`` writes what is left.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rows: dict[str, list[dict[str, Any]]] = {name: [] for name in SCHEMAS}
        self.parts = dict.fromkeys(SCHEMAS, 0)
        self.known: set[str] = set()
        for name in SCHEMAS:
            (folder / name).mkdir(parents=True, exist_ok=True)
            if any((folder / name).glob("*.parquet")):
                raise FileExistsError(f"{folder / name} already holds Parquet files; choose an empty folder")

    def picture(self, image: Image.Image) -> str:
        """Keep the picture as PNG; its id is a hash of the file."""
        stream = io.BytesIO()
        image.save(stream, "PNG")
        image_id = hashlib.sha256(stream.getvalue()).hexdigest()[:24]
        if image_id not in self.known:
            self.known.add(image_id)
            self._add("images", {"image_id": image_id, "path": f"images/{image_id}.png", "bytes": stream.getvalue()})
        return image_id

    def sft(self, record: Record) -> None:
        """One supervised sample. Raises ValueError for a record without reasoning (a control)."""
        if not record.pieces:
            raise ValueError(f"{record.name}: no reasoning to learn from")
        answer = "".join(piece + PLACEHOLDER * len(crops) for piece, crops in zip(record.pieces, [*record.crops, []]))
        ids = [self.picture(p) for p in record.pictures] + [self.picture(p) for crops in record.crops for p in crops]
        self._add("sft", {"messages": [*opening_messages(record), {"role": "assistant", "content": answer}], "image_ids": ids})

    def rl(self, record: Record, split: str, index: int) -> None:
        """One question for outcome rewards. extra_info tells kind, boxes and source; the reward never reads the boxes."""
        extra = {"split": split, "index": index, "kind": record.kind, "dimension": "3d" if record.three_d else "2d",
                 "source": record.source, "boxes": record.boxes, **record.facts}
        self._add("rl", {"data_source": "readroom_synthetic", "agent_name": "urm_single_assistant", "prompt": opening_messages(record),
                         "image_ids": [self.picture(p) for p in record.pictures], "ability": "medical_vqa",
                         "reward_model": json.dumps({"style": "rule", "ground_truth": record.letter}),
                         "extra_info": json.dumps(extra)})

    def _add(self, name: str, row: dict[str, Any]) -> None:
        self.rows[name].append(row)
        if len(self.rows[name]) >= ROWS_A_FILE:
            self._flush(name)

    def _flush(self, name: str) -> None:
        path = self.folder / name / f"{self.parts[name]:05d}.parquet"
        part = path.with_suffix(".part")
        pq.write_table(pa.Table.from_pylist(self.rows[name], schema=SCHEMAS[name]), part, compression="zstd")
        part.replace(path)
        self.parts[name] += 1
        self.rows[name] = []

    def close(self) -> None:
        for name in SCHEMAS:
            if self.rows[name]:
                self._flush(name)


@dataclass(frozen=True)
class Sample:
    """One row as a trainer wants it: ``answer`` is empty for rl rows; ``truth`` is empty for sft rows."""

    system: str
    user: str
    answer: str
    image_ids: tuple[str, ...]
    truth: str
    extra: dict[str, Any]


class Dataset:
    """Reads a dataset folder in the released layout, ours or UniMed-CoT. Pictures are read when they are asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.where: dict[str, tuple[Path, int, int]] = {}
        for path in sorted((folder / "images").glob("*.parquet")):
            file = pq.ParquetFile(path)
            for group in range(file.num_row_groups):
                for row, image_id in enumerate(file.read_row_group(group, columns=["image_id"]).column(0).to_pylist()):
                    self.where[image_id] = (path, group, row)
        self.group: tuple[Path, int] | None = None
        self.bytes: list[bytes] = []

    def samples(self, split: str) -> list[Sample]:
        """Every row of ``sft`` or ``rl``, in order. Raises FileNotFoundError where there is none."""
        files = sorted((self.folder / split).glob("*.parquet"))
        if not files:
            raise FileNotFoundError(f"{self.folder / split}: no Parquet files; make them with make_dataset.py")
        return [_sample(row, path) for path in files for row in pq.read_table(path).to_pylist()]

    def pictures(self, sample: Sample) -> list[Image.Image]:
        """The pictures of a row. Raises KeyError for an id that no file holds (the release leaves out 3D pictures)."""
        return [self._picture(image_id) for image_id in sample.image_ids]

    def _picture(self, image_id: str) -> Image.Image:
        path, group, row = self.where[image_id]
        if self.group != (path, group):
            self.bytes = pq.ParquetFile(path).read_row_group(group, columns=["bytes"]).column(0).to_pylist()
            self.group = (path, group)
        return Image.open(io.BytesIO(self.bytes[row]))


def _sample(row: dict[str, Any], path: Path) -> Sample:
    turns: dict[str, str] = {}
    for message in row.get("messages") or row.get("prompt") or []:
        if message["role"] in turns or message["role"] not in ("system", "user", "assistant"):
            raise ValueError(f"{path}: only one system, user and assistant turn is read here, found {message['role']!r}")
        turns[message["role"]] = message["content"]
    reward, extra = (json.loads(row.get(k) or "{}") for k in ("reward_model", "extra_info"))
    return Sample(turns.get("system", ""), turns["user"], turns.get("assistant", ""), tuple(row.get("image_ids") or ()),
                  str(reward.get("ground_truth", "")), extra)


def rows(folder: Path, split: str) -> Iterator[dict[str, Any]]:
    """Raw rows of one split, for statistics and tests."""
    for path in sorted((folder / split).glob("*.parquet")):
        yield from pq.read_table(path).to_pylist()
