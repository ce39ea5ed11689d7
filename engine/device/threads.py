"""Waiting of the processor's threads for each other. Free of torch: what is set here counts before torch is imported."""

import os

SPINS = 10_000
"""Turns of the loop in which a thread of libgomp waits before it sleeps: some hundredths of a millisecond.

Left to itself, libgomp goes round 300,000 times and more. On an idle machine that does no harm; where other programs compute, the
thread that is waited for may not be running, and the one that waits burns the very time the other needs. Sleeping at once is
no answer either: between two small operations there is less time than it takes to wake up. Figures in decision 24.
"""


def spin_briefly() -> None:
    """Let waiting threads sleep soon. To be called before torch is imported, later it has no effect.

    Only libgomp reads this, which torch brings on Linux. What the user has set in the environment stays.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", str(SPINS))
