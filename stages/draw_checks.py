"""Stage `draw_checks`: pictures of what the checks against torch found."""

from pathlib import Path

from stages.figures.checks.drift import draw_drift
from stages.figures.checks.rosenbrock import draw_paths
from stages.figures.checks.variants import draw_variants
from stages.figures.style import save
from stages.task.command import run
from stages.task.files import read_history
from stages.task.variants import read_variants
from stages.task.walks import read_walks


def main() -> None:
    """Writes plots/optimizers/rosenbrock.png and variants.png, and plots/training/drift.png."""
    optimizers, training = Path("plots", "optimizers"), Path("plots", "training")
    paths = read_walks(Path("data", "rosenbrock.safetensors"))
    variants = read_variants(optimizers / "variants.csv")
    first = {row.optimizer: row.variant for row in reversed(variants)}
    save(draw_paths(paths, first), optimizers / "rosenbrock.png")
    save(draw_variants(variants), optimizers / "variants.png")
    save(draw_drift(read_history(training / "drift.csv", "step")), training / "drift.png")


if __name__ == "__main__":
    run(main)
