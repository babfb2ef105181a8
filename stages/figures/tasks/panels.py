"""Which panel suits a task."""

from collections.abc import Sequence

from matplotlib.axes import Axes

from stages.figures.tasks.attention import attends, attention_panel
from stages.figures.tasks.classification import confusion_panel, region_panel
from stages.figures.tasks.learned import Results
from stages.figures.tasks.panel import Panel
from stages.figures.tasks.regression import line_panel, measured_panel


def panel_of(results: Results, axes: Axes, moments: Sequence[int]) -> Panel:
    """The panel that suits the task's target and number of features, on `axes`."""
    features = results.train.features.shape[1]
    if attends(results):
        return attention_panel(results, axes, moments)
    if results.train.classes is None:
        make = line_panel if features == 1 else measured_panel
    else:
        plane = features == 2 and results.train.target.ndim == 1
        make = region_panel if plane else confusion_panel
    return make(results, axes, moments)
