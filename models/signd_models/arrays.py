"""Types of arrays that several modules pass on."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Seconds = NDArray[np.float64]
Nanoseconds = NDArray[np.uint64]
Random = np.random.Generator
