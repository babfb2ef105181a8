"""The schedules of torch.optim.lr_scheduler by hand, named and parametrised like them, and SWALR.

A schedule sets the learning rate of an optimizer, in the place of `optimizer.lr = ...`.
"""

from stages.optim.schedules.cosine import CosineAnnealingLR, CosineAnnealingWarmRestarts
from stages.optim.schedules.cycles import CyclicLR, OneCycleLR
from stages.optim.schedules.decays import ExponentialLR, MultiStepLR, StepLR
from stages.optim.schedules.lambdas import LambdaLR, MultiplicativeLR
from stages.optim.schedules.plateau import ReduceLROnPlateau
from stages.optim.schedules.ramps import ConstantLR, LinearLR, PolynomialLR
from stages.optim.schedules.runs import EachRun
from stages.optim.schedules.sequences import ChainedScheduler, SequentialLR
from stages.optim.schedules.swa import SWALR

__all__ = [
    "SWALR",
    "ChainedScheduler",
    "ConstantLR",
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "CyclicLR",
    "EachRun",
    "ExponentialLR",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "MultiplicativeLR",
    "OneCycleLR",
    "PolynomialLR",
    "ReduceLROnPlateau",
    "SequentialLR",
    "StepLR",
]
