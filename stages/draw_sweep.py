"""Stage `draw_sweep`: the picture of a task's sweep."""

from stages.figures.style import save
from stages.figures.sweeps.heatmap import draw_heatmaps
from stages.figures.sweeps.settings import read_sweep
from stages.figures.sweeps.sweep_losses import draw_sweep
from stages.task.command import run
from stages.task.files import Files


def main(task: str) -> None:
    """Writes sweep.png of a task: its curves, and below them its maps if it has any."""
    files = Files(task)
    sweep = read_sweep(files.curves)
    maps = draw_heatmaps(sweep)
    save(draw_sweep(sweep), files.plots / "sweep.png", *([] if maps is None else [maps]))


if __name__ == "__main__":
    run(main)
