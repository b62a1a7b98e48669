"""The figures of a checkpoint, through the product's own command line and engine (Node and the repository's packages are needed).

    python training/measure.py --model resources/models/readroom-mini --out OUT --seed 126

Makes held-out cases (``make_dataset.py``, test split), runs them with ``readroom 2d-batch``, ``3d-batch`` and ``ablate``, scores them
with ``readroom evaluate`` and prints a table. What is there already is not run again. ``--parts`` chooses.
Answers are those of the reference's inference rule; intervals are 95 % (docs/evaluation.md).
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
PARTS = ("six-2d", "six-3d", "type", "cross", "unseen")
CONTROLS = ("true", "shuffled", "single")


def readroom(*words: str) -> str:
    """Output of one command of the product."""
    return subprocess.run(["node", str(ROOT / "scripts" / "readroom.mjs"), *words], check=True, stdout=subprocess.PIPE, text=True).stdout


def cases(out: Path, count: int, seed: int, *options: str) -> Path:
    """A folder of held-out cases, made where it is missing."""
    if not (out / "made").exists():
        subprocess.run([sys.executable, str(HERE / "make_dataset.py"), "--split", "test", "--seed", str(seed), "--cases", str(count),
                        "--out", str(out), *options], check=True, stdout=subprocess.DEVNULL)
        (out / "made").write_text("")
    return out


def batch(model: Path, table: Path, output: Path, *options: str) -> list[dict[str, Any]]:
    """Records of a batch over the 2D or 3D cases of ``table``; run where the output is missing."""
    output.parent.mkdir(parents=True, exist_ok=True)
    if table.name == "2d":
        readroom("2d-batch", "--input", str(table / "examples.jsonl"), "--image-root", str(table), "--output", str(output),
                 "--model-path", str(model), "--quiet", "--threads", "1", *options)
    else:
        readroom("3d-batch", "--input-csv", str(table / "examples.csv"), "--data-root", str(table), "--output", str(output),
                 "--model-path", str(model), "--quiet", "--threads", "1", *options)
    text = output.read_text(encoding="utf-8")
    return json.loads(text) if output.suffix == ".json" else [json.loads(line) for line in text.splitlines()]


def wilson(hits: float, count: int) -> tuple[float, float]:
    """95 % interval of a proportion."""
    z, share = 1.96, hits / count
    middle, half = share + z * z / 2 / count, z * math.sqrt(share * (1 - share) / count + z * z / 4 / count / count)
    return (middle - half) / (1 + z * z / count), (middle + half) / (1 + z * z / count)


def against_chance(records: list[dict[str, Any]]) -> dict[str, float]:
    """Share of right answers, chance (one over the options, on average), and their distance in standard errors of chance."""
    chances = [1 / sum(bool(r[f"Choice {k}"]) for k in "ABCD") for r in records]
    hits = sum(r.get("prediction") == r["Answer"] for r in records)
    n, chance = len(records), sum(chances) / len(chances)
    spread = math.sqrt(sum(c * (1 - c) for c in chances)) / n
    low, high = wilson(hits, n)
    return {"count": n, "answers": hits / n, "low": low, "high": high, "chance": chance, "standard_errors": (hits / n - chance) / spread}


def scores(*named: str) -> dict[str, Any]:
    """``readroom evaluate --json``."""
    return json.loads(readroom("evaluate", "--json", *named))


def line(name: str, score: dict[str, Any]) -> str:
    def told(value: dict[str, Any]) -> str:
        if value["value"] is None:
            return "-"
        return f"{value['value']:.3f}" + (f" [{value['low']:.3f}, {value['high']:.3f}]" if value["low"] is not None else "")
    return f"| {name} {score['kind']} | {score['count']} | {told(score['meanIou'])} | {told(score['answers']['inference'])} | {told(score['format'])} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=126)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--cases-2d", type=int, default=300)
    parser.add_argument("--cases-3d", type=int, default=150)
    parser.add_argument("--unseen", default="", help="for the part unseen, the options with which make_dataset.py draws from a scan that training left out, such as "
                        "'--only-source lung' or '--only-dicom FOLDER'")
    args = parser.parse_args()
    model, runs = args.model.resolve(), args.out.resolve() / "runs"
    tables = args.out.resolve().parent / f"cases-{args.seed}"
    found: dict[str, Any] = {}
    print("| set | cases | mean IoU | answers | format |\n|---|---|---|---|---|")
    for part, three_d, count in (("six-2d", 0, args.cases_2d), ("six-3d", 1, args.cases_3d)):
        if part not in args.parts:
            continue
        table = cases(tables / f"{part}-{count}", count, args.seed, "--set", "six", "--share-3d", str(three_d)) / part[-2:]
        output = runs / f"{part}.json{'l' * three_d}"
        batch(model, table, output)
        found[part] = scores(f"{part}={output}")
        print(*(line(part, s) for s in found[part]["batches"][0]["scores"]), sep="\n", flush=True)
    if "type" in args.parts:
        table = cases(tables / "type", 120, args.seed + 1, "--set", "six", "--share-3d", "0", "--only-question", "Of which type") / "2d"
        outputs = {preset: runs / f"type-{preset}.json" for preset in ("grounded", "random-crop", "no-injection", "text-only")}
        for preset, output in outputs.items():
            batch(model, table, output, "--preset", preset)
        found["type"] = scores(*(f"{k}={v}" for k, v in outputs.items()))
        print(*(line(b["name"], b["scores"][0]) for b in found["type"]["batches"]), sep="\n", flush=True)
    if "cross" in args.parts:
        folder = cases(tables / "cross", 180, args.seed + 2, "--set", "cross-slice")
        found["cross"] = {}
        for control in CONTROLS:
            records = batch(model, folder / control / "3d", runs / f"cross-{control}.jsonl")
            kinds = {"all": records} | {k: [r for r in records if r["Kind"] == k] for k in ("order", "extent", "identity")}
            found["cross"][control] = {k: against_chance(rs) for k, rs in kinds.items()}
            for kind, value in found["cross"][control].items():
                print(f"| cross-slice {control} {kind} | {value['count']} | - | {value['answers']:.3f} [{value['low']:.3f}, {value['high']:.3f}], chance "
                      f"{value['chance']:.3f}, {value['standard_errors']:+.1f} SE | - |", flush=True)
    if "unseen" in args.parts and args.unseen:
        found["unseen"] = {}
        for three_d in (0, 1):
            count = args.cases_3d // 2 if three_d else args.cases_2d // 2
            table = cases(tables / f"unseen-{three_d}-{count}", count, args.seed + 3, "--set", "six", "--share-3d", str(three_d), *args.unseen.split(" ", 1)) \
                / ("3d" if three_d else "2d")
            output = runs / f"unseen-{three_d}.json{'l' * three_d}"
            batch(model, table, output)
            found["unseen"][table.name] = scores(f"unseen={output}")
            print(line(f"unseen {table.name}", found["unseen"][table.name]["batches"][0]["scores"][0]), flush=True)
    (args.out / "figures.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
