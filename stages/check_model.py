"""The gradient of a task's model, three ways, as check_gradients has it of every operation."""

from functools import partial

from stages.proofs.claims import claims_of_model, say_what_fails
from stages.proofs.formulas import task_formulas
from stages.proofs.gradients import worst
from stages.task.checks import GradientChecks
from stages.task.command import read_section, run
from stages.task.files import Files, write_metrics
from stages.task.model import Model
from stages.task.table import read_table


def main(task: str, model: Model) -> None:
    """Writes metrics/<task>/gradients.json, see `worst`; a gradient that is wrong is said, too."""
    checks = read_section(GradientChecks, "checks", "gradients")
    files = Files(task)
    formulas = partial(task_formulas, model, read_table(files.train), checks.seed)
    metrics = worst(formulas, checks.step)
    write_metrics(files.gradients, metrics)
    say_what_fails(claims_of_model(task, metrics))


if __name__ == "__main__":
    run(main)
