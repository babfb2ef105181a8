"""The optimizers of torch.optim by hand, named and parametrised like them.

An optimizer is called as `optimizer(parameters, gradients)` and updates the parameters in place.
"""

from stages.optim.adadelta import Adadelta
from stages.optim.adagrad import Adagrad
from stages.optim.adam import Adam
from stages.optim.adamax import Adamax
from stages.optim.adamw import AdamW
from stages.optim.asgd import ASGD
from stages.optim.nadam import NAdam
from stages.optim.radam import RAdam
from stages.optim.rmsprop import RMSprop
from stages.optim.rprop import Rprop
from stages.optim.sgd import SGD

OPTIMIZERS = {
    "sgd": SGD,
    "adam": Adam,
    "adamw": AdamW,
    "adamax": Adamax,
    "nadam": NAdam,
    "radam": RAdam,
    "adagrad": Adagrad,
    "adadelta": Adadelta,
    "rmsprop": RMSprop,
    "rprop": Rprop,
    "asgd": ASGD,
}

__all__ = [
    "ASGD",
    "OPTIMIZERS",
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "NAdam",
    "RAdam",
    "RMSprop",
    "Rprop",
]
