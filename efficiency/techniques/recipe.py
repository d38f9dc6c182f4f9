"""What a technique adds to the script that rebuilds or trains a variant with public APIs alone (`recipes/`)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    """Parts of a Python script, as text, which refer to each other by the names in these descriptions.

    The script has the constants `FOLDER`, `BATCH_SIZE`, `THREADS` and `SEED`, and finds `calibration.safetensors` or
    `training.safetensors` in `FOLDER` where the technique learns from them.
    """

    model: str = ""
    """Statements that find the model so far in `model` and the timed input in `sample`, and leave the new one in
    `model`."""
    convert: str = ""
    """Statements that make what the model takes of `inputs`, in `inputs`, at every call."""
    answer: str = ""
    """The call, an expression of `model` and `inputs`; `model(inputs)` where no technique says otherwise."""
    around: str = ""
    """A context manager entered at every call."""
    grad_mode: str | None = None
    """The one in place of `torch.no_grad()`; empty where the call is not PyTorch's."""
    session: str = ""
    """A statement that sets a switch once."""
    imports: tuple[str, ...] = ()
    """Lines that the parts need."""
    uses: tuple[str, ...] = ()
    """`module:name` of functions of this project that the parts call, copied with all that they need."""
    packages: tuple[str, ...] = ()
    """Packages that PyTorch asks for when the parts run, beside those that are imported."""

    def then(self, later: Recipe) -> Recipe:
        """This one and the other after it."""
        return Recipe(
            model=self.model + later.model,
            convert=self.convert + later.convert,
            answer=later.answer or self.answer,
            around=later.around or self.around,
            grad_mode=self.grad_mode if later.grad_mode is None else later.grad_mode,
            session=later.session or self.session,
            imports=self.imports + later.imports,
            uses=self.uses + later.uses,
            packages=self.packages + later.packages,
        )
