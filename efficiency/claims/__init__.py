"""What the article claims, restated as questions over stored results; the project grew out of that article.

base           what a claim, a case of it and a verdict are
here           this machine's results, as claims ask for them
asking         one question of one heat
back_ends      which FP32 row an INT8 row is held against
quantization, dynamic, qat, modes, precision, drift, architectures     the claims
plan           what would have to be measured, as few studies
kinds          dynamic, static and QAT side by side
"""

from efficiency.claims import architectures, drift, dynamic, modes, precision, qat, quantization
from efficiency.claims.base import WORDS, Case, Claim, Figure, Judged, Verdict, judged, summary
from efficiency.claims.here import Here, read

__all__ = [
    "ARTICLE", "ARTICLE_HELD", "CLAIMS", "WORDS", "Case", "Claim", "Figure", "Here", "Judged", "Verdict", "judge_all",
    "read", "summary",
]  # fmt: skip

ARTICLE = "This project grew out of an article of 2022 on building efficient AI with PyTorch."
ARTICLE_HELD = f"{ARTICLE} What it claims is held against what was measured on this machine."
"""Which article is meant, wherever one is spoken of."""
_found = [
    *quantization.CLAIMS,
    *dynamic.CLAIMS,
    *qat.CLAIMS,
    *modes.CLAIMS,
    *precision.CLAIMS,
    *drift.CLAIMS,
    *architectures.CLAIMS,
]
CLAIMS: dict[str, Claim] = {claim.key: claim for claim in _found}


def judge_all(here: Here) -> list[Judged]:
    """Every claim, asked of this machine's results."""
    return [judged(claim, here) for claim in CLAIMS.values()]
