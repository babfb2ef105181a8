"""loss.png: train and test loss of both twins, and how far apart their parameters are."""

import numpy as np
from matplotlib.figure import Figure

from stages.figures import style
from stages.figures.history import draw_losses
from stages.figures.learned import Results
from stages.proofs.difference import relative_difference


def draw_loss(results: Results) -> Figure:
    """The losses by epoch above, the largest relative difference of a parameter below."""
    numpy, torch = results.twins["numpy"], results.twins["torch"]
    moments = min(len(numpy.steps), len(torch.steps))
    epochs = np.interp(numpy.steps[:moments], numpy.history["step"], numpy.history["epoch"])
    with np.errstate(all="ignore"):  # the parameters of a diverged training overflow
        differences = np.array(
            [
                max(
                    relative_difference(array[moment], torch.snapshots[name][moment])
                    for name, array in numpy.snapshots.items()
                )
                for moment in range(moments)
            ]
        )
    histories = {name: twin.history for name, twin in results.twins.items()}
    dtype = numpy.snapshots["0.weight"].dtype
    measure = "largest relative\nparameter difference"
    figure = draw_losses(histories, epochs, differences, dtype, measure)
    if results.diverged:
        style.say_diverged(figure.axes[0], results.diverged)
    return figure
