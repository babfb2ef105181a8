"""One step of a task's training by numbers: `python -m stages.trace <task> [--step N]`.

The sample, the formula of each node with its numbers, the loss; each gradient with the rule that
gives it, as it is in the code; the update of one parameter, operation by operation; and PyTorch's
numbers beside ours. Small numbers can be followed with a pocket calculator; of a larger array there
is a corner, and its mean and range.
"""

from argparse import ArgumentParser
from typing import Any

from stages.reference.process import start as start_process
from stages.task.command import run
from stages.task.model import Model
from stages.task.optimizers import selected
from stages.task.training import Training
from stages.trace.step import take
from stages.trace.text import written


def main() -> None:
    """Prints the step that the command line asks for."""
    parser = ArgumentParser(prog="python -m stages.trace", description=__doc__)
    parser.add_argument("task", help="a key under `tasks` in params.yaml; its data must be there")
    parser.add_argument(
        "--step", type=int, default=1, metavar="N", help="the N-th step of the training (default 1)"
    )
    parser.add_argument(
        "--sample", type=int, default=1, metavar="I", help="the I-th sample of its batch"
    )
    arguments = parser.parse_args()

    def trace(
        task: str, model: Model, training: Training, optimizer: str, optimizers: dict[str, Any]
    ) -> None:
        place = f"params.yaml: tasks.{task}.optimizers.{optimizer}"
        chosen = selected(optimizer, optimizers)
        step = take(task, model, training, (chosen, place), arguments.step, arguments.sample)
        settings = {"task": task, "step": arguments.step}
        with start_process("stages.trace.step_torch", "native", settings, {}) as process:
            theirs = process.result()
        print("\n".join(written(step, theirs)))

    run(trace, [arguments.task])


if __name__ == "__main__":
    main()
