"""Settings: every mistake is one short message that names the file, the place and the valid choices."""

# ruff: noqa: E501 - a message stands here as it is shown

from __future__ import annotations

import copy
import datetime as dt
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.base.errors import InputError, listed
from analysis.settings.load import check_study, load_study, merge, name_settings_file, project_settings
from analysis.settings.models import Algorithm, Study
from analysis.settings.sources import Source

ROOT = Path(__file__).resolve().parents[2]
STUDY: dict[str, Any] = {
    "title": "Shop",
    "sources": [{"path": "shop.csv", "key": "id", "roles": {"feature": ["x"]}}],
}
FEATURE = {"label": "F", "formula": "x"}
UNITS = "'money', 'count', 'share', 'days', 'years', 'yes_no', 'number' or 'category'"
_NAMES = get_args(Algorithm)
ALGORITHM_NAMES = f"{', '.join(map(repr, _NAMES[:-1]))} or {_NAMES[-1]!r}"
WHOLE = "is not valid; expected auto, elbow or a whole number from 2 to 20."
BLOCK = "is not valid; expected a block of 'key: value' lines."

MISTAKES: tuple[tuple[tuple[str | int, ...], Any, str], ...] = (
    (
        ("segmnts",), 4,
        f"segmnts: unknown setting 'segmnts'.\n  Valid here: {', '.join(Study.model_fields)}.  Did you mean 'segments'?",
    ),
    (
        ("sources", 0, "kee"), "id",
        f"sources[0].kee: unknown setting 'kee'.\n  Valid here: {', '.join(Source.model_fields)}.  Did you mean 'key'?",
    ),
    (
        ("sources", 0, "roles", "features"), ["x"],
        "sources[0].roles.features: unknown setting 'features'.\n  Valid here: feature, descriptor, outcome, ignore.  "
        "Did you mean 'feature'?",
    ),
    (
        ("features", "f"), {**FEATURE, "rolle": "feature"},
        "features.f.rolle: unknown setting 'rolle'.\n  Valid here: label, formula, unit, role, transform, about, high, "
        "low.  Did you mean 'role'?",
    ),
    (("title",), None, "title: None is not valid; expected text."),
    (("title",), "", "title: '' is not valid; expected text that is not empty."),
    (("title",), {"a": 1}, "title: {'a': 1} is not valid; expected text."),
    (("segments",), 1, f"segments: 1 {WHOLE}"),
    (("segments",), 0, f"segments: 0 {WHOLE}"),
    (("segments",), 5000, f"segments: 5000 {WHOLE}"),
    (("segments",), "four", f"segments: 'four' {WHOLE}"),
    (("segments",), True, f"segments: True {WHOLE}"),
    (("segments",), 4.0, f"segments: 4.0 {WHOLE}"),
    (("segments",), None, f"segments: None {WHOLE}"),
    (("max_segments",), 1, "max_segments: 1 is not valid; expected 2 or more."),
    (("max_segments",), 21, "max_segments: 21 is not valid; expected 20 or less."),
    (("max_segments",), "many", "max_segments: 'many' is not valid; expected a whole number."),
    (
        ("algorithm",), "kmean",
        f"algorithm: 'kmean' is not a valid choice.\n  Valid: 'auto' or {ALGORITHM_NAMES}.",
    ),
    (
        ("scaling",), 3,
        "scaling: 3 is not a valid choice.\n  Valid: 'standard', 'minmax', 'robust' or 'none'.",
    ),
    (("seed",), -1, "seed: -1 is not valid; expected 0 or more."),
    (("seed",), 1.5, "seed: 1.5 is not valid; expected a whole number."),
    (("min_cell",), 1, "min_cell: 1 is not valid; expected 2 or more."),
    (("min_share",), "3 %", "min_share: '3 %' is not valid; expected a number."),
    (("min_share",), 0, "min_share: 0 is not valid; expected a number above 0.0."),
    (("min_share",), 0.5, "min_share: 0.5 is not valid; expected a number under 0.5."),
    (("demo",), "perhaps", "demo: 'perhaps' is not a valid choice.\n  Valid: 'none', 'twin' or 'retailer'."),
    (("value",), ["spend"], "value: ['spend'] is not valid; expected text."),
    (("names",), ["x"], f"names: ['x'] {BLOCK}"),
    (
        ("as_of",), "yesterday",
        "as_of: 'yesterday' is not a valid choice.\n  Valid: 'auto' or a date such as 2014-06-29.",
    ),
    (("as_of",), "2014-02-30", "as_of: '2014-02-30' is not a valid choice.\n  Valid: 'auto' or a date such as 2014-06-29."),
    (("sources",), [], "sources: [] is not valid; expected a list that is not empty."),
    (("sources",), "shop.csv", "sources: 'shop.csv' is not valid; expected a list."),
    (("sources", 0, "path"), "", "sources[0].path: '' is not valid; expected text that is not empty."),
    (("sources", 0, "key"), 3, "sources[0].key: 3 is not valid; expected text."),
    (
        ("sources", 0, "kind"), "customer",
        "sources[0].kind: 'customer' is not a valid choice.\n  Valid: 'customers', 'transactions', 'survey', 'events', 'sessions', 'subscriptions' or 'panel'.",
    ),
    (
        ("sources", 0, "roles"), {"feature": ["x"], "outcome": ["x"]},
        "sources[0].roles: column 'x' has two roles, feature and outcome; remove one.",
    ),
    (("sources", 0, "roles", "feature"), "x", "sources[0].roles.feature: 'x' is not valid; expected a list."),
    (("sources", 0, "units"), {"x": "euro"}, f"sources[0].units.x: 'euro' is not a valid choice.\n  Valid: {UNITS}."),
    (
        ("sources", 0, "types"), {"x": "int"},
        "sources[0].types.x: 'int' is not a valid choice.\n  Valid: 'number', 'date', 'category', 'boolean' or 'text'.",
    ),
    (
        ("sources", 0, "dates"), "dayfirst",
        "sources[0].dates: 'dayfirst' is not a valid choice.\n  Valid: 'auto', 'day-first', 'month-first' or 'iso'.",
    ),
    (("sources", 0, "decimal"), ";", "sources[0].decimal: ';' is not a valid choice.\n  Valid: 'auto', '.' or ','."),
    (("sources", 0, "sheet"), 1.5, "sources[0].sheet: 1.5 is not valid; expected text or a whole number."),
    (("sources", 0, "merge"), {"x": ["a"]}, f"sources[0].merge.x: ['a'] {BLOCK}"),
    (("sources", 0, "plausible"), {"x": [1]}, "sources[0].plausible.x[1]: this setting is required."),
    (("sources", 0, "plausible"), {"x": ["a", 2]}, "sources[0].plausible.x[0]: 'a' is not valid; expected a number."),
    (
        ("sources", 0, "plausible"), {"x": [5, 2]},
        "sources[0].plausible: 'x': 5 is above 2; write the lower bound first.",
    ),
    (("features",), ["x"], f"features: ['x'] {BLOCK}"),
    (("features", "f"), "x", f"features.f: 'x' {BLOCK}"),
    (("features", "f"), {"formula": "x"}, "features.f.label: this setting is required."),
    (
        ("features", "f"), {**FEATURE, "role": "key"},
        "features.f.role: 'key' is not a valid choice.\n  Valid: 'feature', 'descriptor', 'outcome' or 'ignore'.",
    ),
    (("features", "f"), {**FEATURE, "unit": "euro"}, f"features.f.unit: 'euro' is not a valid choice.\n  Valid: {UNITS}."),
    (
        ("features", "f"), {**FEATURE, "formula": "x +"},
        'features.f.formula: formula "x +" is not a complete expression.',
    ),
    (
        ("features", "f"), {**FEATURE, "formula": "open(x)"},
        "features.f.formula: formula \"open(x)\": unknown function 'open'; available: abs, days, is_in, log1p, max, "
        "min, sqrt, where, year.",
    ),
)  # fmt: skip
"""Where, what stands there, and the message after the file's name."""


