"""The files that a recipe reads: weights, rows to answer, rows to learn from. Child side."""

from __future__ import annotations

from pathlib import Path

from efficiency.engine.child import Message, Send

ROWS = 64
"""Rows to answer: enough to see that the scores are right."""


def run(asked: Message, send: Send) -> None:
    """Asked for a workload, its data set, a condition and rows to learn from; writes into `folder`.

    Where `weights` is a digest, the model has to have these weights still.
    """
    import torch
    from safetensors.torch import save_file

    from efficiency import workloads
    from efficiency.condition import Condition
    from efficiency.engine import inputs, reference_content
    from efficiency.errors import CheckpointRefused, DataUnavailable
    from efficiency.workloads import checkpoints

    workload = workloads.get(asked["workload"])
    dataset = workload.dataset(asked["dataset"])
    condition, folder = Condition(**asked["condition"]), Path(asked["folder"])
    if reason := dataset.why_not():
        raise DataUnavailable(reason)

    def write(name: str, tensors: dict[str, torch.Tensor]) -> None:
        # Safetensors takes no memory that two of them share, as tied weights do.
        whole = {key: value.detach().clone(memory_format=torch.contiguous_format) for key, value in tensors.items()}
        save_file(whole, folder / f"{name}.safetensors")

    if condition.phase == "inference":
        model = checkpoints.load(workload, dataset)
        if asked["weights"] is not None and asked["weights"] != reference_content.weights(model):
            raise CheckpointRefused(
                f"The checkpoint of {workload.name} on {dataset.key} is not the one that this row was measured with; "
                "run the study again."
            )
        write("weights", model.state_dict())
    calls = -(-ROWS // condition.batch_size)
    rows, _ = inputs.encoded(workload, dataset, condition, "test", calls * condition.batch_size)
    if condition.phase == "inference":  # a compiled variant takes whole batches alone
        whole = len(rows) // condition.batch_size * condition.batch_size
        rows = rows[:whole] if whole else inputs.sample(workload, dataset, condition)[0]
    write("inputs", {"inputs": rows})
    if count := asked["calibration_rows"]:
        write("calibration", {"inputs": inputs.encoded(workload, dataset, condition, "calibration", count)[0]})
    if count := asked["training_rows"]:
        rows, labels = inputs.encoded(workload, dataset, condition, "train", count)
        write("training", {"inputs": rows, "labels": labels})
    send({"files": sorted(path.name for path in folder.iterdir())})
