"""The stages of the pipeline: one module each, and the packages they stand on.

When a stage is run, as `python -m stages.<name>`, this runs first, before NumPy and torch are
loaded. Whoever imports a part of the project as a library keeps the settings of their own process.

The same code, parameters and data are to give the same bytes on every processor, so the kernels
that the libraries would choose by processor are pinned to those of AVX2, which Intel and AMD have
alike. KERNELS=native in the environment lets the libraries choose, which is faster where there is
AVX-512, and promises no equal bytes; nor does a processor without AVX2, where nothing is pinned.
"""

import gc
import os
import sys
from pathlib import Path

PINNED = {
    "OPENBLAS_CORETYPE": "Haswell",
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",  # else exp, log, tanh, ... use them
    "MKL_CBWR": "COMPATIBLE",  # with AVX2, MKL still takes other paths on AMD
    "ATEN_CPU_CAPABILITY": "avx2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
}


def pin_kernels() -> None:
    """Chooses the kernels that NumPy and torch take when they are loaded, and those of children.

    torch's kernels without fused multiply-adds, where the environment asks for them, are the same
    everywhere: see stages/reference/ieee.py. Exits with a line if KERNELS is neither of its values.
    """
    kernels = os.environ.get("KERNELS", "pinned")
    if kernels not in ("pinned", "native"):
        sys.exit(f"KERNELS: must be pinned or native, got {kernels!r}")
    if kernels == "pinned" and not _has_avx2():
        print(
            "This processor lacks AVX2: results may differ from others' in their last bits.",
            file=sys.stderr,
        )
        kernels = "native"
    os.environ["KERNELS"] = kernels
    if kernels == "pinned":
        unfused = os.environ.get("ATEN_CPU_CAPABILITY") == "default"
        os.environ |= PINNED | ({"ATEN_CPU_CAPABILITY": "default"} if unfused else {})


def _has_avx2() -> bool:
    processor = Path("/proc/cpuinfo")
    return processor.exists() and " avx2 " in processor.read_text()


if sys.argv[0] == "-m":
    pin_kernels()
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
