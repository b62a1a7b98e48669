"""The ablations of the recipe, each trained from the same tower with the same budget over several seeds, and measured through the
product's own command line.

    python training/study.py --start RUN/after-1-vision.pt --out OUT --seeds 1 2 3

joint against 3d: both see the same number of 3D steps (as many volumes and questions); joint has as many 2D steps between them. Measured on
held-out 3D cases. grounded against no-injection and text-only: 2D, the same steps; without a crop the type is to be read from the
whole image. Every run starts from the tower of the first stage and an untrained language model. Two runs at a time, one core each. A stopped
study goes on. Writes ``OUT/study.json`` and prints tables: means over seeds, paired differences with Student's 95 % interval.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from measure import batch, cases, scores
from train import FOLDER

HERE = Path(__file__).resolve().parent
STUDENT = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776, 6: 2.571}
"""97.5th percentile of t with n - 1 degrees of freedom, by n."""


@dataclass(frozen=True)
class Arm:
    """One way of training. ``stages`` of the plan have STEPS in place of the number of steps."""

    name: str
    kind: str
    share: int
    options: tuple[str, ...]
    preset: str
    three_d: bool


ARMS = (Arm("3d", "3d", 1, (), "grounded", True), Arm("joint", "joint", 2, (), "grounded", True),
        Arm("grounded", "2d", 1, (), "grounded", False), Arm("no-injection", "2d", 1, ("--mode", "no-injection"), "no-injection", False),
        Arm("text-only", "2d", 1, ("--mode", "text-only"), "text-only", False))


def train(arm: Arm, seed: int, args: argparse.Namespace) -> Path:
    """The checkpoint folder of one run."""
    folder = args.out / f"{arm.name}-{seed}"
    steps = (args.steps_3d if arm.three_d else args.steps_2d) * arm.share
    if not (folder / "done").exists():
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "log").open("a") as log:
            subprocess.run([sys.executable, str(HERE / "train.py"), "--plan", f"{arm.kind}:{steps}:0:{args.rate}", "--start", str(args.start),
                            "--seed", str(seed), "--world", "1", "--batch", "32", "--batch-3d", "4", "--work", str(folder / "work"),
                            "--out", str(folder / "model"), "--tokenizer", str(args.tokenizer), "--export-every", "0", *arm.options], check=True, stdout=log, stderr=log)
        (folder / "done").write_text("")
    return folder


def measure(arm: Arm, folder: Path, args: argparse.Namespace) -> dict[str, Any]:
    """Scores of one run on held-out cases of the six kinds."""
    name = "3d" if arm.three_d else "2d"
    count = args.cases_3d if arm.three_d else args.cases_2d
    table = cases(args.out / f"cases-{name}", count, args.case_seed, "--set", "six", "--share-3d", str(int(arm.three_d))) / name
    output = folder / f"{name}.json{'l' * arm.three_d}"
    batch(folder / "model", table, output, "--preset", arm.preset)
    return scores(f"{arm.name}={output}")["batches"][0]["scores"][0]


def difference(first: list[float], second: list[float]) -> str:
    """Mean of second - first over seeds, with Student's 95 % interval."""
    apart = [b - a for a, b in zip(first, second)]
    n, mean = len(apart), sum(apart) / len(apart)
    if n < 2:
        return f"{mean:+.3f}"
    spread = math.sqrt(sum((v - mean) ** 2 for v in apart) / (n - 1) / n) * STUDENT[n]
    return f"{mean:+.3f} [{mean - spread:+.3f}, {mean + spread:+.3f}]"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--start", type=Path, required=True)
    parser.add_argument("--tokenizer", type=Path, default=FOLDER)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--arms", nargs="+", choices=[a.name for a in ARMS], default=[a.name for a in ARMS])
    parser.add_argument("--steps-3d", type=int, default=300)
    parser.add_argument("--steps-2d", type=int, default=300)
    parser.add_argument("--rate", default="0.0015")
    parser.add_argument("--cases-2d", type=int, default=240)
    parser.add_argument("--cases-3d", type=int, default=120)
    parser.add_argument("--case-seed", type=int, default=140)
    parser.add_argument("--together", type=int, default=2, help="runs at a time")
    args = parser.parse_args()
    args.out = args.out.resolve()
    arms = [a for a in ARMS if a.name in args.arms]
    runs = [(arm, seed) for seed in args.seeds for arm in arms]
    with ThreadPoolExecutor(args.together) as pool:
        folders = list(pool.map(lambda run: train(*run, args), runs))
    found: dict[str, dict[str, list[float]]] = {}
    for (arm, _), folder in zip(runs, folders):
        score = measure(arm, folder, args)
        for number, value in (("iou", score["meanIou"]["value"]), ("answers", score["answers"]["inference"]["value"])):
            found.setdefault(arm.name, {}).setdefault(number, []).append(value or 0.0)
    (args.out / "study.json").write_text(json.dumps({"seeds": args.seeds, "steps_3d": args.steps_3d, "steps_2d": args.steps_2d, "runs": found}, indent=1) + "\n")
    print("| arm | mean IoU by seed | answers by seed | IoU less the first | answers less the first |\n|---|---|---|---|---|")
    for first, *others in (("3d", "joint"), ("grounded", "no-injection", "text-only")):
        for name in (n for n in (first, *others) if n in found):
            told = [" ".join(f"{v:.3f}" for v in found[name][k]) for k in ("iou", "answers")]
            apart = ["", ""] if name == first or first not in found else [difference(found[first][k], found[name][k]) for k in ("iou", "answers")]
            print(f"| {name} | {told[0]} | {told[1]} | {apart[0]} | {apart[1]} |")


if __name__ == "__main__":
    main()
