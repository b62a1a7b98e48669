"""``python -m unittest discover -s training/tests -t training`` (from the repository root)."""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import tempfile
import unittest
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pyarrow.parquet as pq
import torch

import anatomy
import vocabulary
from ahead import Ahead, Order
from batches import TRAIN_SEED, Batch, Maker
from data import cross_slice, simple, six_kinds
from data.layout import PLACEHOLDER, SCHEMAS, Dataset, Writer, rows
from data.record import Record
from data.views import ViewMaker
from data.statistics import Statistics
from make_dataset import SPAN, SPLITS, records
from train import FOLDER
from scenes import DEPTH, SIDE, Painter
from talks import six

MAKER = ViewMaker(Painter(anatomy.load()), anatomy.load_labels(), ("thorax", "lung", "brain", "phantom"))


def some(three_d: bool, count: int = 3) -> list[Record]:
    """A few records of every kind."""
    out: list[Record] = []
    for kind in six_kinds.KINDS:
        made = (six_kinds.ask(MAKER.view(s, three_d, 2 if kind in ("size_comparison", "spatial_relation") else None), s, kind, False)
                for s in range(400))
        out += [r for _, r in zip(range(count), (r for r in made if r is not None))]
    return out


class Views(unittest.TestCase):
    def test_the_same_seed_gives_the_same_view(self) -> None:
        for three_d in (False, True):
            one, two = MAKER.view(11, three_d), MAKER.view(11, three_d)
            self.assertTrue(np.array_equal(one.image, two.image))
            self.assertEqual(one.lesions, two.lesions)
            self.assertFalse(np.array_equal(one.image, MAKER.view(12, three_d).image))

    def test_only_the_lesions_pixels_differ_from_the_twin(self) -> None:
        seed = next(s for s in range(50) if (v := MAKER.view(s, True, 2)).twin_kinds != tuple(t.lesion.kind for t in v.lesions if t.lesion))
        view = MAKER.view(seed, True, 2)
        differs = view.image != view.twin
        self.assertTrue(differs.any())
        for thing in view.lesions:
            x1, y1, z1, x2, y2, z2 = thing.box
            step = view.image.shape[1] / SIDE
            # The edge is soft, and slices in which a lesion is under half as wide do not count towards its cuboid.
            differs[max(0, z1 - 2):z2 + 2, int((y1 - 4) * step):int((y2 + 5) * step), int((x1 - 4) * step):int((x2 + 5) * step)] = False
        self.assertFalse(differs.any())

    def test_a_structures_box_is_the_extent_of_its_mask(self) -> None:
        view = next(v for s in range(80) if (v := MAKER.view(s, True, 0)).source == "brain" and v.structures)
        for thing in view.structures:
            x1, y1, z1, x2, y2, z2 = thing.box
            self.assertTrue(0 <= x1 < x2 <= SIDE and 0 <= y1 < y2 <= SIDE and 0 <= z1 < z2 <= DEPTH)
            self.assertLessEqual(thing.fill, (x2 - x1) * (y2 - y1) * (z2 - z1))
        self.assertTrue(set(view.absent).isdisjoint(t.name for t in view.structures))

    def test_left_stays_left(self) -> None:
        for seed in range(120):
            view = MAKER.view(seed, False, 0)
            for thing in view.structures if view.source == "brain" else ():
                other = {t.name: t for t in view.structures}.get(thing.name.replace("left ", "right "))
                if thing.name.startswith("left ") and other is not None:
                    self.assertGreater(thing.centre[0], other.centre[0], f"seed {seed}: {thing.name}")

    def test_stacked_lesions_share_the_plane_and_not_the_slices(self) -> None:
        a, b = sorted(MAKER.view(3, True, 2, stacked=True).lesions, key=lambda t: t.box[2])
        self.assertGreater(b.box[2] - a.box[5], 2)
        self.assertLess(abs(a.centre[0] - b.centre[0]), 6)


