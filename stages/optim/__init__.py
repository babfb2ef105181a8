"""The optimizers of torch.optim by hand, named and parametrised like them.

An optimizer is called as `optimizer(parameters, gradients)` and updates the parameters in place.
Most work element by element and take arrays of any shape. Adafactor and Muon take one array in its
shape, SparseAdam rows of a gradient; LBFGS, which evaluates the model again, takes a closure, too.
"""

from stages.optim.adadelta import Adadelta
from stages.optim.adafactor import Adafactor
from stages.optim.adagrad import Adagrad
from stages.optim.adam import Adam
from stages.optim.adamax import Adamax
from stages.optim.adamw import AdamW
from stages.optim.asgd import ASGD
from stages.optim.lbfgs import LBFGS
from stages.optim.muon import Muon
from stages.optim.nadam import NAdam
from stages.optim.radam import RAdam
from stages.optim.rmsprop import RMSprop
from stages.optim.rprop import Rprop
from stages.optim.sgd import SGD
from stages.optim.sparse_adam import SparseAdam

__all__ = [
    "ASGD",
    "LBFGS",
    "SGD",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Muon",
    "NAdam",
    "RAdam",
    "RMSprop",
    "Rprop",
    "SparseAdam",
]
