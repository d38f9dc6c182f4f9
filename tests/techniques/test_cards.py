"""Every technique has a card, with every section, and what the card tells people to write runs."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from efficiency import techniques
from efficiency.techniques import TECHNIQUES

SECTIONS = (
    "What it does",
    "When it helps",
    "When it hurts",
    "What it costs",
    "In your own code",
    "Evidence the app looks for",
    "API status",
    "Sources",
)
CARDS = sorted({technique.card for technique in TECHNIQUES.values()})
SNIPPET = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# Each snippet has names of its own. The cards tell of the deprecations, so the warnings are not news.
RUN = "import sys, warnings\nwarnings.simplefilter('ignore')\n"


def _sections(card: Path) -> dict[str, str]:
    parts = re.split(r"^## (.+)$", card.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], (text.strip() for text in parts[2::2]), strict=True))


def test_no_card_is_without_a_technique() -> None:
    assert {card.resolve() for card in CARDS} == set(Path(techniques.__file__).resolve().parent.glob("*.md"))


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.stem)
def test_a_card_has_every_section(card: Path) -> None:
    sections = _sections(card)
    assert tuple(sections) == SECTIONS
    assert all(sections.values())
    assert card.read_text(encoding="utf-8").startswith("# ")
    assert "https://docs.pytorch.org/" in sections["Sources"]


@pytest.mark.parametrize("technique", TECHNIQUES.values(), ids=lambda technique: technique.key)
def test_a_card_gives_the_status_that_is_declared(technique) -> None:
    status = _sections(technique.card)["API status"]
    assert status.lower().startswith(technique.api_status)
    if technique.successor:
        name = re.search(r"\w+_pt2e|quantize_|PT2E|torch\.export", technique.successor)
        assert name is not None
        assert name.group() in status


def test_the_snippets_of_all_cards_run() -> None:
    """In one process, since importing torch is what takes the time."""
    parts = [RUN]
    for card in CARDS:
        found = SNIPPET.findall(card.read_text(encoding="utf-8"))
        assert len(found) == 1, f"{card.name} holds {len(found)} snippets, not one"
        parts.append(f"print({card.name!r}, file=sys.stderr)\nexec({found[0]!r}, {{'__name__': '__main__'}})\n")
    done = subprocess.run([sys.executable, "-"], input="".join(parts), capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr


def test_the_technique_in_the_document_works() -> None:
    import copy

    import torch
    from torch import nn

    from efficiency import workloads
    from efficiency.condition import Condition
    from efficiency.techniques.base import Prepared

    document = Path(__file__).resolve().parents[2] / "docs" / "adding-a-technique.md"
    names: dict = {"__name__": "conv_bn_folding"}
    exec(SNIPPET.findall(document.read_text(encoding="utf-8"))[0], names)
    technique = names["CONV_BN_FOLDING"]
    assert technique.key not in TECHNIQUES, "the document shows a technique that is still to be added"

    layers = (nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(144, 2))
    model, sample = nn.Sequential(*layers), torch.randn(2, 3, 8, 8)
    model(10 * sample + 1)  # Statistics that are worth folding.
    model.eval()

    def prepared(reference: nn.Module) -> Prepared:
        module = copy.deepcopy(reference)
        return Prepared(model=module, module=module, grad_mode=torch.no_grad)

    assert technique.evidence(prepared(model), sample, model).took_effect == "no"
    folded = technique.apply(prepared(model), sample, {})
    torch.testing.assert_close(folded.caller()(sample), model(sample).detach())
    shown = technique.evidence(folded, sample, model)
    assert (shown.took_effect, shown.figures) == ("partly", {"batch_norms_left": 1.0})
    model[3] = nn.Identity()
    assert technique.evidence(technique.apply(prepared(model), sample, {}), sample, model).took_effect == "yes"
    assert technique.why_not(workloads.get("vision-small-cnn"), Condition(), None) is None
    assert "nn.Conv2d" in technique.why_not(workloads.get("lstm-classifier"), Condition(), None)
