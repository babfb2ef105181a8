"""Deliberate mistakes in the optimizers, each a way in which a formula may be misread.

They are of the kinds that mutants.py does not make by itself. By file: what is wrong, the lines of
the file that are, and what they become.
"""

MISTAKES = {
    "sgd": """
lr in place of 1 - dampening
- np.multiply(g, self._undampened, scratch)
+ np.multiply(g, self._lr, scratch)

dampened at step 1
- buffer[self._follows] = g[self._follows]
+ buffer[self._follows] = (self._undampened * g)[self._follows]

dampened without momentum
- self._follows = rows(rests | begins)  # their update is the gradient itself
+ self._follows = rows(begins)

the look-ahead without the gradient
- g = np.add(g, scratch, scratch)
+ g = scratch

the momentum starts a step late
- self._has_buffer = self._has_buffer | moves
+ self._has_buffer = self._has_buffer | moves & (self.steps > 0)

lr in double precision
- self._lr, self._momentum = rounded(self.lr, parameters), rounded(self.momentum, parameters)
+ self._lr, self._momentum = np.float64(self.lr), rounded(self.momentum, parameters)
""",
    "adam": """
eps under the root
- np.sqrt(v, denominator)
+ np.sqrt(v + self._eps, denominator)

eps before the correction
- np.sqrt(v, denominator)
+ np.add(np.sqrt(v), self._eps, denominator)

the correction of the mean one step late
- self._step_size = rounded(self.lr / (1 - power(beta1, self.steps)), parameters)
+ self._step_size = rounded(self.lr / (1 - power(beta1, self.steps + 1)), parameters)

no correction of the mean
- self._step_size = rounded(self.lr / (1 - power(beta1, self.steps)), parameters)
+ self._step_size = rounded(self.lr, parameters)

the correction of the mean square one step early
- self._correction = rounded(power(1 - power(beta2, self.steps), 0.5), parameters)
+ self._correction = rounded(power(1 - power(beta2, self.steps - 1), 0.5), parameters)

no root of the correction
- self._correction = rounded(power(1 - power(beta2, self.steps), 0.5), parameters)
+ self._correction = rounded(power(1 - power(beta2, self.steps), 1.0), parameters)

β₁ for 1 - β₁
- self._towards = Lerp(1 - beta1, parameters)
+ self._towards = Lerp(beta1, parameters)

amsgrad in place of v
- v = np.maximum(largest_v, v, out=largest_v)
+ v = np.maximum(largest_v, v, out=v)

the largest root after its correction
- np.sqrt(v, denominator)
- np.divide(denominator, self._correction, denominator)
+ np.sqrt(self.state["exp_avg_sq"], denominator)
+ np.divide(denominator, self._correction, denominator)
+ if self._amsgrad:
+     np.maximum(largest_v, denominator, out=largest_v)
+     np.copyto(denominator, largest_v)

m / denominator · lr
- np.multiply(m, self._step_size, scratch)
- np.divide(scratch, denominator, scratch)
+ np.divide(m, denominator, scratch)
+ np.multiply(scratch, self._step_size, scratch)

lr · m / correction
- np.multiply(m, self._step_size, scratch)
+ np.multiply(m, rounded(self.lr, m), scratch)
+ np.divide(scratch, rounded(1 - power(self.betas[0], self.steps), m), scratch)

the step size in double precision
- np.multiply(m, self._step_size, scratch)
+ np.multiply(m, np.float64(self.lr / (1 - power(self.betas[0], self.steps))), scratch)
""",
    "adamw": """
the default of Adam
- weight_decay: NotNegative = 0.01
+ weight_decay: NotNegative = 0.0
""",
    "adamax": """
eps outside the maximum
- np.add(scratch, self._eps, scratch)
- np.maximum(u, scratch, out=u)
+ np.maximum(u, scratch, out=u)
+ np.add(u, self._eps, u)

it is forgotten twice as fast
- np.multiply(u, self._beta2, u)
+ u *= self._beta2 * self._beta2

no correction
- self._step_size = rounded(self.lr / (1 - power(beta1, self.steps)), parameters)
+ self._step_size = rounded(self.lr, parameters)

the gradient, not its size
- np.absolute(g, scratch)
+ np.copyto(scratch, g)
""",
    "nadam": """
Adam's root of the correction
- np.divide(v, self._correction, denominator)
- np.sqrt(denominator, denominator)
+ np.divide(np.sqrt(v), np.sqrt(self._correction), denominator)

μ of the wrong step
- mu, mu_next = self._mu(self.steps), self._mu(self.steps + 1)
+ mu, mu_next = self._mu(self.steps - 1), self._mu(self.steps)

the product without the next μ
- product, product_next = self._mu_product, self._mu_product * mu_next
+ product, product_next = self._mu_product, self._mu_product

the product in double precision
- self._mu_product = single(self._mu_product * single(mu))
+ self._mu_product = self._mu_product * mu

the next product in single precision
- product, product_next = self._mu_product, self._mu_product * mu_next
+ product, product_next = self._mu_product, single(self._mu_product * mu_next)

one direction for both steps
- for step_size, direction in ((self._step_size_of_g, g), (self._step_size_of_m, m)):
+ for step_size, direction in ((self._step_size_of_g, m), (self._step_size_of_m, m)):

β₁ for 0.96
- return beta1 * (1 - 0.5 * power(0.96, step * self.momentum_decay))
+ return beta1 * (1 - 0.5 * power(beta1, step * self.momentum_decay))
""",
    "radam": """
rectified from ρ > 4
- if not rho > 5:
+ if not rho > 4:

a ρ∞ without its 1
- rho_inf = 2 / (1 - beta2) - 1
+ rho_inf = 2 / (1 - beta2)

the root of r forgotten
- return math.pow(squared, 0.5)
+ return squared

eps under the root
- np.sqrt(v, factor)
- np.add(factor, self._eps, factor)
+ np.sqrt(v + self._eps, factor)

a division in place of the reciprocal
- np.reciprocal(factor, factor)
- np.multiply(factor, self._correction2, factor)
+ np.divide(self._correction2, factor, factor)

ρ of the step before
- rho = rho_inf - 2 * self.steps * beta2**self.steps / (1 - beta2**self.steps)
+ rho = rho_inf - 2 * (self.steps - 1) * beta2**(self.steps - 1) / (1 - beta2**self.steps)

lr before the correction
- np.divide(m, self._correction1, scratch)
- np.multiply(scratch, self._lr, scratch)
+ np.multiply(m, rounded(self.lr / (1 - power(self.betas[0], self.steps)), m), scratch)
""",
    "adagrad": """
lr decays from the first step on
- self._step_size = rounded(self.lr / (1 + (self.steps - 1) * self.lr_decay), parameters)
+ self._step_size = rounded(self.lr / (1 + self.steps * self.lr_decay), parameters)

lr does not decay
- self._step_size = rounded(self.lr / (1 + (self.steps - 1) * self.lr_decay), parameters)
+ self._step_size = rounded(self.lr, parameters)

a mean in place of the sum
- np.add(s, scratch, s)
+ np.add(s * 0.5, scratch, s)

eps under the root
- np.sqrt(s, denominator)
- np.add(denominator, self._eps, denominator)
+ np.sqrt(s + self._eps, denominator)

g / denominator · lr
- np.multiply(g, self._step_size, scratch)
- np.divide(scratch, denominator, scratch)
+ np.divide(g, denominator, scratch)
+ np.multiply(scratch, self._step_size, scratch)
""",
    "adadelta": """
eps outside the first root
- np.add(v, self._eps, scratch)
- np.sqrt(scratch, scratch)
+ np.sqrt(v, scratch)
+ np.add(scratch, self._eps, scratch)

the new step under its own root
- np.add(u, self._eps, step)
+ self._mean_square(u, g, step)
+ np.add(u, self._eps, step)

the steps with lr
- self._mean_square(u, step, scratch)
- np.multiply(step, self._lr, scratch)
+ np.multiply(step, self._lr, step)
+ self._mean_square(u, step, scratch)
+ np.copyto(scratch, step)

the root of the quotient
- np.sqrt(scratch, scratch)
- np.add(u, self._eps, step)
- np.sqrt(step, step)
- np.divide(step, scratch, step)
+ np.add(u, self._eps, step)
+ np.divide(step, scratch, step)
+ np.sqrt(step, step)

the squares of gradients twice
- self._mean_square(u, step, scratch)
+ self._mean_square(u, g, scratch)
""",
    "rmsprop": """
eps under the root
- np.sqrt(v, denominator)
- np.add(denominator, self._eps, denominator)
+ np.sqrt(v + self._eps, denominator)

the mean not squared
- np.multiply(m, m, scratch)
+ np.copyto(scratch, m)

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

η⁻ and η⁺ exchanged
- self._shrink, self._grow = (rounded(eta, parameters) for eta in self.etas)
+ self._grow, self._shrink = (rounded(eta, parameters) for eta in self.etas)

the smallest step after the largest
- np.maximum(step, self._smallest, out=step)
- np.minimum(step, self._largest, out=step)
+ np.minimum(step, self._largest, out=step)
+ np.maximum(step, self._smallest, out=step)

the gradient, not its sign
- np.multiply(step, sign, scratch)
+ np.multiply(step, before, scratch)
""",
    "asgd": """
lr decays the parameters
- self._eta, self._kept = rounded(eta, parameters), rounded(1 - lambd * eta, parameters)
+ self._eta, self._kept = rounded(eta, parameters), rounded(1 - lambd * lr, parameters)

the decay after the step
- np.multiply(p, self._kept, p)
- np.multiply(g, self._eta, scratch)
- np.subtract(p, scratch, p)
+ np.multiply(g, self._eta, scratch)
+ np.subtract(p, scratch, p)
+ np.multiply(p, self._kept, p)

μ of the next step
- self._next_mu = 1.0 if self._next_copies else single(1 / np.maximum(1.0, t - self.t0))
+ self._next_mu = 1.0 if self._next_copies else single(1 / np.maximum(1.0, t + 1 - self.t0))

the rate of the same step
- eta, self._copies = self._next_eta, self._next_copies
+ eta = single(each(_rate, lr, 1 + lambd * lr * t, alpha))
+ self._copies = self._next_copies

alpha forgotten
- self._next_eta = single(each(_rate, lr, 1 + lambd * lr * t, alpha))
+ self._next_eta = single(each(_rate, lr, 1 + lambd * lr * t, 1.0))
""",
    "adafactor": """
the size of the parameters after their decay
- size = self._root_mean_square(parameters)
+ size = self._root_mean_square(parameters * (1 - self.lr * self.weight_decay))

no least size of the parameters
- alpha = max(eps2, size) * min(self.lr, 1 / math.pow(self.steps, 0.5))
+ alpha = size * min(self.lr, 1 / math.pow(self.steps, 0.5))

lr with the step, not at most 1 / √t
- alpha = max(eps2, size) * min(self.lr, 1 / math.pow(self.steps, 0.5))
+ alpha = max(eps2, size) * self.lr

β with the step before
- towards = Lerp(math.pow(self.steps, self.beta2_decay), parameters)
+ towards = Lerp(math.pow(self.steps + 1, self.beta2_decay), parameters)

the running mean the other way
- towards = Lerp(math.pow(self.steps, self.beta2_decay), parameters)
+ towards = Lerp(1 - math.pow(self.steps, self.beta2_decay), parameters)

roots of the mean squares
- towards(rows, mean_square(squares, -1), np.empty_like(rows))
+ towards(rows, np.sqrt(mean_square(squares, -1)), np.empty_like(rows))

the mean of the columns
- np.divide(update, np.maximum(mean(rows), self._eps1), update)
+ np.divide(update, np.maximum(mean(columns.swapaxes(-1, -2)), self._eps1), update)

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
- means[rows], squares[rows] = m, v
+ means *= self.betas[0]
+ means[rows], squares[rows] = m, v

lr · m / denominator from the left
- parameters[rows] -= step_size * (m / (np.sqrt(v) + self._eps))
+ parameters[rows] -= step_size * m / (np.sqrt(v) + self._eps)

the last of the same rows counts
- np.add.at(total, place, values)
+ total[place] = values

what has the same row is not added up
- rows, g = self._summed(gradients)
+ rows, g = gradients
""",
    "muon": """
momentum as a sum, as in the docstring of torch
- self._towards_gradient(momentum, gradients, scratch)
+ momentum *= self.momentum
+ momentum += gradients

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

a tall matrix is not transposed
- tall = matrix.shape[0] > matrix.shape[1]
+ tall = False

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
""",
    "bfloat16": """
cut off, not rounded
- np.add(sums, bits, sums)
+ np.copyto(sums, bits)

ties away from zero
- np.bitwise_and(sums, LAST, sums)
+ np.copyto(sums, LAST)

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

H begins as 1
- self._scale = curvature / np.dot(y, y)
+ self._scale = 1.0

H begins with sᵀs
- self._scale = curvature / np.dot(y, y)
+ self._scale = np.dot(s, s) / curvature

the newest pair first in both loops
- for (s, y, rho), alpha in zip(self._pairs, reversed(alphas), strict=True):
+ for (s, y, rho), alpha in zip(self._pairs, alphas, strict=True):

the history one too long
- if len(self._pairs) > self.history_size:
+ if len(self._pairs) > self.history_size + 1:

the oldest pair stays
- self._next_pair = self._pairs.pop(0)[:2]
+ self._next_pair = self._pairs.pop(-2)[:2]

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

a division where torch takes the reciprocal
- return 1 / divisor * number if isinstance(divisor, np.floating) else number / divisor
+ return number / divisor if isinstance(divisor, np.floating) else number / divisor
""",
    "elementwise": """
nothing decoupled
- decoupled_lr = self.lr if self.decoupled_weight_decay else None
+ decoupled_lr = None

always decoupled
- decoupled_lr = self.lr if self.decoupled_weight_decay else None
+ decoupled_lr = self.lr

a step for each chunk
- p, g = parameters[index], gradients[index]
+ p, g = parameters[index], gradients[index]
+ self.steps += 1

the direction of all chunks
- g = self._direction(p, g, direction)
+ g = self._direction(p, np.resize(gradients, p.shape), direction)
""",
    "arithmetic": """
the last of each chunk forgotten
- return [(..., slice(at, at + width)) for at in range(0, count, width)]
+ return [(..., slice(at, at + width - 1)) for at in range(0, count, width)]

the penalty of the negated gradient
- combine = np.subtract if self._maximize else np.add
+ combine = np.add

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

always from the start
- self._near_end = np.abs(weights) >= 0.5
+ self._near_end = np.abs(weights) >= 2

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

no rounding to single precision
- return np.float64(np.float32(value))
+ return np.float64(value)
""",
}
