"""Deliberate mistakes in the optimizers: the comparison with torch finds each of them.

It is that of the stage over the variants in params.yaml, and of a few arrays of other shapes, see
replay.py. tests/optim/mutants.py makes small mistakes by the thousand.
"""

from collections.abc import Iterator
from textwrap import dedent, indent

import pytest

from tests.optim.replay import SOURCES, Replay

STEPS = 40  # of each variant: the last mistake to be found is found at step 19

# By file: what is wrong, the lines of the file that are, and what they become.
MISTAKES = {
    "sgd": """
lr in place of 1 - dampening
- np.multiply(g, self._undampened, scratch)
+ np.multiply(g, self._lr, scratch)

dampened at step 1
- np.copyto(buffer, g)
+ np.multiply(g, self._undampened, buffer)

dampened without momentum
- undampened = np.where(np.equal(self.momentum, 0), 1.0, 1 - self.dampening)
+ undampened = np.where(False, 1.0, 1 - self.dampening)

not dampened
- undampened = np.where(np.equal(self.momentum, 0), 1.0, 1 - self.dampening)
+ undampened = np.where(np.equal(self.momentum, 0), 1.0, 1.0)

the look-ahead forgotten
- if not self.nesterov:
+ if True:

always looking ahead
- if not self.nesterov:
+ if False:

the look-ahead without the gradient
- return np.add(g, scratch, self._gradient)
+ return scratch

the momentum starts a step late
- if self.steps == 1:
+ if self.steps <= 2:

a momentum of 1
- np.multiply(buffer, self._momentum, buffer)

lr in double precision
- self._lr = rounded(self.lr, parameters)
+ self._lr = np.float64(self.lr)
""",
    "adam": """
eps under the root
- denominator = np.sqrt(v, self._denominator)
+ denominator = np.sqrt(v + self._eps, self._denominator)

eps before the correction
- denominator = np.sqrt(v, self._denominator)
+ denominator = np.add(np.sqrt(v), self._eps, self._denominator)

the correction of the mean one step late
- correction1 = 1 - power(self.beta1, self.steps)
+ correction1 = 1 - power(self.beta1, self.steps + 1)

the correction of the mean square one step early
- correction2 = power(1 - power(self.beta2, self.steps), 0.5)
+ correction2 = power(1 - power(self.beta2, self.steps - 1), 0.5)

no correction of the mean
- np.multiply(m, rounded(self.lr / correction1, m), scratch)
+ np.multiply(m, rounded(self.lr, m), scratch)

no root of the correction
- correction2 = power(1 - power(self.beta2, self.steps), 0.5)
+ correction2 = power(1 - power(self.beta2, self.steps), 1.0)

β₁ for the mean square
- self._mean_square = MeanSquare(self.beta2, parameters)
+ self._mean_square = MeanSquare(self.beta1, parameters)

β₁ for 1 - β₁
- self._towards = Lerp(1 - self.beta1, parameters)
+ self._towards = Lerp(self.beta1, parameters)

the largest mean square is forgotten
- v = np.maximum(self._largest_v, v, out=self._largest_v)
+ v = np.maximum(self._largest_v, v)

the smallest mean square
- v = np.maximum(self._largest_v, v, out=self._largest_v)
+ v = np.minimum(self._largest_v, v, out=self._largest_v)

amsgrad ignored
- if self.amsgrad:
+ if False:

amsgrad in place of v
- v = np.maximum(self._largest_v, v, out=self._largest_v)
+ v = np.maximum(self._largest_v, v, out=v)

the largest root after its correction
- denominator = np.sqrt(v, self._denominator)
- np.divide(denominator, rounded(correction2, v), denominator)
+ denominator = np.sqrt(self._v, self._denominator)
+ np.divide(denominator, rounded(correction2, v), denominator)
+ if self.amsgrad:
+     self._w = np.maximum(getattr(self, '_w', 0), denominator)
+     np.copyto(denominator, self._w)

m / denominator · lr
- np.multiply(m, rounded(self.lr / correction1, m), scratch)
- np.divide(scratch, denominator, scratch)
+ np.divide(m, denominator, scratch)
+ np.multiply(scratch, rounded(self.lr / correction1, m), scratch)

lr · m / correction
- np.multiply(m, rounded(self.lr / correction1, m), scratch)
+ np.multiply(m, rounded(self.lr, m), scratch)
+ np.divide(scratch, rounded(correction1, m), scratch)

the decoupled decay is not decoupled
- decoupled_lr = self.lr if self.decoupled_weight_decay else None
+ decoupled_lr = None

always decoupled
- decoupled_lr = self.lr if self.decoupled_weight_decay else None
+ decoupled_lr = self.lr

the mean does not move
- self._towards(m, g, scratch)

the step size in double precision
- np.multiply(m, rounded(self.lr / correction1, m), scratch)
+ np.multiply(m, np.float64(self.lr / correction1), scratch)
""",
    "adamw": """
the decay on the gradient
- decoupled_weight_decay=True,
+ decoupled_weight_decay=False,

the default of Adam
- weight_decay: Hyperparameter = 0.01,
+ weight_decay: Hyperparameter = 0.0,

maximize ignored
- maximize=maximize,
+ maximize=False,

amsgrad ignored
- amsgrad,
+ False,
""",
    "adamax": """
eps outside the maximum
- np.add(scratch, self._eps, scratch)
- np.maximum(u, scratch, out=u)
+ np.maximum(u, scratch, out=u)
+ np.add(u, self._eps, u)

the largest gradient is never forgotten
- np.multiply(u, self._beta2, u)

it is forgotten twice as fast
- np.multiply(u, self._beta2, u)
+ u *= self._beta2 * self._beta2

no correction
- np.multiply(m, rounded(self.lr / correction, m), scratch)
+ np.multiply(m, rounded(self.lr, m), scratch)

the gradient, not its size
- np.absolute(g, scratch)
+ np.copyto(scratch, g)
""",
    "nadam": """
Adam's root of the correction
- denominator = np.divide(v, rounded(correction, v), self._denominator)
- np.sqrt(denominator, denominator)
+ denominator = np.divide(np.sqrt(v), rounded(power(correction, 0.5), v), self._denominator)

μ of the wrong step
- mu, mu_next = self._mu(self.steps), self._mu(self.steps + 1)
+ mu, mu_next = self._mu(self.steps - 1), self._mu(self.steps)

the product without the next μ
- product, product_next = self._mu_product, self._mu_product * mu_next
+ product, product_next = self._mu_product, self._mu_product

the product in double precision
- self._mu_product = single(self._mu_product * single(mu))
+ self._mu_product = self._mu_product * mu

μ not rounded before the product
- self._mu_product = single(self._mu_product * single(mu))
+ self._mu_product = single(self._mu_product * mu)

the next product in single precision
- product, product_next = self._mu_product, self._mu_product * mu_next
+ product, product_next = self._mu_product, single(self._mu_product * mu_next)

one step for both directions
- for step_size, direction in zip(self._step_sizes(), (g, m), strict=True):
+ for step_size, direction in zip(self._step_sizes(), (m, m), strict=True):

0.96 for β₁
- return self.beta1 * (1 - 0.5 * power(0.96, step * self.momentum_decay))
+ return self.beta1 * (1 - 0.5 * power(self.beta1, step * self.momentum_decay))

lr not multiplied first
- return self.lr * (1 - mu) / (1 - product), self.lr * mu_next / (1 - product_next)
+ return self.lr * ((1 - mu) / (1 - product)), self.lr * mu_next / (1 - product_next)
""",
    "radam": """
rectified from ρ > 4
- if not rho > 5:
+ if not rho > 4:

rectified from ρ > 6
- if not rho > 5:
+ if not rho > 6:

never rectified
- if rectified.any():
+ if False:

a ρ∞ without its 1
- rho_inf = 2 / (1 - beta2) - 1
+ rho_inf = 2 / (1 - beta2)

the root of r forgotten
- return math.pow(squared, 0.5)
+ return squared

eps under the root
- factor = np.sqrt(self._v, self._factor)
- np.add(factor, self._eps, factor)
+ factor = np.sqrt(self._v + self._eps, self._factor)

a division in place of the reciprocal
- np.reciprocal(factor, factor)
- np.multiply(factor, rounded(correction, factor), factor)
+ np.divide(rounded(correction, factor), factor, factor)

ρ of the step before
- rho = rho_inf - 2 * self.steps * beta2**self.steps / (1 - beta2**self.steps)
+ rho = rho_inf - 2 * (self.steps - 1) * beta2**(self.steps - 1) / (1 - beta2**self.steps)

lr before the correction
- np.divide(m, rounded(1 - power(self.beta1, self.steps), m), scratch)
- np.multiply(scratch, self._lr, scratch)
+ np.multiply(m, rounded(self.lr / (1 - power(self.beta1, self.steps)), m), scratch)
""",
    "adagrad": """
lr decays from the first step on
- lr = self.lr / (1 + (self.steps - 1) * self.lr_decay)
+ lr = self.lr / (1 + self.steps * self.lr_decay)

lr does not decay
- lr = self.lr / (1 + (self.steps - 1) * self.lr_decay)
+ lr = self.lr / 1

an empty sum at the start
- self._sum += rounded(self.initial_accumulator_value, parameters)
+ pass

a mean in place of the sum
- np.add(s, scratch, s)
+ np.add(s * 0.5, scratch, s)

eps under the root
- np.sqrt(s, denominator)
- np.add(denominator, self._eps, denominator)
+ np.sqrt(s + self._eps, denominator)

g / denominator · lr
- np.multiply(g, rounded(lr, g), scratch)
- np.divide(scratch, denominator, scratch)
+ np.divide(g, denominator, scratch)
+ np.multiply(scratch, rounded(lr, g), scratch)
""",
    "adadelta": """
eps outside the first root
- np.add(self._square_average, self._eps, scratch)
- np.sqrt(scratch, scratch)
+ np.sqrt(self._square_average, scratch)
+ np.add(scratch, self._eps, scratch)

the new step under its own root
- np.add(self._step_average, self._eps, step)
+ self._mean_square(self._step_average, g, step)
+ np.add(self._step_average, self._eps, step)

the steps with lr
- self._mean_square(self._step_average, step, scratch)
- np.multiply(step, self._lr, scratch)
+ np.multiply(step, self._lr, step)
+ self._mean_square(self._step_average, step, scratch)
+ np.copyto(scratch, step)

the root of the quotient
- np.sqrt(scratch, scratch)
- np.add(self._step_average, self._eps, step)
- np.sqrt(step, step)
- np.divide(step, scratch, step)
+ np.add(self._step_average, self._eps, step)
+ np.divide(step, scratch, step)
+ np.sqrt(step, step)

the squares of gradients twice
- self._mean_square(self._step_average, step, scratch)
+ self._mean_square(self._step_average, g, scratch)
""",
    "rmsprop": """
eps under the root
- np.sqrt(v, denominator)
- np.add(denominator, self._eps, denominator)
+ np.sqrt(v + self._eps, denominator)

centered ignored
- if self.centered:
+ if False:

the mean not squared
- np.multiply(self._average, self._average, scratch)
+ np.copyto(scratch, self._average)

the centered v is kept
- v = np.subtract(v, scratch, denominator)
+ v = np.subtract(v, scratch, v)

lr before the momentum
- np.divide(g, denominator, scratch)
- np.add(buffer, scratch, buffer)
+ np.divide(g * self._lr, denominator, scratch)
+ np.add(buffer, scratch, buffer)

lr after the division without momentum
- np.multiply(g, self._lr, scratch)  # before the division, as torch
- np.divide(scratch, denominator, scratch)
+ np.divide(g, denominator, scratch)
+ np.multiply(scratch, self._lr, scratch)

the mean the other way
- self._towards = Lerp(1 - self.alpha, parameters)
+ self._towards = Lerp(self.alpha, parameters)
""",
    "rprop": """
the step size of flipped signs kept
- np.maximum(mask, self._shrink, out=factor)
+ factor[...] = 1

a flipped gradient steps
- keep(before, np.not_equal(factor, self._shrink, mask), before)
+ pass

a flipped gradient is remembered
- np.subtract(parameters, scratch, parameters)
+ np.subtract(parameters, scratch, parameters)
+ np.copyto(before, g)

η⁻ and η⁺ exchanged
- self._shrink, self._grow = (rounded(eta, parameters) for eta in self.etas)
+ self._grow, self._shrink = (rounded(eta, parameters) for eta in self.etas)

no largest step
- np.minimum(step, self._largest, out=step)
+ pass

the smallest step after the largest
- np.maximum(step, self._smallest, out=step)
- np.minimum(step, self._largest, out=step)
+ np.minimum(step, self._largest, out=step)
+ np.maximum(step, self._smallest, out=step)

maximize ignored
- if self.maximize:
+ if False:

the gradient, not its sign
- np.multiply(step, sign, scratch)
+ np.multiply(step, before, scratch)
""",
    "asgd": """
η of the present step
- self._eta = single(self.lr / power(1 + self.lambd * self.lr * self.steps, self.alpha))
+ self._eta = single(self.lr / power(1 + self.lambd * self.lr * (self.steps - 1), self.alpha))

η in double precision
- self._eta = single(self.lr / power(1 + self.lambd * self.lr * self.steps, self.alpha))
+ self._eta = (self.lr / power(1 + self.lambd * self.lr * self.steps, self.alpha))

the first η in double precision
- self._eta = single(self.lr)
+ self._eta = self.lr

lr decays the parameters
- np.multiply(parameters, rounded(1 - self.lambd * self._eta, parameters), parameters)
+ np.multiply(parameters, rounded(1 - self.lambd * self.lr, parameters), parameters)

the decay after the step
- np.multiply(parameters, rounded(1 - self.lambd * self._eta, parameters), parameters)
- np.multiply(g, rounded(self._eta, g), scratch)
- np.subtract(parameters, scratch, parameters)
+ np.multiply(g, rounded(self._eta, g), scratch)
+ np.subtract(parameters, scratch, parameters)
+ np.multiply(parameters, rounded(1 - self.lambd * self._eta, parameters), parameters)

μ of the next step
- mu = rounded(single(1 / np.maximum(1.0, self.steps - 1 - self.t0)), parameters)
+ mu = rounded(single(1 / np.maximum(1.0, self.steps - self.t0)), parameters)

averaging begins a step late
- self._copies = max(1, np.min(self.t0) + 2)  # in so many steps the averages are copies
+ self._copies = max(1, np.min(self.t0) + 3)  # in so many steps the averages are copies

alpha forgotten
- self._eta = single(self.lr / power(1 + self.lambd * self.lr * self.steps, self.alpha))
+ self._eta = single(self.lr / power(1 + self.lambd * self.lr * self.steps, 1.0))
""",
    "adafactor": """
the size of the parameters after their decay
- size = self._root_mean_square(parameters)
+ size = self._root_mean_square(parameters * (1 - self.lr * self.weight_decay))

no least size of the parameters
- alpha = max(self.eps2, size) * min(self.lr, 1 / math.pow(self.steps, 0.5))
+ alpha = size * min(self.lr, 1 / math.pow(self.steps, 0.5))

lr with the step, not at most 1 / √t
- alpha = max(self.eps2, size) * min(self.lr, 1 / math.pow(self.steps, 0.5))
+ alpha = max(self.eps2, size) * self.lr

β with the step before
- towards = Lerp(math.pow(self.steps, self.beta2_decay), parameters)
+ towards = Lerp(math.pow(self.steps + 1, self.beta2_decay), parameters)

the running mean the other way
- towards = Lerp(math.pow(self.steps, self.beta2_decay), parameters)
+ towards = Lerp(1 - math.pow(self.steps, self.beta2_decay), parameters)

roots of the mean squares
- towards(self._rows, mean_square(squares, -1), np.empty_like(self._rows))
+ towards(self._rows, np.sqrt(mean_square(squares, -1)), np.empty_like(self._rows))

the mean of the columns
- np.divide(update, np.maximum(mean(self._rows), self._eps1), update)
+ np.divide(update, np.maximum(mean(self._columns.swapaxes(-1, -2)), self._eps1), update)

eps₁ not squared
- self._eps1, self._eps1_squared = rounded(eps1, parameters), rounded(eps1 * eps1, parameters)
+ self._eps1, self._eps1_squared = rounded(eps1, parameters), rounded(eps1, parameters)

eps₁ of float64 for all
- eps1 = float(np.finfo(parameters.dtype).eps)
+ eps1 = float(np.finfo(float).eps)

a division in place of the reciprocal
- np.divide(1, update, update)
- np.multiply(update, g, update)
+ np.divide(g, update, update)

no largest update
- alpha /= max(1.0, self._root_mean_square(update, self.d))

the update always scaled
- alpha /= max(1.0, self._root_mean_square(update, self.d))
+ alpha /= self._root_mean_square(update, self.d) or 1.0

two divisions
- return root / (math.pow(values.size, 0.5) * unit)
+ return root / math.pow(values.size, 0.5) / unit

a decay of the gradient
- self._direction = Direction(parameters, self.weight_decay, self.maximize, self.lr)
+ self._direction = Direction(parameters, self.weight_decay, self.maximize)

a product with the reciprocal
- return np.divide(root, squares.shape[axis], root)
+ return np.multiply(root, 1 / squares.shape[axis], root)

NumPy's sum of squares
- return np.sqrt(in_turn(-1, row_by_row(vectors), squares[..., in_lanes:]))
+ return np.sqrt(squares.sum(axis=-1, keepdims=True))

NumPy's mean
- return np.divide(total[..., None], count)
+ return rows.mean(axis=-2, keepdims=True)

the last few come last
- total = in_turn(-1, values[..., in_lanes:], vector[..., 0, :])
+ total = in_turn(-1, vector[..., 0, :], values[..., in_lanes:])

no blocks
- for _ in range(3):
+ for _ in range(0):
""",
    "sparse_adam": """
eps as in Adam
- parameters[rows] -= step_size * (m / (np.sqrt(v) + self._eps))
+ parameters[rows] -= step_size * (m / (np.sqrt(v) + self._eps * math.sqrt(correction2)))

Adam's mean square
- v = old_v + (g * g - old_v) * self._rest2
+ v = old_v * self._rest1 + g * g * self._rest2

no correction of the mean square
- step_size = rounded(self.lr * math.sqrt(correction2) / correction1, parameters)
+ step_size = rounded(self.lr * 1 / correction1, parameters)

steps counted when there are rows
- self.steps += 1
- if gradients.values.size == 0:
-     return
+ if gradients.values.size == 0:
+     return
+ self.steps += 1

every row decays
- self._m[rows], self._v[rows] = m, v
+ self._m *= self.beta1
+ self._m[rows], self._v[rows] = m, v

lr · m / denominator from the left
- parameters[rows] -= step_size * (m / (np.sqrt(v) + self._eps))
+ parameters[rows] -= step_size * m / (np.sqrt(v) + self._eps)

the last of the same rows counts
- np.add.at(total, place, values)
+ total[place] = values

what has the same row is not added up
- rows, g = self._summed(gradients)
+ rows, g = gradients

maximize ignored
- if self.maximize:
+ if False:
""",
    "muon": """
momentum as a sum, as in the docstring of torch
- self._towards_gradient(self._momentum, gradients, scratch)
+ self._momentum *= self.momentum
+ self._momentum += gradients

the look-ahead forgotten
- if self.nesterov:
+ if False:

the look-ahead the other way
- self._towards_momentum = Lerp(self.momentum, parameters)
+ self._towards_momentum = Lerp(1 - self.momentum, parameters)

the decay after the step
- np.multiply(parameters, self._kept, parameters)
- np.multiply(x, self._lr, scratch)
- np.subtract(parameters, scratch, parameters)
+ np.multiply(x, self._lr, scratch)
+ np.subtract(parameters, scratch, parameters)
+ np.multiply(parameters, self._kept, parameters)

the factor also of the decay
- self._kept = rounded(1 - self.lr * self.weight_decay, parameters)
+ self._kept = rounded(1 - self.lr * factor * self.weight_decay, parameters)

a factor for wide matrices
- factor = math.sqrt(max(1, rows / columns))
+ factor = math.sqrt(max(1, columns / rows))

the smaller side
- factor = 0.2 * math.sqrt(max(rows, columns))
+ factor = 0.2 * math.sqrt(min(rows, columns))

a tall matrix is not transposed
- tall = matrix.shape[0] > matrix.shape[1]
+ tall = False

a square matrix is tall
- tall = matrix.shape[0] > matrix.shape[1]
+ tall = matrix.shape[0] >= matrix.shape[1]

the norm without eps
- x = to_bfloat16(x / np.maximum(norm(x), to_bfloat16(np.asarray(eps))))
+ x = to_bfloat16(x / norm(x))

coefficients in bfloat16
- a, b, c = np.asarray(coefficients, np.float32)
+ a, b, c = to_bfloat16(np.asarray(coefficients))

rounded between b and c
- change = to_bfloat16(b * gram + c * product_by_fours(gram, gram))
+ change = to_bfloat16(to_bfloat16(b * gram) + c * product_by_fours(gram, gram))

the square of the Gram matrix rounded
- change = to_bfloat16(b * gram + c * product_by_fours(gram, gram))
+ change = to_bfloat16(b * gram + c * to_bfloat16(product_by_fours(gram, gram)))

the order of the first sums kept
- product_with_transpose, product_with_x = product_by_registers, product_by_fours
+ pass
""",
    "bfloat16": """
cut off, not rounded
- rounded = (bits + half & 0xFFFF0000).view(np.float32)
+ rounded = (bits & 0xFFFF0000).view(np.float32)

ties away from zero
- half = 0x7FFF + (bits >> 16 & 1)  # of the last place that is kept, less where ties go down
+ half = np.uint32(0x8000)  # of the last place that is kept, less where ties go down

the norm not rounded
- return to_bfloat16(np.sqrt(total))
+ return np.sqrt(total)

one sum in place of four
- sums = _zeros(4, left, right)
+ sums = _zeros(1, left, right)
""",
    "lbfgs": """
the first step not shortened
- self._step *= min(1.0, 1 / np.sum(np.abs(gradient, self._scratch)))
+ self._step *= 1.0

every call shortens its first step
- if self.iterations == 1:
+ if iteration == 1:

pairs of any curvature
- if curvature > 1e-10:
+ if True:

H begins as 1
- self._scale = curvature / np.dot(y, y)
+ self._scale = 1.0

H begins with sᵀs
- self._scale = curvature / np.dot(y, y)
+ self._scale = np.dot(s, s) / curvature

the newest pair first in both loops
- for (s, y, rho), alpha in zip(self._pairs, reversed(alphas), strict=True):
+ for (s, y, rho), alpha in zip(self._pairs, alphas, strict=True):

α with y
- alpha = np.dot(s, d) * rho
+ alpha = np.dot(y, d) * rho

the history one too long
- if len(self._pairs) > self.history_size:
+ if len(self._pairs) > self.history_size + 1:

the oldest pair stays
- self._next_pair = self._pairs.pop(0)[:2]
+ self._next_pair = self._pairs.pop(-2)[:2]

evaluated after the last iteration
- if iteration < self.max_iter:
+ if True:

the sum of the slopes' sizes
- largest: float = np.abs(values, self._scratch).max()
+ largest: float = np.abs(values, self._scratch).sum()

a looser decrease
- SUFFICIENT_DECREASE, CURVATURE = 1e-4, 0.9
+ SUFFICIENT_DECREASE, CURVATURE = 1e-3, 0.9

a tighter curvature
- SUFFICIENT_DECREASE, CURVATURE = 1e-4, 0.9
+ SUFFICIENT_DECREASE, CURVATURE = 1e-4, 0.1

the weak Wolfe condition
- return abs(point.slope) <= -CURVATURE * start.slope
+ return -point.slope <= -CURVATURE * start.slope

the first trial may rise
- risen = too_high(new) or (tried > 1 and new.loss >= before.loss)
+ risen = too_high(new) or (tried > 0 and new.loss >= before.loss)

the bracket grows fourfold
- bounds = new.step + 0.01 * (new.step - before.step), new.step * 10
+ bounds = new.step + 0.01 * (new.step - before.step), new.step * 4

the zoom by halves
- step = cubic_minimum(bracket[0], bracket[1])
+ step = (left + right) / 2

no margin in the zoom
- margin = 0.1 * (right - left)
+ margin = 0.0 * (right - left)

the line search ends at its last point
- return bracket[low]
+ return new

a zoom that never turns around
- bracket[high] = bracket[low]
+ pass

the cubic's maximum
- share = (b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2)
+ share = (b.slope - d2 - d1) / (b.slope - a.slope + 2 * d2)

a division where torch takes the reciprocal
- return 1 / divisor * number if isinstance(divisor, np.floating) else number / divisor
+ return number / divisor if isinstance(divisor, np.floating) else number / divisor
""",
    "arithmetic": """
maximize ignored
- if self._maximize:
+ if False:

the penalty of the negated gradient
- g = np.add(g, self._scratch, self._gradient)
+ g = np.subtract(g, self._scratch, self._gradient)

the decay without lr
- kept = weight_decay if decoupled_lr is None else 1 - decoupled_lr * weight_decay
+ kept = weight_decay if decoupled_lr is None else 1 - weight_decay

p - decay · p
- np.multiply(parameters, self._factor, parameters)
+ np.subtract(parameters, parameters * (1 - self._factor), parameters)

(1 - decay) · (g · g)
- np.multiply(values, self._rest, scratch)
- np.multiply(scratch, values, scratch)
+ np.multiply(values, values, scratch)
+ np.multiply(scratch, self._rest, scratch)

1 - decay of the rounded decay
- self._decay, self._rest = rounded(decay, parameters), rounded(1 - decay, parameters)
+ self._decay, self._rest = rounded(decay, parameters), 1 - rounded(decay, parameters)

a mean square by interpolation
- np.multiply(mean, self._decay, mean)
- np.multiply(values, self._rest, scratch)
- np.multiply(scratch, values, scratch)
- np.add(mean, scratch, mean)
+ mean += self._rest * (values * values - mean)

the interpolation the other way
- np.subtract(end, start, scratch)
+ np.subtract(start, end, scratch)

always from the start
- self._near_end = np.abs(weights) >= 0.5
+ self._near_end = np.abs(weights) >= 2

from the end above ½ only
- self._near_end = np.abs(weights) >= 0.5
+ self._near_end = np.abs(weights) > 0.5

the difference of two products
- np.subtract(end, start, scratch)
- np.multiply(scratch, self._factor, scratch)
+ scratch[...] = end * self._factor - start * self._factor

one run's hyperparameter for all
- return array[:, None] if array.ndim else array
+ return array[:1, None] if array.ndim else array

NumPy's power
- return math.pow(base, exponent)
+ return float(np.float32(base)) ** exponent

the last of each chunk forgotten
- optimizer.chunks = [(slice(at, at + size), copy(optimizer)) for at in starts]
+ optimizer.chunks = [(slice(at, at + size - 1), copy(optimizer)) for at in starts]

no rounding to single precision
- return np.float64(np.float32(value))
+ return np.float64(value)
""",
}