class Questions(unittest.TestCase):
    def test_every_kind_is_asked_in_2d_and_3d(self) -> None:
        for three_d in (False, True):
            self.assertEqual({r.kind for r in some(three_d, 1)}, set(six_kinds.KINDS))

    def test_the_turn_reads_back(self) -> None:
        for record in some(False) + some(True):
            text = "".join(record.pieces)
            self.assertEqual(text.count("<|box_start|>"), len(record.boxes))
            self.assertEqual(len(record.crops), len(record.boxes))
            self.assertTrue(text.startswith("<think>") and text.endswith(f"</think>\n{record.letter}. {record.answer}"), text)
            self.assertEqual(len(set(record.options)), len(record.options))
            for box, crops in zip(record.boxes, record.crops):
                self.assertEqual(len(crops), box[5] - box[2] if record.three_d else 1)

    def test_answers_follow_the_geometry(self) -> None:
        asked = 0
        for seed in range(300):
            view = MAKER.view(seed, True, 2)
            record = six_kinds.ask(view, seed, "spatial_relation", False)
            if record is None or record.answer not in ("nearer to the head", "nearer to the feet"):
                continue
            first, second = record.boxes
            higher = first[2] + first[5] > second[2] + second[5]
            self.assertEqual(record.answer, "nearer to the head" if higher else "nearer to the feet")
            asked += 1
        self.assertGreater(asked, 3)

    def test_cross_slice_controls_keep_question_and_answer(self) -> None:
        for kind in cross_slice.KINDS:
            record = next(r for s in range(200) if (r := cross_slice.make(MAKER, s, kind, False)) is not None)
            shuffled, single = (cross_slice.control(record, how, 5) for how in ("shuffled", "single"))
            self.assertEqual((shuffled.question, shuffled.letter), (record.question, record.letter))
            assert record.volume is not None and shuffled.volume is not None and single.volume is not None
            self.assertFalse(np.array_equal(shuffled.volume, record.volume))
            self.assertEqual(sorted(s.tobytes() for s in shuffled.volume), sorted(s.tobytes() for s in record.volume))
            self.assertEqual(len({s.tobytes() for s in single.volume}), 1)

    def test_splits_share_no_seed(self) -> None:
        starts = sorted(SPLITS.values())
        self.assertTrue(all(b - a >= SPAN for a, b in zip(starts, starts[1:])))


class Layout(unittest.TestCase):
    def test_what_is_written_is_read_and_has_the_released_columns(self) -> None:
        made = [*some(False, 1), *some(True, 1), simple.make(MAKER.painter, 4, True, True)]
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            writer = Writer(folder)
            for index, record in enumerate(made):
                writer.sft(record)
                writer.rl(record, "train", index)
            writer.close()
            for split, schema in SCHEMAS.items():
                self.assertEqual(pq.read_schema(next((folder / split).glob("*.parquet"))), schema)
            for row in rows(folder, "sft"):
                self.assertEqual("".join(m["content"] for m in row["messages"]).count(PLACEHOLDER), len(row["image_ids"]))
            data = Dataset(folder)
            for record, taught, asked in zip(made, data.samples("sft"), data.samples("rl"), strict=True):
                self.assertEqual(asked.truth, record.letter)
                self.assertEqual(taught.answer.replace(PLACEHOLDER, ""), "".join(record.pieces))
                self.assertEqual(json.loads(json.dumps(asked.extra["boxes"])), record.boxes)
                wanted = [*record.pictures, *(p for crops in record.crops for p in crops)]
                for one, two in zip(data.pictures(taught), wanted, strict=True):
                    self.assertTrue(np.array_equal(np.asarray(one), np.asarray(two)))
            with self.assertRaises(FileExistsError):
                Writer(folder)


