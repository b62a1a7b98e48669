"""A dataset folder (ours or UniMed-CoT) -> the files LLaMA-Factory and verl read: pictures on disk, paths in the rows.

    python training/full/materialise.py --data DATA --out runs/full

writes OUT/sft/{train.parquet,images/}, paths relative to OUT/sft (``media_dir``), and OUT/rl/{train,val}.parquet, paths
relative to the working directory. Rows with pictures that are not there (3D rows of the release) lose them and stay as text, as
the released scripts have it; ``--drop-missing`` leaves such rows out.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

sys.path.append(str(Path(__file__).resolve().parent.parent))

from data.layout import MESSAGES, PLACEHOLDER, rows  # noqa: E402

SFT = pa.schema([("messages", MESSAGES), ("images", pa.list_(pa.string()))])


def write_pictures(data: Path, folder: Path) -> dict[str, Path]:
    """Every picture of ``images`` as a file of its id; returns where each lies."""
    folder.mkdir(parents=True, exist_ok=True)
    where: dict[str, Path] = {}
    for row in rows(data, "images"):
        name = str(row["image_id"])
        if not name.replace("-", "").replace("_", "").isalnum():
            raise ValueError(f"{data}: image_id {name!r} is no file name")
        path = folder / f"{name}{PurePosixPath(row['path'] or '').suffix or '.png'}"
        path.write_bytes(row["bytes"])
        where[name] = path
    return where


def resolve(row: dict[str, Any], key: str, where: dict[str, Path], root: Path, drop: bool) -> dict[str, Any] | None:
    """Messages and picture paths of a row; None where it is to be left out."""
    ids = row["image_ids"] or []
    turns = row[key]
    if any(i not in where for i in ids):
        if drop:
            return None
        ids = []
        turns = [{"role": t["role"], "content": t["content"].replace(PLACEHOLDER, "")} for t in turns]
    return {key: turns, "images": [where[i].resolve().relative_to(root.resolve()).as_posix() for i in ids]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("runs/full"))
    parser.add_argument("--validation", type=int, default=100, help="rl rows kept for validation: the first ones")
    parser.add_argument("--drop-missing", action="store_true")
    args = parser.parse_args()
    where = write_pictures(args.data, args.out / "sft" / "images")
    taught = [r for row in rows(args.data, "sft") if (r := resolve(row, "messages", where, args.out / "sft", args.drop_missing))]
    if taught:
        pq.write_table(pa.Table.from_pylist(taught, schema=SFT), args.out / "sft" / "train.parquet", compression="zstd")
    asked = []
    for row in rows(args.data, "rl"):
        found = resolve(row, "prompt", where, Path.cwd(), args.drop_missing)
        if found is not None:
            asked.append({"data_source": row["data_source"], "agent_name": row["agent_name"], **found, "ability": row["ability"],
                          "reward_model": json.loads(row["reward_model"]),
                          # verl hands extra_info on as it is: values of one type keep the column one type.
                          "extra_info": {k: v if isinstance(v, (int, str)) else json.dumps(v) for k, v in json.loads(row["extra_info"]).items()}})
    (args.out / "rl").mkdir(parents=True, exist_ok=True)
    for name, part in (("val", asked[:args.validation]), ("train", asked[args.validation:])):
        if part:
            pq.write_table(pa.Table.from_pylist(part), args.out / "rl" / f"{name}.parquet", compression="zstd")
    print(f"{len(where)} pictures, {len(taught)} sft rows, {len(asked)} rl rows ({min(len(asked), args.validation)} of them for validation)")


if __name__ == "__main__":
    main()