# What is no mistake: it computes the same, for the reason that is given.
EQUIVALENTS = {
    "sgd": """
a product does not depend on the order of its factors
- np.multiply(g, self._lr, scratch)
+ np.multiply(self._lr, g, scratch)
""",
    "adadelta": """
a square is the product of absolute values
- np.multiply(step, g, step)
- self._mean_square(self._step_average, step, scratch)
+ np.multiply(step, g, step)
+ self._mean_square(self._step_average, np.abs(step), scratch)
""",
    "radam": """
a product with 2 is exact, in any order
- rho = rho_inf - 2 * self.steps * beta2**self.steps / (1 - beta2**self.steps)
+ rho = rho_inf - 2 * (self.steps * beta2**self.steps) / (1 - beta2**self.steps)
""",
    "rmsprop": """
what nothing reads may be computed
- if not self._all_have_momentum:
+ if True:
""",
    "adafactor": """
at the first step the weight of the new squares is 1
- self._variance = np.zeros_like(parameters)
+ self._variance = np.ones_like(parameters)
""",
    "sparse_adam": """
NumPy rounds a number of Python's to the dtype of the array
- self._eps = rounded(self.eps, parameters)
+ self._eps = self.eps
""",
    "lbfgs": """
a slope of 0 is flat, and has been taken
- if risen or new.slope >= 0:
+ if risen or new.slope > 0:

the points are sorted by their steps
- step = cubic_minimum(bracket[0], bracket[1])
+ step = cubic_minimum(bracket[1], bracket[0])
""",
    "arithmetic": """
how long a chunk is does not count
- CHUNK = 2**18
+ CHUNK = 2**10
""",
}


