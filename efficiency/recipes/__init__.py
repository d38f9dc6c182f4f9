"""Recipes: a variant as a script that anyone can run without this project, and the files that it reads. No torch here.

of(techniques, workload, condition)    the script, as text
wanted(row, study)                     what a stored row asks for; `.script` is its recipe
bundle.make(wanted, place)             a zip with the script, weights, rows and requirements
"""

from efficiency.recipes.script import of
from efficiency.recipes.stored import Wanted, wanted

__all__ = ["Wanted", "of", "wanted"]
