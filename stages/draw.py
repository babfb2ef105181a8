"""Stage `draw`: the pictures of a task, and the animation of its learning."""

from stages.figures.layout import say_diverged
from stages.figures.loss import draw_losses
from stages.figures.style import save
from stages.figures.tasks.fit import draw_fit
from stages.figures.tasks.graph import draw_graph
from stages.figures.tasks.graph_svg import graph_svg
from stages.figures.tasks.learned import read_results
from stages.figures.tasks.learning import draw_moments, write_animation
from stages.figures.tasks.line import configured_line
from stages.models.network import network
from stages.task.command import run
from stages.task.files import Files, write_file
from stages.task.model import Model
from stages.task.parts import Split
from stages.task.source import Source


def main(task: str, data: Source, split: Split, model: Model) -> None:
    """Writes fit.png, loss.png, learning.gif, learning.png, graph.png and graph.svg."""
    plots = Files(task).plots
    results = read_results(task, model)
    configured = None if split.standardize else configured_line(data)
    save(draw_fit(results, configured), plots / "fit.png")
    histories = {name: twin.history for name, twin in results.twins.items()}
    measure = "largest relative\nparameter difference"
    losses = draw_losses(histories, *results.differences, model.dtype, measure)
    say_diverged(losses.axes[0], results.diverged)
    save(losses, plots / "loss.png")
    save(draw_moments(results), plots / "learning.png")
    write_animation(results, plots / "learning.gif")
    train = results.train
    loss = network(model, train.features.shape[1], train.outputs).loss
    save(draw_graph(loss), plots / "graph.png")
    write_file(plots / "graph.svg", graph_svg(loss, task).encode())


if __name__ == "__main__":
    run(main)
