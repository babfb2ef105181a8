"""The gradient of every operation and of every kind of model, three ways.

By the graph, by torch.autograd, and by central differences, which know nothing of derivatives.
torch computes here as it does anywhere, with its own kernels for this processor.
"""

from functools import partial
from pathlib import Path

from stages.proofs.claims import claims_of_gradients, say_what_fails
from stages.proofs.formulas import (
    KINDS_OF_MODELS,
    model_formulas,
    operation_formulas,
    operations,
    refuse_what_is_not_compared,
)
from stages.proofs.gradients import worst
from stages.task.checks import GradientChecks
from stages.task.command import run
from stages.task.files import write_metrics


def main(gradients: GradientChecks) -> None:
    """Writes metrics/gradients.json: for each operation, and each kind of model, the worst case.

    See `worst`. A gradient that is wrong is said, too. Raises InputError for an operation that has
    no case, or no counterpart in torch.
    """
    refuse_what_is_not_compared()
    seed, step = gradients.seed, gradients.step
    metrics = {
        "operations": {
            name: worst(partial(operation_formulas, name, seed), step) for name in operations()
        },
        "models": {
            f"{activation}_{loss}": worst(partial(model_formulas, activation, loss, seed), step)
            for activation, loss in KINDS_OF_MODELS
        },
    }
    write_metrics(Path("metrics", "gradients.json"), metrics)
    say_what_fails(claims_of_gradients(metrics))


if __name__ == "__main__":
    run(main)
