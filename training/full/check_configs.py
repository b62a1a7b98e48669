"""Checks the configurations of this folder against the projects that will read them, without a GPU.

    pip download --no-deps llamafactory==0.9.5 transformers==5.6.0 verl==0.9.1 -d WHEELS
    pip install hydra-core pyyaml
    python training/full/check_configs.py --wheels WHEELS

LLaMA-Factory: every key is a field of its argument classes (read from the wheel's source, not run) or of transformers'
training arguments (the newest version it allows), the template is one it registers, and dataset_info.json has only keys it knows. verl: Hydra composes
verl_grpo.yaml over the wheel's own ppo_trainer configuration; an unknown key stops it. The reward is called as verl does.
"""

from __future__ import annotations

import argparse
import ast
import importlib.util
import json
import sys
import tempfile
import zipfile
from pathlib import Path

import yaml

HERE = Path(__file__).resolve().parent


def fields_of(folder: Path) -> set[str]:
    """Annotated names in the bodies of all classes of a folder's modules."""
    names: set[str] = set()
    for path in folder.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                names |= {s.target.id for s in node.body if isinstance(s, ast.AnnAssign) and isinstance(s.target, ast.Name)}
    return names


def check_llamafactory(wheel: Path, unpacked: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(unpacked, [n for n in archive.namelist() if n.startswith(("llamafactory/hparams/", "llamafactory/data/"))])
    given = yaml.safe_load((HERE / "llamafactory_sft.yaml").read_text(encoding="utf-8"))
    with zipfile.ZipFile(one(wheel.parent, "transformers-*.whl")) as archive:
        for name in ("training_args.py", "training_args_seq2seq.py"):
            (unpacked / "transformers").mkdir(exist_ok=True)
            (unpacked / "transformers" / name).write_bytes(archive.read(f"transformers/{name}"))
    known = fields_of(unpacked / "llamafactory" / "hparams") | fields_of(unpacked / "transformers")
    faults = [f"llamafactory_sft.yaml: {key} is no argument" for key in given if key not in known]
    template = (unpacked / "llamafactory" / "data" / "template.py").read_text(encoding="utf-8")
    if f'name="{given["template"]}"' not in template:
        faults.append(f"llamafactory_sft.yaml: template {given['template']} is not registered")
    info = json.loads((HERE / "dataset_info.json").read_text(encoding="utf-8"))[given["dataset"]]
    attributes = fields_of(unpacked / "llamafactory" / "data")
    for key in (*info["columns"], *info["tags"], "formatting"):
        if key not in attributes:
            faults.append(f"dataset_info.json: {key} is not known")
    print(f"LLaMA-Factory: {len(given)} keys of {len(known)} known arguments, template {given['template']}")
    return faults


def one(folder: Path, pattern: str) -> Path:
    """The wheel of that name; ends the check where there is none."""
    wheels = sorted(folder.glob(pattern))
    if not wheels:
        sys.exit(f"{folder}: no {pattern}; the first lines of this file tell how to get it")
    return wheels[-1]


def check_verl(wheel: Path, unpacked: Path) -> list[str]:
    from hydra import compose, initialize_config_dir
    from omegaconf import OmegaConf

    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(unpacked, [n for n in archive.namelist() if n.startswith(("verl/trainer/config/", "verl/trainer/__init__"))])
    config = unpacked / "verl" / "trainer" / "config"
    # Composed from inside verl's folder, so that the search path needs no installed verl.
    text = (HERE / "verl_grpo.yaml").read_text(encoding="utf-8").replace("pkg://verl.trainer.config", config.as_uri())
    (config / "readroom_grpo.yaml").write_text(text, encoding="utf-8")
    try:
        with initialize_config_dir(str(config), version_base=None):
            made = compose("readroom_grpo", overrides=["actor_rollout_ref.model.path=SFT_MODEL"])
            base = compose("ppo_trainer")
    except Exception as error:  # Hydra raises many kinds; all of them are a fault of the configuration.
        return [f"verl_grpo.yaml: {error}"]
    given = OmegaConf.create(yaml.safe_load(text))
    faults = [f"verl_grpo.yaml: {key} is unknown to verl" for key in paths(OmegaConf.to_container(given)) if not known(base, key)]
    print(f"verl: composed; {made.algorithm.adv_estimator}, KL {made.actor_rollout_ref.actor.kl_loss_coef} "
          f"{made.actor_rollout_ref.actor.kl_loss_type}, {made.actor_rollout_ref.rollout.n} answers a question")
    return faults


def paths(tree: object, above: str = "") -> list[str]:
    """Dotted names of all values."""
    if not isinstance(tree, dict):
        return [above]
    return [p for key, value in tree.items() if above or key not in ("hydra", "defaults")
            for p in paths(value, f"{above}.{key}" if above else str(key))]


def known(config: object, dotted: str) -> bool:
    node = config
    for key in dotted.split("."):
        if key not in node.keys():  # type: ignore[attr-defined]
            return False
        node = node._get_node(key)  # type: ignore[attr-defined]
    return True


def check_reward() -> list[str]:
    spec = importlib.util.spec_from_file_location("verl_reward", HERE / "verl_reward.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    score = module.compute_score(data_source="x", solution_str="<think>a</think>\nB. ring", ground_truth="B", extra_info={})
    return [] if score["score"] == 1.0 else [f"verl_reward.py: {score}"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wheels", type=Path, required=True)
    folder = parser.parse_args().wheels
    faults = check_reward()
    with tempfile.TemporaryDirectory() as name:
        for pattern, check in (("llamafactory-*.whl", check_llamafactory), ("verl-*.whl", check_verl)):
            faults += check(one(folder, pattern), Path(name))
    print("\n".join(faults) or "the configurations fit")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
