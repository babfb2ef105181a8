"""The optimizers of torch.optim by hand, named and parametrised like them.

An optimizer is called as `optimizer(parameters, gradients)` and updates the parameters in place.
"""

from stages.optim.adam import Adam
from stages.optim.sgd import SGD

OPTIMIZERS = {"sgd": SGD, "adam": Adam}

__all__ = ["OPTIMIZERS", "SGD", "Adam"]
