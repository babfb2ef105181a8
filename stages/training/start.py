"""Where both twins start: the initial parameters, drawn once, as the model on the graph has them.

Of the graph this takes what it declares: names, shapes, and how each parameter starts.
"""

from stages.models.network import network
from stages.task.model import Model
from stages.task.table import Table
from stages.training.plan import Start, stream


def start(model: Model, seed: int, train: Table) -> Start:
    """The initial parameters by name, of a model for samples such as those of `train`.

    They are drawn in the order of their declaration, in float64, and then rounded: whichever dtype
    the model has, they are the same numbers.
    """
    graph = network(model, train.features.shape[1], train.outputs).graph
    return Start(graph.draw_parameters(stream(seed, 0)), seed)
