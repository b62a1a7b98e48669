"""Batches made ahead of the steps that use them, by other processes: on a GPU a step takes less time than its pictures.

What is made is decided by the orders alone, so a run with workers sees the same pictures as one without.
"""

from __future__ import annotations

import multiprocessing as mp
import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection

import torch

from batches import Batch

EACH = 3
"""Orders that a worker has at a time."""


@dataclass(frozen=True)
class Order:
    """One batch. ``depth``: slices, 0 for images, -1 for rows without pictures; ``after``: the seed of the next order."""

    seed: int
    count: int
    depth: int
    talk: bool
    after: int


class Ahead:
    """``make`` in ``workers`` processes (0: in this one, when a batch is taken), results on ``device``. Start it before the GPU is used:
    the workers are forks of this process."""

    def __init__(self, make: Callable[[Order], Batch], workers: int, device: torch.device) -> None:
        self._make, self._device = make, device
        self._lines: list[Connection] = []
        self._workers = []
        for _ in range(workers):
            mine, theirs = mp.Pipe()
            worker = mp.get_context("fork").Process(target=_work, args=(make, theirs), daemon=True)
            worker.start()
            theirs.close()
            self._lines.append(mine)
            self._workers.append(worker)

    def batches(self, orders: Iterator[Order]) -> Iterator[tuple[Order, Batch]]:
        """The batches of ``orders``, in order. To stop early, close the iterator: what was ordered is then waited for and dropped."""
        if not self._lines:
            for order in orders:
                yield order, self._make(order).to(self._device)
            return
        ready: queue.Queue[tuple[Order, Batch] | Exception | None] = queue.Queue(2)
        stop = threading.Event()
        feeder = threading.Thread(target=self._feed, args=(orders, ready, stop), daemon=True)
        feeder.start()
        try:
            while (item := ready.get()) is not None:
                if isinstance(item, Exception):
                    raise item
                yield item
        finally:
            stop.set()
            while feeder.is_alive():
                try:
                    ready.get(timeout=0.1)
                except queue.Empty:
                    pass

    def _feed(self, orders: Iterator[Order], ready: queue.Queue, stop: threading.Event) -> None:
        """Send orders round the workers, collect batches in the same turn."""
        sent: deque[Order] = deque()
        first = 0
        try:
            more = True
            while True:
                while more and not stop.is_set() and len(sent) < EACH * len(self._lines):
                    order = next(orders, None)
                    more = order is not None
                    if order is not None:
                        self._lines[(first + len(sent)) % len(self._lines)].send(order)
                        sent.append(order)
                if not sent:
                    break
                made = self._lines[first % len(self._lines)].recv()
                first += 1
                order = sent.popleft()
                if isinstance(made, Exception):
                    raise made
                if not stop.is_set():
                    ready.put((order, made.to(self._device)))
        except Exception as error:  # noqa: BLE001: whatever it is, the training loop must hear of it
            ready.put(error)
        ready.put(None)


def _work(make: Callable[[Order], Batch], line: Connection) -> None:
    """A worker's life."""
    torch.set_num_threads(1)
    while True:
        try:
            order = line.recv()
        except EOFError:
            return
        try:
            line.send(make(order))
        except Exception as error:  # noqa: BLE001: it is raised in the training process
            line.send(error)
