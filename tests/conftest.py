"""Settings of all tests."""

import os
import signal

# The test processes share the cores: more threads in each of them only wait for one another.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ["OMP_NUM_THREADS"] = "1"

# Those that `make test` starts run make as users do, from a shell and not from another make.
for name in ("MAKEFLAGS", "MAKELEVEL"):
    os.environ.pop(name, None)

# In the background of a shell an interrupt is ignored, by what the tests start and interrupt, too.
signal.signal(signal.SIGINT, signal.default_int_handler)
