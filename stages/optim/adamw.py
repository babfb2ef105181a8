"""AdamW: Adam whose weight decay shrinks the parameters themselves, past the running means.

    p = (1 - lr · weight_decay) · p
    p = p - Adam's step along ∇f(p)               (see adam.py)

Loshchilov and Hutter, "Decoupled weight decay regularization", ICLR 2019.
"""

from stages.optim.adam import Adam
from stages.optim.arithmetic import Hyperparameter


class AdamW(Adam):
    """torch.optim.AdamW in NumPy.

    lr: learning rate
    betas: decay rates of the running means of the gradient and of its square, in [0, 1)
    eps: added to the denominator
    weight_decay: the share of the parameters that a step with a learning rate of 1 takes away
    amsgrad: divide by the largest mean square so far
    maximize: climb instead of descend

    Every number may be an array with one value for each run, of parameters (runs, n).
    Raises ValueError for betas out of their range and for any other number below 0.

    >>> import numpy as np
    >>> parameters = np.array([1.2])
    >>> AdamW(lr=0.1, weight_decay=0.5)(parameters, np.array([2.0]))
    >>> parameters.round(6)
    array([1.04])
    """

    def __init__(
        self,
        lr: Hyperparameter = 1e-3,
        betas: tuple[Hyperparameter, Hyperparameter] = (0.9, 0.999),
        eps: Hyperparameter = 1e-8,
        weight_decay: Hyperparameter = 0.01,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            maximize=maximize,
            decoupled_weight_decay=True,
        )
