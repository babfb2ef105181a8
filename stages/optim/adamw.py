"""AdamW: Adam whose weight decay shrinks the parameters themselves, past the running means.

    p = (1 - lr · weight_decay) · p
    p = p - Adam's step along ∇f(p)               (see adam.py)

Loshchilov and Hutter, "Decoupled weight decay regularization", ICLR 2019.
"""

from dataclasses import field

from stages.optim.adam import Adam
from stages.optim.bounds import NotNegative, hyperparameters


@hyperparameters
class AdamW(Adam):
    """torch.optim.AdamW in NumPy.

    Its hyperparameters are those of Adam, but for
    weight_decay: the share of the parameters that a step with a learning rate of 1 takes away

    >>> import numpy as np
    >>> parameters = np.array([1.2])
    >>> AdamW(lr=0.1, weight_decay=0.5)(parameters, np.array([2.0]))
    >>> parameters.round(6)
    array([1.04])
    """

    weight_decay: NotNegative = 0.01
    decoupled_weight_decay: bool = field(default_factory=lambda: True, init=False)
