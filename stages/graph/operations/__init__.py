"""What the graph can compute: each operation's shape, value and derivatives side by side.

A derivative reads (g, y, *operands): g is the gradient of the loss with respect to the result y.
It may be as large as the result; where an operand was broadcast the graph sums it back.
Where a derivative does not exist the choice is torch's: relu'(0) = 0, equal operands of a maximum
get half of the gradient each. A derivative of 0 is mostly a factor, so that a g of infinity, which
torch would drop there, becomes NaN.

Each module here adds its operations to the table, OPERATIONS in stages/graph/operation.py.
"""
