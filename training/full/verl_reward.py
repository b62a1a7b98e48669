"""The reward of ``training/reward.py`` under the name and arguments that verl calls."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parent.parent))

from reward import letter_of, reward  # noqa: E402


def compute_score(data_source: str | None, solution_str: str, ground_truth: str, extra_info: dict[str, Any] | None = None,
                  **_: Any) -> dict[str, Any]:
    """score 0..1 and its parts."""
    found = reward(solution_str, ground_truth)
    return {"score": found.total, "answer_reward": found.answer, "format_reward": found.form,
            "pred_choice": letter_of(solution_str), "gt_choice": letter_of(ground_truth)}