def changed(place: tuple[str | int, ...], value: Any) -> dict[str, Any]:
    """Give the study's settings with one of them put in another way."""
    block: Any = copy.deepcopy(STUDY)
    part = block
    for step in place[:-1]:
        part = part.setdefault(step, {}) if isinstance(part, dict) else part[step]
    part[place[-1]] = value
    return block


def write(root: Path, text: str, name: str = "_quarto.yml") -> Path:
    (root / name).write_text(text, encoding="utf-8")
    return root


def with_study(root: Path) -> Path:
    return write(root, yaml.safe_dump({"project": {"type": "website"}, "segmentation": STUDY}))


@pytest.mark.parametrize(("place", "value", "message"), MISTAKES, ids=lambda x: x if isinstance(x, str) else None)
def test_a_mistake_is_told_with_its_place_and_what_is_valid(
    place: tuple[str | int, ...], value: Any, message: str
) -> None:
    with pytest.raises(InputError) as caught:
        check_study(changed(place, value))
    assert str(caught.value) == f"_quarto.yml, segmentation.{message}"
    assert caught.value.exit_code == 2


def test_the_name_of_a_feature_must_be_a_word() -> None:
    with pytest.raises(InputError, match="features: 'wine share' is not a valid name"):
        check_study(changed(("features", "wine share"), FEATURE))


