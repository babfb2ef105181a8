"""Names every mistake in params.yaml: `make repro` runs `python -m stages.task` first.

DVC reads the file before any stage does. Where dvc.yaml names a section that is not there, as that
of a task that was removed and that `checks.training.task` still names, it would only say which
parameters "are missing".
"""

from stages.task.command import plain_errors
from stages.task.parameters import read_parameters

if __name__ == "__main__":
    with plain_errors():
        read_parameters()
