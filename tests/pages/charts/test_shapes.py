"""Dense groups beside the segments: who is in none has a word of its own, which the publication check lets pass."""

from __future__ import annotations

import json
from dataclasses import replace

from analysis.clustering.shapes import ShapeCell, Shapes
from analysis.pages.charts.algorithms import NO_GROUP, shapes
from tests.stages import run_stages


def test_a_place_in_no_dense_group_says_so_in_words() -> None:
    report = run_stages().report
    cells = (ShapeCell(0.0, 0.0, 1, 1), ShapeCell(1.0, 0.0, 2, 1), ShapeCell(2.0, 1.0, 0, 2))
    found = Shapes("DBSCAN", 2, 0.9, 4.0, 0.3, 0.2, (0.5, 0.5), cells)
    figure = shapes(replace(report, evidence=replace(report.evidence, shapes=found)))
    assert figure is not None
    assert [row[2] for row in figure.table.rows] == ["Group 1", "Group 2", NO_GROUP]
    assert '"None"' not in json.dumps(figure.spec)