def changed(module: str, table: dict[str, str]) -> Iterator[tuple[str, str]]:
    """The words of each change in the table, and the text of the file with it.

    The lines must be there exactly once, but for the indentation of all of them.
    """
    lines = SOURCES[module].splitlines()
    for entry in table[module].strip().split("\n\n"):
        words, *marked = entry.split("\n")
        old = [line[2:] for line in marked if line.startswith("- ")]
        new = [line[2:] for line in marked if line.startswith("+ ")]
        assert len(marked) == len(old) + len(new), words
        (at,) = (
            start
            for start in range(len(lines))
            if dedent("\n".join(lines[start : start + len(old)])) == "\n".join(old)
        )
        margin = lines[at][: -len(old[0])]
        inserted = indent("\n".join(new), margin).splitlines()
        yield words, "\n".join([*lines[:at], *inserted, *lines[at + len(old) :], ""])


@pytest.fixture(scope="module")
def replay() -> Replay:
    return Replay(STEPS)


@pytest.mark.parametrize("module", sorted(set(SOURCES) - {"__init__"}))
def test_the_original_follows_torch(module: str, replay: Replay) -> None:
    assert replay.difference(module, SOURCES[module]) is None


@pytest.mark.parametrize("module", MISTAKES)
def test_each_mistake_is_found(module: str, replay: Replay) -> None:
    for wrong, text in changed(module, MISTAKES):
        assert replay.difference(module, text) is not None, wrong


@pytest.mark.parametrize("module", EQUIVALENTS)
def test_what_computes_the_same_is_the_same(module: str, replay: Replay) -> None:
    for reason, text in changed(module, EQUIVALENTS):
        assert text != SOURCES[module]
        assert replay.difference(module, text) is None, reason


def test_every_file_has_mistakes_in_it() -> None:
    assert sorted(MISTAKES) == sorted(set(SOURCES) - {"__init__"})
