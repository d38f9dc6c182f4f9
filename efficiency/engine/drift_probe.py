"""One variant under every shift and grade: its answers, and what happens to its calibrated ranges. Child side."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from efficiency.engine.child import Message, Send

if TYPE_CHECKING:
    import torch

    from efficiency.techniques.base import Prepared

BATCH = 250


def run(asked: Message, send: Send) -> None:
    """Sends a message for every cell, shift × grade; grade 0 once, as the shift `none`.

    Techniques that calibrate are calibrated anew on shifted, unlabelled rows as well, and answer a second time. What
    ranges do to test rows is told under `ranges`, and to the rows that they were learned from under `fitted`, which is
    what the former is judged by; after calibrating anew, under `recalibrated_ranges` and `recalibrated_fitted`.
    """
    import numpy as np
    import torch

    from efficiency import workloads
    from efficiency.condition import Condition
    from efficiency.drift import shifts
    from efficiency.engine import arrays, inputs
    from efficiency.techniques import compose
    from efficiency.techniques.base import Data
    from efficiency.workloads import checkpoints

    torch.manual_seed(asked["seed"])
    workload = workloads.get(asked["workload"])
    dataset = workload.dataset(asked["dataset"])
    condition, keys, seed = Condition(), tuple(asked["techniques"]), int(asked["seed"])
    reference = checkpoints.load(workload, dataset)
    torch.set_num_threads(asked["threads"])

    rows, labels = (t.numpy() for t in inputs.encoded(workload, dataset, condition, "test", asked["test_rows"]))
    calibration, calibration_labels = (
        t.numpy() for t in inputs.encoded(workload, dataset, condition, "calibration", asked["calibration_rows"])
    )
    sample = torch.from_numpy(rows[:1])

    def prepared_on(unlabelled: Any) -> tuple[Prepared, dict[str, torch.Tensor]]:
        data = Data(
            lambda: torch.from_numpy(unlabelled),
            lambda: inputs.encoded(workload, dataset, condition, "train", asked["training_rows"]),
            seed,
        )
        learned = compose.learn(keys, reference, sample, data)
        return compose.prepare(keys, reference, sample, learned), learned

    def spanned(learned: dict[str, torch.Tensor], by: torch.Tensor) -> dict[str, dict[str, float]]:
        return compose.ranges(keys, reference, sample, learned, by.split(BATCH))

    def learned_from() -> torch.Tensor:
        """The rows that the first ranges are from, their labels left aside."""
        if calibrates:
            return torch.from_numpy(calibration)
        return inputs.encoded(workload, dataset, condition, "train", asked["training_rows"])[0]

    send({"doing": "preparing"})
    ours, learned = prepared_on(calibration)
    calibrates = compose.calibrates(keys)
    cells = [("none", 0)] + [(key, grade) for key in asked["shifts"] for grade in shifts.GRADES]
    for number, (key, grade) in enumerate(cells):
        send({"doing": f"shift {number + 1} of {len(cells)}", "share": number / len(cells)})
        shift = shifts.get(key) if grade else None
        moved, stayed = shift.of_grade(rows, labels, grade, seed) if shift else (rows, np.arange(len(rows)))
        inputs_now, right = torch.from_numpy(moved), labels[stayed]
        cell: dict[str, Any] = {
            "shift": key,
            "grade": grade,
            "rows": arrays.to_text(stayed.astype("uint32")),
            "correct": arrays.to_text(_correct(ours, inputs_now, right)),
            "ranges": spanned(learned, inputs_now),
        }
        if not grade and cell["ranges"]:
            cell["fitted"] = spanned(learned, learned_from())
        if calibrates and shift:
            unlabelled, _ = shift.of_grade(calibration, calibration_labels, grade, seed + 1)
            anew, learned_anew = prepared_on(unlabelled)
            cell["recalibrated_correct"] = arrays.to_text(_correct(anew, inputs_now, right))
            if cell["ranges"]:
                cell["recalibrated_ranges"] = spanned(learned_anew, inputs_now)
                cell["recalibrated_fitted"] = spanned(learned_anew, torch.from_numpy(unlabelled))
        send({"cell": cell})


def _correct(prepared: Prepared, inputs: torch.Tensor, labels: Any) -> Any:
    """For every row whether it is answered right, [N] uint8."""
    from efficiency.measure import accuracy

    with ExitStack() as session:
        for manager in prepared.session:
            session.enter_context(manager())
        predicted = accuracy.predictions(prepared.caller(), inputs.split(BATCH))
    return (predicted == labels).astype("uint8")