@pytest.mark.parametrize("n_mistakes", [2, 3, 4, 9])
def test_many_mistakes_are_five_lines_and_the_rest_is_counted(n_mistakes: int) -> None:
    wrong = {f"unknown_{i}": i for i in range(n_mistakes)}
    with pytest.raises(InputError) as caught:
        check_study({**STUDY, **wrong})
    lines = str(caught.value).splitlines()
    assert len(lines) <= 5
    told = sum("unknown setting" in line for line in lines)
    rest = f"({n_mistakes - told} more problem{'s' if n_mistakes - told > 1 else ''})"
    assert (lines[-1] == rest) == (told < n_mistakes)


def test_a_message_names_the_profile_that_may_hold_the_mistake(tmp_path: Path) -> None:
    with_study(tmp_path)
    write(tmp_path, "segmentation:\n  segments: 1\n", "_quarto-shop.yml")
    with pytest.raises(InputError, match=r"^_quarto\.yml, _quarto-shop\.yml, segmentation\.segments: 1 is not valid"):
        load_study(tmp_path, "shop")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "segmentation:\n  title: a: b\n",
            "_quarto.yml, line 2: not valid YAML (mapping values are not allowed in this context).",
        ),
        ("segmentation:\n\ttitle: a\n", "_quarto.yml, line 2: not valid YAML"),
        ("segmentation: [1, 2\n", "_quarto.yml, line 2: not valid YAML"),
        ("- a\n- b\n", "_quarto.yml contains no settings."),
        ("", "_quarto.yml contains no settings."),
        ("project:\n  type: website\n", "_quarto.yml has no 'segmentation:' block."),
        ("segmentation:\n", "_quarto.yml has no 'segmentation:' block."),
        ("segmentation: yes please\n", "_quarto.yml has no 'segmentation:' block."),
    ],
)
def test_a_file_without_usable_settings_is_told_in_a_few_lines(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        load_study(write(tmp_path, text), "")
    assert str(caught.value).startswith(message)
    assert 1 <= len(str(caught.value).splitlines()) <= 5


def test_settings_in_another_encoding_are_told(tmp_path: Path) -> None:
    (tmp_path / "_quarto.yml").write_bytes("segmentation:\n  title: café\n".encode("latin-1"))
    with pytest.raises(InputError, match=r"_quarto\.yml: not valid YAML \(the file is not UTF-8 text\)"):
        load_study(tmp_path, "")


def test_a_folder_without_settings_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"_quarto\.yml is not in this folder"):
        load_study(tmp_path, "")


def test_an_unknown_profile_is_told_with_those_there_are(tmp_path: Path) -> None:
    with_study(tmp_path)
    write(tmp_path, "segmentation: {seed: 1}\n", "_quarto-survey.yml")
    with pytest.raises(InputError) as caught:
        load_study(tmp_path, "surveys")
    assert str(caught.value).splitlines()[:2] == [
        "Profile 'surveys': _quarto-surveys.yml does not exist.",
        "  Available profiles: survey.",
    ]


