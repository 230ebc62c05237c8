"""Compilation of the inner loops: `jit` is numba's compiler where numba exists, else the identity.

The loops are ordinary Python on NumPy arrays and a NumPy `Generator`, so that compiled and
interpreted runs give the same bits for the same seed; only the time differs.
"""

from __future__ import annotations

try:
    import numba
except ImportError:

    def jit(function):
        """Return the function unchanged: numba is not installed."""
        return function

else:
    jit = numba.njit(cache=True, nogil=True)
