"""What there is to see of a task below its model and how good that is."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from matplotlib.figure import Figure

from stages.figures.tasks import attention, images
from stages.figures.tasks.learned import Results


@dataclass(frozen=True)
class Details:
    """What is drawn at the bottom of a figure.

    height: the room that it needs, in inches
    """

    height: float
    draw: Callable[[Figure], None]


def details_of(results: Results) -> Details:
    """Images with the filters for them, attention, or nothing."""
    train = results.train
    if train.classes is not None and train.target.ndim == 1:
        shape = images.image_shape(train.feature_names)
        if shape is not None:
            return Details(images.HEIGHT, partial(images.draw_images, results, shape))
    if attention.attends(results):
        return Details(attention.HEIGHT, partial(attention.draw_attention, results))
    return Details(0, lambda figure: None)