class Practice(unittest.TestCase):
    """Rows without pictures."""

    def test_only_the_end_of_a_conclusion_and_the_letter_of_a_drill_are_taught(self) -> None:
        words = Maker(MAKER, vocabulary.load(FOLDER))
        for tails in words.words(TRAIN_SEED, 24).tails:
            for row in range(len(tails.tokens)):
                mine = tails.loss_at[:, 0] == row
                taught = words.tokenizer.decode(tails.targets[mine].tolist(), skip_special_tokens=False)
                said = words.tokenizer.decode(tails.tokens[row].tolist(), skip_special_tokens=False)
                self.assertIn(taught.removesuffix("<|im_end|>"), said)
                weighed = r"( Asked for [^.]*\.| The larger is [^.]*\.| So the first lies [^.]*\.)?"
                self.assertRegex(taught, rf"^({weighed} Answer: .*,)? [A-D]\.</think>\n[A-D]\. .*<\|im_end\|>$")
                letters = [words.tokenizer.decode([int(t)]).strip() for t in tails.targets[mine][tails.weights[mine] > 1]]
                self.assertEqual(letters, [taught.rsplit("\n", 1)[1][0]] * 2)

    def test_a_view_that_nothing_can_be_said_of_is_passed_by(self) -> None:
        words = Maker(ViewMaker(MAKER.painter, MAKER.labels, ("brain", "phantom")), vocabulary.load(FOLDER), drills=False)
        with patch("batches.six", lambda rng, view, types: None if view.source == "phantom" else six(rng, view, types)):
            made = words.words(TRAIN_SEED, 16)
        self.assertEqual(sum(len(t.tokens) for t in made.tails), 16)

    def test_what_weighs_two_things_says_what_is_so(self) -> None:
        for three_d in (False, True):
            for record in some(three_d, 8):
                boxes, said = record.boxes, record.pieces[-1]
                half = len(boxes[0]) // 2 if boxes else 0
                if record.kind == "spatial_relation":
                    first, second = ([(b[k] + b[half + k]) // 2 for k in range(half)] for b in boxes)
                    for k, words in enumerate((("left", "right"), ("above", "below"), ("nearer to the feet", "nearer to the head"))[:half]):
                        self.assertRegex(said, rf"\b{abs(first[k] - second[k]):02d} (to the |slices )?({'|'.join(words)})")
                    self.assertRegex(said, rf"So the first lies .*{record.answer}.* Answer: {record.answer},")
                if record.kind == "size_comparison":
                    larger = said.split("The larger is ")[1].split(".")[0]
                    self.assertEqual(record.answer == larger, "larger" in record.question)

    def test_batches_made_ahead_are_those_made_in_turn(self) -> None:
        words = Maker(MAKER, vocabulary.load(FOLDER))
        every = [Order(TRAIN_SEED + k * 50, 2, (0, 4, DEPTH)[k % 3], True, 0) for k in range(7)]

        def make(order: Order) -> Batch:
            return words.batch(order.seed, order.count, order.depth, order.talk)

        cpu = torch.device("cpu")
        alone = [b for _, b in Ahead(make, 0, cpu).batches(iter(every))]
        ahead = Ahead(make, 2, cpu)
        helped = list(ahead.batches(iter(every)))
        self.assertEqual([o for o, _ in helped], every)
        for (_, one), two in zip(helped, alone, strict=True):
            self.assertTrue(torch.equal(one.images, two.images))
            self.assertTrue(torch.equal(one.live, two.live))
            for a, b in zip(one.tails, two.tails, strict=True):
                self.assertTrue(torch.equal(a.tokens, b.tokens) and torch.equal(a.targets, b.targets))
        endless = ahead.batches(Order(TRAIN_SEED + k, 1, 0, True, 0) for k in itertools.count())
        first = next(endless)[0]
        endless.close()
        self.assertEqual(first.seed, TRAIN_SEED)
        # What was ordered before and dropped must not turn up later.
        self.assertEqual([o.seed for o, _ in ahead.batches(iter(every[:1]))], [TRAIN_SEED])

    def test_a_worker_that_fails_is_heard(self) -> None:
        def make(order: Order) -> Batch:
            raise ValueError(f"seed {order.seed}")

        with self.assertRaisesRegex(ValueError, "seed 5"):
            list(Ahead(make, 1, torch.device("cpu")).batches(iter([Order(5, 1, 0, True, 0)])))

    def test_a_scan_without_named_structures_leaves_their_kind_out(self) -> None:
        phantoms = ViewMaker(MAKER.painter, MAKER.labels, ("phantom",))
        with contextlib.redirect_stderr(io.StringIO()) as told:
            made = list(itertools.islice(records(phantoms, "six", 0, 0.0, False, Statistics()), 10))
        self.assertNotIn("structure_localisation", {r.kind for r in made})
        self.assertIn("structure_localisation", told.getvalue())


if __name__ == "__main__":
    unittest.main()
