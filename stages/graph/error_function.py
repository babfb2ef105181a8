"""The error function, erf(x) = 2/√π · ∫ exp(-t²) dt from 0 to x, which NumPy lacks.

Up to |x| = 1 it is x · P(x²), beyond that 1 - exp(-x²) · Q(3 / (|x| + 3)). P and Q interpolate
erf(√s) / √s and exp(x²) · (1 - erf(x)) at Chebyshev nodes, from s = 0 to 1 and from x = 1 to 6.
Past 6 the result is 1 to the last bit. Each polynomial by itself is off by less than 7e-17, the
result, rounding included, by less than 2 units in the last place: a test measures it. Whatever
the dtype it is computed in float64, by sums, products, quotients and one exponential.
"""

from collections.abc import Sequence

import numpy as np

from stages.graph.value import Array

# From the highest power to the constant; a test computes them again.
P = (
    *(-7.795898827002142e-10, 1.3720064546777686e-08, -1.6208483801871705e-07),
    *(1.6447424703317362e-06, -1.492473690741966e-05, 0.00012055294904839707),
    *(-0.0008548325975389692, 0.0052239776071164225, -0.02686617064323777),
    *(0.11283791670945006, -0.37612638903183543, 1.1283791670955126),
)
Q = (
    *(-0.03550632407102934, 0.23840015648841334, -0.6594411116914638, 0.9724661250761868),
    *(-0.9287694770056107, 0.7256865674590404, -0.2503012017704362, 0.2566677049969386),
    *(0.12083655074181018, 0.18470987676684944, 0.18711353426735305, 0.18814039707960648),
    -2.8802148470534555e-06,
)


def erf(a: Array, out: Array | None = None) -> Array:
    """The error function of every element, in `out` if there is one; NaN of NaN."""
    x = np.minimum(np.abs(a, dtype=np.float64), 6)
    squares = x * x
    near = x * _polynomial(P, squares)
    far = 1 - np.exp(-squares) * _polynomial(Q, 3 / (x + 3))
    result: Array = np.copysign(np.where(x <= 1, near, far), a, out)
    return result


def _polynomial(coefficients: Sequence[float], x: Array) -> Array:
    """By Horner's rule."""
    total = np.full_like(x, coefficients[0])
    for coefficient in coefficients[1:]:
        total *= x
        total += coefficient
    return total
