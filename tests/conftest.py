"""Settings of all tests."""

import os

# The test processes share the cores: more threads in each of them only wait for one another.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ["OMP_NUM_THREADS"] = "1"
