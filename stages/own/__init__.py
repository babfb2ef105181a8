"""Optimizers of your own: DVC watches the files here, and params.yaml names the classes in them.

A class is called as `optimizer(parameters, gradients)` and updates the parameters in place; its
hyperparameters are the arguments of its constructor. stages/training/optimizer.py says what else
it may ask for.
"""
