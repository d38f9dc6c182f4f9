"""The reference made ready: data at hand, checkpoint found or trained, timed inputs written. Child side."""

from __future__ import annotations

from typing import Any

from efficiency.engine.child import Message, Send


def run(asked: Message, send: Send) -> None:
    """Asked for a workload and a data set, `anew` to train again, and `samples` to write.

    Answers with the card and, for samples of inference, with what their preparation follows from.
    """
    import torch
    from safetensors.torch import save_file

    from efficiency import workloads
    from efficiency.condition import Condition
    from efficiency.engine import inputs, reference_content
    from efficiency.errors import DataUnavailable
    from efficiency.workloads import cards, checkpoints

    workload = workloads.get(asked["workload"])
    torch.set_num_threads(asked["threads"])
    dataset = workload.dataset(asked["dataset"])

    def progress(what: str, share: float) -> None:
        send({"progress": what, "share": share})

    if reason := dataset.why_not():
        if dataset.fetch is None:
            raise DataUnavailable(reason)
        dataset.fetch(progress)
    card: dict[str, Any] = {}
    # What a training study trains starts from fresh weights, or from those that a user's model brings along.
    training = any(wanted["condition"]["phase"] == "training" for wanted in asked["samples"])
    if not (workload.trained or training) and (asked["anew"] or cards.find(workload, dataset) is None):
        made = checkpoints.train_and_save(workload, dataset, progress=progress, seed=asked["seed"])
        card["accuracy_pct"] = made.accuracy_pct
        card["train_seconds"] = made.train_seconds
    if workload.trained or not training:
        checkpoints.verify(workload, dataset)
    padding_pct = []
    for wanted in asked["samples"]:
        sample, labels = inputs.sample(workload, dataset, Condition(**wanted["condition"]))
        save_file({"sample": sample, "labels": labels}, wanted["file"])
        padding_pct.append(inputs.padding_pct(workload, sample))
    test = dataset.load("test", None)
    test_rows = len(test)
    if dataset.test_rows is not None and test_rows != dataset.test_rows:
        raise DataUnavailable(
            f"The data set {dataset.key} declares {dataset.test_rows} test rows and gives {test_rows}; "
            "mend its declaration."
        )
    answer: Message = {"card": card, "test_rows": test_rows, "padding_pct": padding_pct}
    if any(wanted["condition"]["phase"] == "inference" for wanted in asked["samples"]):
        answer["content"] = reference_content.of(workload, dataset, checkpoints.load(workload, dataset), test)
    code = answer["content"]["code"] if "content" in answer else reference_content.code(workload)
    send(answer | {"code_digest": code or None})
