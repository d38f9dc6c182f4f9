"""What is to be shipped of each workload and condition of a study, as its report tells it, with the recipe.

The answer is that of the page Overview: of Decide with the study's tolerance as its only limit. A recipe is text and
made without torch; a workload of a user's own file is described by running that file in a child process, as for every
recipe.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from efficiency import decisions, recipes, techniques
from efficiency.analysis import decision_words, limit_words
from efficiency.analysis.choice import Answer, Row
from efficiency.best import usual
from efficiency.errors import EfficiencyError
from efficiency.recipes import header, naming
from efficiency.recipes.stored import Wanted
from efficiency.results.store import Store, StudyRecord
from efficiency.study import BASELINE
from efficiency.tolerance import tolerance_of

NO_RECIPE = "There is no recipe: "


@dataclass(frozen=True)
class Shipped:
    """The answer for one workload under one condition."""

    title: str
    said: str
    """The answer's sentence, as the page Decide has it under that limit."""
    script: str = ""
    """The recipe, a complete script; empty where there is none."""
    why_none: str = ""
    """A sentence in its place."""
    beside: str = ""
    """The files that the script reads, and the command that makes them."""


def of(store: Store, study: StudyRecord, rows: pd.DataFrame) -> list[Shipped]:
    """One for each workload and condition of a study's rows, as `views.prepared` has them; none of training."""
    limits = usual(tolerance_of(study.asked))
    return [_shipped(store, case.title, case.answer(limits)) for case in decisions.of_study(store, study.id, rows)]


def said(study: StudyRecord, trained: bool) -> str:
    """How it was chosen and what a recipe is, or why nothing is shipped."""
    if trained:
        return (
            "Training steps were timed, and nothing of them is shipped. Each row has a recipe, a script that takes the "
            f"study's steps: `python -m efficiency recipe {study.id} VARIANT`."
        )
    limits = limit_words.asked(usual(tolerance_of(study.asked)))
    return (
        f"The fastest that surely or probably keeps to the usual limits ({limits}), as the page Overview has "
        "it. Its recipe is a complete script that rebuilds it from the trained FP32 weights with public APIs alone, "
        "without this program."
    )


def _shipped(store: Store, title: str, answer: Answer) -> Shipped:
    if answer.last.kind == "empty":
        return Shipped(title, "", why_none=f"{NO_RECIPE}nothing was measured that could be shipped.")
    told, winner = decision_words.sentence(answer), answer.last.winner
    if winner is None:
        verdict = decision_words.verdict(answer)
        return Shipped(title, told, why_none=f"{NO_RECIPE}{verdict[0].lower()}{verdict[1:]}.")
    if winner["variant"] == BASELINE:
        return Shipped(title, told, why_none=f"{NO_RECIPE}the model stays as it is.")
    if unknown := [key for key in str(winner["variant"]).split("+") if key not in techniques.TECHNIQUES]:
        return Shipped(title, told, why_none=f"{NO_RECIPE}this version does not know {' and '.join(unknown)} any more.")
    try:
        wanted = recipes.wanted(winner, store.study(str(winner["study_id"])))
        return Shipped(title, told, wanted.script, beside=_beside(wanted, winner))
    except EfficiencyError as error:
        return Shipped(title, told, why_none=f"{NO_RECIPE}{str(error).removeprefix(NO_RECIPE)}")


def _beside(wanted: Wanted, winner: Row) -> str:
    lines = header.files(techniques.in_order(wanted.keys), wanted.condition)
    *names, last = (line.removeprefix("- ").partition(":")[0] for line in lines)
    command = naming.command("recipe", winner, "--bundle", f"{wanted.workload.key}-{winner['variant']}.zip")
    return (
        f"Beside the script have to lie {', '.join(names)} and {last}; its first lines say what is in them. Where the "
        f"study is stored, `{command}` writes the script and all of them into one zip."
    )
