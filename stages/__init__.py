"""The stages of the pipeline: one module each, and the packages they stand on.

When a stage is run, as `python -m stages.<name>`, this runs first, before NumPy and torch are
loaded. Whoever imports a part of the project as a library keeps the settings of their own process.
"""

import gc
import os
import sys

if sys.argv[0] == "-m":
    # One thread, unless the environment says otherwise: what is trained here is so small that
    # handing work to a second thread takes longer than the work, and the sums, and so the last
    # bits of all results, must not depend on the number of cores.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    # The pictures choose how they are drawn; matplotlib would not even load with a name that it
    # does not know.
    os.environ["MPLBACKEND"] = "agg"
    # Importing a library makes hundreds of thousands of objects that stay. To search them for
    # garbage again and again takes a tenth of a short stage; stages/task/command.py goes on.
    gc.disable()
