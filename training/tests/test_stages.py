"""Reward, rollouts and losses of the later stages. Run as ``test_data.py`` says."""

from __future__ import annotations

import unittest

import torch
from PIL import Image

import anatomy
import vocabulary
from data import simple
from evaluate import Runner
from export import load_model
from grpo import FOLDER, advantages, grpo_loss
from muon import Muon
from reward import letter_of, reward
from rollout import find_box, roll_out
from scenes import Painter
from sequence import Encoder, log_probabilities

MODEL = load_model(FOLDER).eval()
PAINTER = Painter(anatomy.load())
ENCODER = Encoder(vocabulary.load(FOLDER))


class Rewards(unittest.TestCase):
    def test_answer_and_format(self) -> None:
        box = "<|box_start|>[1,2,3,4]<|box_end|>"
        self.assertEqual(reward(f"<think>{box}</think>\nB. ring", "B").total, 1.0)
        self.assertAlmostEqual(reward(f"<think>{box}</think>\nC. ring", "B").total, 0.2)
        self.assertAlmostEqual(reward("<think>no end B. ring", "B").total, 0.9)
        self.assertAlmostEqual(reward("<|box_start|>[1,2 B", "B").total, 0.9)
        self.assertEqual(reward("", "B").total, 0.0)
        # The released rule takes the first letter that stands alone, and so does this one.
        self.assertEqual(letter_of("This is a lesion. B."), "A")

    def test_advantages(self) -> None:
        self.assertTrue(torch.equal(advantages([0.2, 0.2, 0.2]), torch.zeros(3)))
        values = advantages([1.0, 0.2, 0.2, 1.0])
        self.assertAlmostEqual(float(values.sum()), 0.0, places=5)
        self.assertGreater(float(values[0]), 0.0)


class Loss(unittest.TestCase):
    def test_it_pushes_towards_the_better_answer_and_back_to_the_reference(self) -> None:
        now = torch.tensor([-1.0, -1.0], requires_grad=True)
        loss, kl, clipped = grpo_loss(now, now.detach(), now.detach(), torch.tensor([1.0, -1.0]), 0.2, 0.01)
        loss.sum().backward()
        assert now.grad is not None
        self.assertTrue(now.grad[0] < 0 < now.grad[1])
        self.assertTrue(torch.equal(kl, torch.zeros(2)))
        self.assertFalse(bool(clipped.any()))
        drifted = torch.tensor([-0.5], requires_grad=True)
        grpo_loss(drifted, drifted.detach(), torch.tensor([-1.0]), torch.zeros(1), 0.2, 1.0)[0].sum().backward()
        assert drifted.grad is not None
        self.assertGreater(float(drifted.grad[0]), 0.0)

    def test_a_ratio_beyond_the_clip_has_no_gradient(self) -> None:
        now = torch.tensor([0.5], requires_grad=True)
        loss, _, clipped = grpo_loss(now, torch.tensor([0.0]), now.detach(), torch.tensor([1.0]), 0.2, 0.0)
        loss.sum().backward()
        self.assertTrue(bool(clipped[0]))
        assert now.grad is not None
        self.assertEqual(float(now.grad[0]), 0.0)


class Matrices(unittest.TestCase):
    def test_batched_steps_are_pytorchs(self) -> None:
        torch.manual_seed(0)
        ours = [torch.nn.Parameter(torch.randn(shape)) for shape in ((8, 24), (8, 24), (24, 8), (16, 16))]
        theirs = [torch.nn.Parameter(p.detach().clone()) for p in ours]
        mine = Muon([{"params": ours}], lr=0.01, weight_decay=0.02, momentum=0.95)
        other = torch.optim.Muon([{"params": theirs}], lr=0.01, weight_decay=0.02, momentum=0.95, adjust_lr_fn="match_rms_adamw")
        for _ in range(4):
            for p, q in zip(ours, theirs):
                p.grad = torch.randn(p.shape)
                q.grad = p.grad.clone()
            mine.step()
            other.step()
        for p, q in zip(ours, theirs):
            # PyTorch iterates in bfloat16: four steps of about 0.01 an entry, each to some 1 %.
            self.assertLess(float((p - q).detach().abs().max()), 2e-3)


class Rolling(unittest.TestCase):
    def test_greedy_rollouts_are_the_evaluations_runs(self) -> None:
        runner = Runner(MODEL, ENCODER)
        for seed, three_d in ((3, False), (4, False), (5, True)):
            record = simple.make(PAINTER, seed, three_d, False)
            prompt = ENCODER.prompt(record.system, "<image>" * len(record.pictures) + record.user, record.pictures)
            answers = roll_out(MODEL, ENCODER, prompt, record.pictures, 2, 0.0, torch.Generator())
            alone = runner.run(record.user, record.pictures, three_d)
            for answer in answers:
                self.assertEqual(answer.text, alone.text.removesuffix("<|im_end|>"))

    def test_log_probabilities_are_those_of_the_rollout(self) -> None:
        record = simple.make(PAINTER, 3, False, False)
        prompt = ENCODER.prompt(record.system, "<image>" * len(record.pictures) + record.user, record.pictures)
        answers = roll_out(MODEL, ENCODER, prompt, record.pictures, 3, 1.0, torch.Generator().manual_seed(5))
        self.assertGreater(len({a.text for a in answers}), 1)
        with torch.no_grad():
            together = log_probabilities(MODEL, ENCODER, prompt, [a.segment for a in answers])
            for answer, one in zip(answers, together):
                alone = log_probabilities(MODEL, ENCODER, prompt, [answer.segment])[0]
                self.assertEqual(len(one), sum(answer.segment.taught))
                self.assertTrue(torch.allclose(one, alone, atol=1e-4))

    def test_boxes(self) -> None:
        self.assertEqual(find_box("<|box_start|>[1,2,3,4]<|box_end|> <|box_start|>(5,6,7,8)<|box_end|>"), [5, 6, 7, 8])
        self.assertEqual(find_box("<|box_start|>[1,2,3]<|box_end|>"), [])

    def test_a_taught_turn_has_no_crop_tokens_in_its_loss(self) -> None:
        record = simple.make(PAINTER, 3, False, True)
        text = "".join(p + "<image>" * len(c) for p, c in zip(record.pieces, [*record.crops, []]))
        segment = ENCODER.segment(text, [c for crops in record.crops for c in crops], True)
        taught = {t for t, mine in zip(segment.ids, segment.taught) if mine}
        self.assertNotIn(ENCODER.pad, taught)
        self.assertEqual(sum(t == ENCODER.pad for t in segment.ids), 16 * len(record.crops))
        with self.assertRaises(ValueError):
            ENCODER.segment("<image>", [], True)
        self.assertEqual(len(ENCODER.segment("<image>", [Image.new("L", (300, 200))], True).pictures), 1)


if __name__ == "__main__":
    unittest.main()
