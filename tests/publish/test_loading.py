"""Pages load no script that blocks, and no theme, icons or hovers that they do not show."""

from __future__ import annotations

from pathlib import Path

from analysis.publish.loading import speed_up

PAGE = """<html><head>
<script src="../site_libs/quarto-html/quarto.js" type="module"></script>
<script src="../site_libs/quarto-html/popper.min.js"></script>
<script src="../site_libs/quarto-html/tippy.umd.min.js"></script>
<link href="../site_libs/quarto-html/tippy.css" rel="stylesheet">
<script src="../site_libs/bootstrap/bootstrap.min.js"></script>
<link href="../site_libs/bootstrap/bootstrap-icons.css" rel="stylesheet">
<link href="../site_libs/bootstrap/bootstrap-0123456789abcdef.min.css" rel="stylesheet" data-mode="light">
<link href="../site_libs/bootstrap/bootstrap-dark-fedcba9876543210.min.css" rel="stylesheet" data-mode="dark">
</head></html>
"""
FILES = (
    "quarto-html/quarto.js",
    "quarto-html/popper.min.js",
    "quarto-html/tippy.umd.min.js",
    "quarto-html/tippy.css",
    "bootstrap/bootstrap.min.js",
    "bootstrap/bootstrap-icons.css",
    "bootstrap/bootstrap-icons.woff",
    "bootstrap/bootstrap-0123456789abcdef.min.css",
    "bootstrap/bootstrap-dark-fedcba9876543210.min.css",
)


def test_a_page_loads_one_theme_and_no_script_before_it_is_read(tmp_path: Path) -> None:
    for name in FILES:
        file = tmp_path / "site_libs" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    page = tmp_path / "site" / "index.html"
    page.parent.mkdir()
    page.write_text(PAGE, encoding="utf-8")
    speed_up(tmp_path)
    text = page.read_text(encoding="utf-8")
    assert text.splitlines()[1:-1] == [
        '<script src="../site_libs/quarto-html/quarto.js" type="module"></script>',
        '<script src="../site_libs/bootstrap/bootstrap.min.js" defer></script>',
        '<link href="../site_libs/bootstrap/bootstrap-0123456789abcdef.min.css" rel="stylesheet" data-mode="light">',
        '<link href="../site_libs/bootstrap/bootstrap-0123456789abcdef.min.css" rel="stylesheet" data-mode="dark">',
    ]
    left = {file.name for file in (tmp_path / "site_libs").rglob("*") if file.is_file()}
    assert left == {"quarto.js", "bootstrap.min.js", "bootstrap-0123456789abcdef.min.css"}
    speed_up(tmp_path)
    assert page.read_text(encoding="utf-8") == text


def test_a_dark_theme_without_a_light_one_stays(tmp_path: Path) -> None:
    dark = tmp_path / "site_libs" / "bootstrap" / "bootstrap-dark-fedcba9876543210.min.css"
    dark.parent.mkdir(parents=True)
    dark.touch()
    (tmp_path / "index.html").write_text(PAGE, encoding="utf-8")
    speed_up(tmp_path)
    assert dark.is_file() and dark.name in (tmp_path / "index.html").read_text(encoding="utf-8")
