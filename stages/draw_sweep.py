"""Stage `draw_sweep`: the pictures of a task's sweep."""

from stages.figures.style import save
from stages.figures.sweeps.heatmap import draw_heatmaps
from stages.figures.sweeps.settings import read_sweep
from stages.figures.sweeps.sweep_losses import draw_sweep
from stages.task.command import run
from stages.task.files import Files


def main(task: str) -> None:
    """Writes sweep.png and sweep_heatmap.png of a task."""
    files = Files(task)
    sweep = read_sweep(files.curves)
    save(draw_sweep(sweep), files.plots / "sweep.png")
    save(draw_heatmaps(sweep), files.plots / "sweep_heatmap.png")


if __name__ == "__main__":
    run(main)
