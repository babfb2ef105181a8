"""What changed between two revisions: parameters, stages, metrics, proofs and plots.

A revision is anything that git or DVC has a name for: a branch, a commit, a tag, an experiment. The
review is printed as Markdown, and written to review/review.md and review/review.html, with its
pictures beside them. gates.yaml says which change of a metric is noise and which is a failure.

Exit code: 0 if the review passes; 1 if it fails, because of a metric, a proof that does not hold or
a file that a clone would lack; 2 if the revisions cannot be compared.
"""

import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from pathlib import Path

from dvc.exceptions import DvcException
from dvc.repo import Repo

from stages.review.differences import sections
from stages.review.folder import write_review
from stages.review.gates import FILE, read_gates
from stages.review.metrics import compare
from stages.review.page import Review
from stages.review.plots import changed_plots, curves
from stages.review.proofs import claims
from stages.review.revision import WORKSPACE, changed_files, read_revision
from stages.review.stages import stages_run
from stages.task.command import plain_errors
from stages.task.errors import InputError


def main() -> None:
    """Reviews what the command line asks for."""
    parser = ArgumentParser(
        prog="python -m stages.review",
        description=__doc__,
        formatter_class=RawDescriptionHelpFormatter,
    )
    parser.add_argument("base", metavar="BASE", help="the revision before")
    parser.add_argument(
        "head", metavar="HEAD", nargs="?", default=WORKSPACE, help="after (default: the workspace)"
    )
    parser.add_argument(
        "--unchanged",
        action="store_true",
        help="require the same metrics: improvements, new and missing metrics fail as well",
    )
    parser.add_argument(
        "--images",
        metavar="URL",
        help="link to committed pictures at this address, which contains {commit} and {path}",
    )
    arguments = parser.parse_args()
    try:
        with plain_errors():
            review = compared(arguments.base, arguments.head, unchanged=arguments.unchanged)
            print(write_review(review, arguments.images), end="")
    except SystemExit as stop:  # plain_errors exits with 1, which here means that the review fails
        if isinstance(stop.code, str):
            print(stop.code, file=sys.stderr)
            sys.exit(2)
        raise
    sys.exit(review.failed)


def compared(base: str, head: str, *, unchanged: bool = False) -> Review:
    """Compares two revisions of the repository in the current folder.

    An experiment with a target ran only some stages: only the results of these are compared.
    Raises InputError if the revisions cannot be compared.
    """
    try:
        with Repo() as repo:
            if Path(repo.root_dir) != Path.cwd():
                raise InputError(f"the review must run in the root of the project, {repo.root_dir}")
            old, new = read_revision(repo, base), read_revision(repo, head)
    except DvcException as error:
        raise InputError(" ".join(str(error).split())) from None
    if new.behind and not new.is_experiment:
        more = f" and {len(new.behind) - 3} more" if len(new.behind) > 3 else ""
        raise InputError(
            f"{new.name}: {', '.join(new.behind[:3])}{more}: not the results of this code and "
            "these parameters; run `dvc repro`"
        )
    place = FILE if new.name == WORKSPACE else f"{new.name}: {FILE}"
    if new.gates is None:
        raise InputError(f"{place}: not found; it says what the review makes of a metric")
    gates = read_gates(new.gates, place)
    not_run = [new.stages[stage] for stage in new.behind]
    old, new = old.without_results_of(not_run), new.without_results_of(not_run)
    files = changed_files(old.commit, new)
    plots = changed_plots(old.plots, new.plots)
    return Review(
        old=old,
        new=new,
        parameters=sections(old.parameters, new.parameters),
        stages=stages_run(old, new, files),
        metrics=compare(old.metrics, new.metrics, gates, unchanged=unchanged),
        claims=claims(new),
        plots=plots,
        curves=[plot for plot in plots if curves(plot.old) or curves(plot.new)],
        gates_changed=FILE in files,
    )


if __name__ == "__main__":
    main()