def test_a_profile_is_laid_over_the_settings_key_by_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_study(tmp_path)
    write(tmp_path, "segmentation: {seed: 7, names: {a: First}}\nwebsite: {title: Web}\n", "_quarto-one.yml")
    write(tmp_path, "segmentation: {names: {b: Second}, segments: 3}\n", "_quarto-two.yml")
    monkeypatch.setenv("QUARTO_PROFILE", "one, two")
    study = load_study(tmp_path)
    assert (study.title, study.seed, study.segments) == ("Shop", 7, 3)
    assert {slug: rule.called for slug, rule in study.names.items()} == {"a": "First", "b": "Second"}
    assert study.sources[0].path == "shop.csv"
    assert project_settings(tmp_path)["website"] == {"title": "Web"}
    assert project_settings(tmp_path)["project"] == {"type": "website"}
    assert load_study(tmp_path, "").seed == Study.model_fields["seed"].default


TREES = st.recursive(
    st.integers() | st.lists(st.integers(), max_size=2),
    lambda part: st.dictionaries(st.sampled_from("abc"), part, max_size=3),
    max_leaves=8,
)
MAPPINGS = st.dictionaries(st.sampled_from("abc"), TREES, max_size=3)


def paths_of(tree: Any, at: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    if isinstance(tree, dict) and tree:
        return {path: leaf for key, part in tree.items() for path, leaf in paths_of(part, (*at, key)).items()}
    return {at: tree}


@pytest.mark.slow
@settings(deadline=None)
@given(MAPPINGS, MAPPINGS)
def test_merging_keeps_every_value_that_the_overlay_does_not_name(base: Any, overlay: Any) -> None:
    before = copy.deepcopy((base, overlay))
    merged = paths_of(merge(base, overlay))
    assert (base, overlay) == before
    own = {path: value for path, value in paths_of(overlay).items() if path and value != {}}
    assert {path: merged[path] for path in own} == own
    for path, value in paths_of(base).items():
        if path and value != {} and not any(o[: len(path)] == path or path[: len(o)] == o for o in paths_of(overlay)):
            assert merged[path] == value


def test_the_projects_own_settings_hold() -> None:
    study = load_study(ROOT, "")
    assert study.sources[0].key == "ID"
    assert study.value in study.features
    assert {f.role for f in study.features.values()} == {"feature", "descriptor", "outcome"}


def test_a_date_may_be_given_as_yaml_reads_it() -> None:
    block = {**STUDY, **yaml.safe_load("as_of: 2014-06-29")}
    assert check_study(block).as_of == dt.date(2014, 6, 29)


def test_settings_cannot_change_after_they_were_read() -> None:
    with pytest.raises(ValueError, match="frozen"):
        check_study(STUDY).seed = 3  # type: ignore[misc]


PROFILE = """\
segmentation:
  title: Survey
  sources:
    - path: data/survey.csv
      key: who
"""


@pytest.mark.parametrize(
    ("message", "profile", "told"),
    [
        ("_quarto.yml, segmentation.sources[0].key: wrong", "x", "_quarto-x.yml, segmentation.sources[0].key: wrong"),
        ("_quarto.yml, segmentation.sources[0].key: wrong", "", "_quarto.yml, segmentation.sources[0].key: wrong"),
        ("_quarto.yml, segmentation.value: wrong", "x", "_quarto.yml, segmentation.value: wrong"),
        ("_quarto.yml, _quarto-x.yml, segmentation.title: a", "x", "_quarto-x.yml, segmentation.title: a"),
        ("no setting: _quarto.yml is fine", "x", "no setting: _quarto.yml is fine"),
        ("_quarto.yml, segmentation.title: a", "gone", "_quarto.yml, segmentation.title: a"),
    ],
)
def test_a_message_names_the_file_in_which_the_setting_stands(
    message: str, profile: str, told: str, tmp_path: Path
) -> None:
    base = "segmentation: {title: Shop, value: spend, sources: [{path: data/shop.csv, key: id}]}"
    (tmp_path / "_quarto.yml").write_text(base, encoding="utf-8")
    (tmp_path / "_quarto-x.yml").write_text(PROFILE, encoding="utf-8")
    assert name_settings_file(message, tmp_path, profile) == told


def test_an_empty_list_is_told_as_none() -> None:
    assert f"Available columns: {listed([])}." == "Available columns: none."
