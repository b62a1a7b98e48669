"""The ablations of the recipe, each trained from the same tower with the same budget over several seeds, and measured through the
product's own command line.

    python training/study.py --out OUT --seeds 1 2 3 --hold-out lung

joint against 3d: both see the same number of 3D steps (as many volumes and questions); joint has as many 2D steps between them. Measured on
held-out 3D cases. grounded against no-injection and text-only: 2D, the same steps; without a crop the type is to be read from the
whole image. Every run starts from the same weights: ``--start``, or where that is left out those of a first run that this makes (``--start-plan``: the
tower, then letters and conclusions without pictures). Two runs at a time, one core each. A stopped
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
from data.views import SOURCES
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


def prepare(args: argparse.Namespace) -> Path:
    """The weights that all runs start from."""
    folder = args.out / "start"
    if not (folder / "done").exists():
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "log").open("a") as log:
            subprocess.run([sys.executable, str(HERE / "train.py"), "--plan", args.start_plan, "--world", str(args.start_world), "--batch", str(args.start_batch),
                            "--device", args.device, "--workers", str(args.workers), "--work", str(folder / "work"), "--out", str(folder / "model"),
                            "--tokenizer", str(args.tokenizer), "--export-every", "0", *held_out(args)], check=True, stdout=log, stderr=log)
        (folder / "done").write_text("")
    return folder / "work" / "state.pt"


def held_out(args: argparse.Namespace) -> tuple[str, ...]:
    """The option of train.py."""
    return ("--hold-out", args.hold_out) if args.hold_out else ()


def train(arm: Arm, seed: int, args: argparse.Namespace) -> Path:
    """The checkpoint folder of one run."""
    folder = args.out / f"{arm.name}-{seed}"
    steps = (args.steps_3d if arm.three_d else args.steps_2d) * arm.share
    if not (folder / "done").exists():
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "log").open("a") as log:
            subprocess.run([sys.executable, str(HERE / "train.py"), "--plan", f"{arm.kind}:{steps}:0:{args.rate}", "--start", str(args.start),
                            "--seed", str(seed), "--world", "1", "--batch", str(args.batch), "--batch-3d", str(args.batch_3d),
                            "--device", args.device, "--workers", str(args.workers), "--work", str(folder / "work"),
                            "--out", str(folder / "model"), "--tokenizer", str(args.tokenizer), "--export-every", "0",
                            *held_out(args), *arm.options], check=True, stdout=log, stderr=log)
        (folder / "done").write_text("")
    return folder


def measure(arm: Arm, folder: Path, args: argparse.Namespace) -> dict[str, float]:
    """Mean IoU and answers of one run on held-out cases of the six kinds, and on those of the scan that was held out."""
    name = "3d" if arm.three_d else "2d"
    count = args.cases_3d if arm.three_d else args.cases_2d
    found: dict[str, float] = {}
    for where, seed, options in (("", args.case_seed, held_out(args)), ("held-out ", args.case_seed + 1, ("--only-source", args.hold_out))):
        if where and not args.hold_out:
            continue
        label = f"{where.replace(' ', '-')}{name}"
        table = cases(args.out / f"cases-{label}", count, seed, "--set", "six", "--share-3d", str(int(arm.three_d)), *options) / name
        output = folder / f"{label}.json{'l' * arm.three_d}"
        batch(folder / "model", table, output, "--preset", arm.preset)
        score = scores(f"{arm.name}={output}")["batches"][0]["scores"][0]
        found |= {f"{where}IoU": score["meanIou"]["value"] or 0.0, f"{where}answers": score["answers"]["inference"]["value"] or 0.0}
    return found


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
    parser.add_argument("--start", type=Path, help="a state.pt or a checkpoint folder that all runs start from")
    parser.add_argument("--start-plan", default="vision:1430:0:0.002,words:500:0:0.002", help="stages of the first run, where --start is left out")
    parser.add_argument("--start-world", type=int, default=2, help="its processes")
    parser.add_argument("--start-batch", type=int, default=64, help="its --batch")
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
    parser.add_argument("--hold-out", choices=SOURCES[:3], help="a scan that no run sees, measured apart; --start must not have seen it either")
    parser.add_argument("--batch", type=int, default=32, help="half of it is the images in a step")
    parser.add_argument("--batch-3d", type=int, default=4, help="volumes in a step")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--workers", type=int, default=0, help="for each run, as in train.py")
    parser.add_argument("--train-only", action="store_true", help="leave measuring to the same command without this, where Node is")
    args = parser.parse_args()
    args.out = args.out.resolve()
    args.start = args.start or prepare(args)
    arms = [a for a in ARMS if a.name in args.arms]
    runs = [(arm, seed) for seed in args.seeds for arm in arms]
    with ThreadPoolExecutor(args.together) as pool:
        folders = list(pool.map(lambda run: train(*run, args), runs))
    if args.train_only:
        return
    found: dict[str, dict[str, list[float]]] = {}
    for (arm, _), folder in zip(runs, folders):
        for number, value in measure(arm, folder, args).items():
            found.setdefault(arm.name, {}).setdefault(number, []).append(value)
    (args.out / "study.json").write_text(json.dumps({"seeds": args.seeds, "steps_3d": args.steps_3d, "steps_2d": args.steps_2d, "runs": found}, indent=1) + "\n")
    print("| arm | number | mean | by seed | less the first arm |\n|---|---|---|---|---|")
    for first, *others in (("3d", "joint"), ("grounded", "no-injection", "text-only")):
        for name in (n for n in (first, *others) if n in found):
            for number, values in found[name].items():
                apart = "" if name == first or first not in found else difference(found[first][number], values)
                print(f"| {name} | {number} | {sum(values) / len(values):.3f} | {' '.join(f'{v:.3f}' for v in values)} | {apart} |")


if __name__ == "__main__":
    main()
