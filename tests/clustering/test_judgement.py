"""What is refused before segments are described."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from analysis.base.errors import GateError
from analysis.clustering.judgement import refuse_small_segments
from tests.stages import project_study


@pytest.mark.parametrize(("smallest", "refused"), [(9, True), (10, False)])
def test_a_segment_of_few_customers_is_refused(smallest: int, refused: bool) -> None:
    evidence: Any = SimpleNamespace(labels=np.repeat([0, 1, 2], [3, 80, smallest]).astype(np.int16), weights=None)
    if refused:
        with pytest.raises(GateError, match=r"One of 2 segments has fewer than 10 customers.*\n.*segments: 1"):
            refuse_small_segments(evidence, project_study())
    else:
        refuse_small_segments(evidence, project_study())
