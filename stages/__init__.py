"""The stages of the pipeline: one module each, and the packages they stand on.

This runs before any of them, and before NumPy and torch are loaded, which read the variable then.
"""

import os

# One thread, unless the environment says otherwise: what is trained here is so small that handing
# work to a second thread takes longer than the work, and the sums, and so the last bits of all
# results, must not depend on the number of cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")
