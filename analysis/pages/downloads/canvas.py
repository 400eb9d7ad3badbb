"""Slides of one look: titles, text that fits its box, tables, shapes and native charts."""

from __future__ import annotations

import copy
import datetime as dt
import io
import re
import unicodedata
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from xml.sax.saxutils import escape

from pptx import Presentation
from pptx.chart.data import CategoryChartData
from pptx.dml.color import RGBColor
from pptx.enum.chart import XL_CHART_TYPE, XL_LEGEND_POSITION, XL_TICK_LABEL_POSITION, XL_TICK_MARK
from pptx.enum.dml import MSO_LINE
from pptx.enum.shapes import MSO_CONNECTOR, MSO_SHAPE
from pptx.opc.constants import RELATIONSHIP_TYPE as RT
from pptx.oxml import parse_xml
from pptx.oxml.ns import nsdecls, qn
from pptx.util import Inches, Pt

from analysis.pages.downloads.texts import printable

WIDTH, HEIGHT, MARGIN = 13.333, 7.5, 0.6
"""Inches of a wide slide and of its margin."""
FONT = "Arial"
"""The last named font of the site's style sheet: each program has it or one of the same widths."""
SCALES = (1.0, 0.93, 0.86, 0.8, 0.74)
"""How far letters shrink before a text is cut. Chosen for this project."""
LINE = 1.22
"""Height of a line over the size of its letters; those of Arial, with a reserve."""
LEAST_CONTRAST = 3.0
"""Of large letters to their paper: WCAG 2.2, success criterion 1.4.3."""
HEAD = 0.6
"""Inches of the first row of a table, which has the names of segments."""
LEAST_CUT = 1.08
"""How much too high a text may be that shrinks to its box."""
_NO_STYLE = "{2D5ABB26-0587-4C30-8999-92F81FD0307C}"
"""The table style of Office without lines and colours."""
_ZIP_DATE = (1980, 1, 1, 0, 0, 0)
_KEPT_LAYOUT = "Title Only"


@dataclass(frozen=True, slots=True)
class Box:
    """A place on a slide, in inches."""

    x: float
    y: float
    w: float
    h: float


@dataclass(frozen=True, slots=True)
class Line:
    """A paragraph: its text, size in points, weight, colour as a token or ``#rrggbb``, and space before in points."""

    text: str
    size: float = 14
    bold: bool = False
    colour: str = "--ink"
    before: float = 0


@dataclass(frozen=True, slots=True)
class Series:
    """Values of a chart under one name; a colour each, or one for all."""

    name: str
    values: Sequence[float]
    colours: Sequence[str]


class Deck:
    """A presentation that is being made; the same calls give the same bytes."""

    def __init__(self, title: str, footer: str, day: str, tokens: Mapping[str, str], accents: Sequence[str]) -> None:
        self.tokens, self.footer = tokens, printable(footer)
        self.file: Any = Presentation()
        self.file.slide_width, self.file.slide_height = Inches(WIDTH), Inches(HEIGHT)
        self._shape_master(accents)
        about = self.file.core_properties
        made = dt.datetime.fromisoformat(f"{day}-01"[:10]) if day else dt.datetime(*_ZIP_DATE)
        about.title, about.author, about.last_modified_by, about.revision = printable(title)[:255], "", "", 1
        about.created = about.modified = made
        self.made = made

    def _shape_master(self, accents: Sequence[str]) -> None:
        """Give the master the site's font and colours, and leave the one layout that slides use."""
        layouts = self.file.slide_layouts
        for layout in [other for other in layouts if other.name != _KEPT_LAYOUT]:
            layouts.remove(layout)
        master = self.file.slide_master
        for holder in (master, layouts[0]):
            for shape in holder.placeholders:
                shape.left, shape.width = round(shape.left * WIDTH / 10), round(shape.width * WIDTH / 10)
        theme = master.part.part_related_by(RT.THEME)
        text = theme.blob.decode("utf-8")
        text = re.sub(r'(<a:(?:major|minor)Font><a:latin typeface=")[^"]*', rf"\g<1>{FONT}", text)
        for place, colour in enumerate(accents[:6], start=1):
            filled = rf"\g<1>{colour.removeprefix('#').upper()}"
            text = re.sub(rf'(<a:accent{place}><a:srgbClr val=")[^"]*', filled, text)
        theme.blob = text.encode("utf-8")
        # The template's own picture would stand for the file in a folder.
        for holder in (self.file.part.package, self.file.part):
            for name, relation in list(holder._rels.items()):
                if relation.reltype in (RT.THUMBNAIL, RT.PRINTER_SETTINGS):
                    holder._rels.pop(name)

    def colour(self, name: str) -> RGBColor:
        """Return a token of the style sheet or a ``#rrggbb`` colour."""
        return RGBColor.from_string(self.tokens.get(name, name).removeprefix("#").upper())

    def slide(self, title: str, notes: Sequence[str], marker: tuple[str, str] | None = None) -> Any:
        """Add a slide with a title, a footer and notes; ``marker`` is the letter and the colour of a segment."""
        slide = self.file.slides.add_slide(self.file.slide_layouts[0])
        left = MARGIN + (0.75 if marker else 0)
        self._write_title(slide, Box(left, 0.42, WIDTH - MARGIN - left, 0.62), title)
        if marker:
            self.block(slide, Box(MARGIN, 0.45, 0.56, 0.56), marker[1], marker[0], 20)
        self.text(
            slide, Box(MARGIN, HEIGHT - 0.42, WIDTH - 2 * MARGIN - 0.8, 0.26), [Line(self.footer, 10, colour="--ink-3")]
        )
        self._number(slide)
        slide.notes_slide.notes_text_frame.text = "\n".join(map(printable, notes))
        return slide

    def _write_title(self, slide: Any, box: Box, title: str) -> None:
        shape = slide.shapes.title
        shape.left, shape.top, shape.width, shape.height = map(Inches, (box.x, box.y, box.w, box.h))
        (line,) = fitted([Line(title, 28, bold=True)], box.w, box.h)
        self._fill(shape.text_frame._txBody, [line], "ctr")

    def _number(self, slide: Any) -> None:
        """Add the number of the slide as a field, which follows when slides are moved."""
        place = Box(WIDTH - MARGIN - 0.7, HEIGHT - 0.42, 0.7, 0.26)
        shape = self.text(slide, place, [Line(str(len(self.file.slides)), 10, colour="--ink-3")], align="r")
        run = shape.text_frame.paragraphs[0].runs[0]._r
        run.tag = qn("a:fld")
        run.set("id", "{8F0C2C8A-5B1D-4C6B-9D53-3A5B7C1E2F40}")
        run.set("type", "slidenum")

    def text(self, slide: Any, box: Box, lines: Sequence[Line], middle: bool = False, align: str = "l") -> Any:
        """Write paragraphs into a box; letters shrink, and then the text is cut, until it fits."""
        shape = slide.shapes.add_textbox(*map(Inches, (box.x, box.y, box.w, box.h)))
        self._fill(shape.text_frame._txBody, fitted(lines, box.w, box.h), "ctr" if middle else "t", align)
        return shape

    def _fill(
        self, body: Any, lines: Sequence[Line], anchor: str = "t", align: str = "l", inset: float = 0, drop: float = 0
    ) -> None:
        """Put paragraphs into the body of a shape or a cell, as XML: ten times as fast as one property at a time."""
        for paragraph in body.findall(qn("a:p")):
            body.remove(paragraph)
        for line in lines:
            ink = self.colour(line.colour)
            space = f'<a:spcBef><a:spcPts val="{round(100 * line.before)}"/></a:spcBef>' if line.before else ""
            body.append(
                parse_xml(
                    f'<a:p {nsdecls("a")}><a:pPr algn="{align}">{space}</a:pPr><a:r>'
                    f'<a:rPr lang="en-GB" sz="{round(100 * line.size)}" b="{int(line.bold)}">'
                    f'<a:solidFill><a:srgbClr val="{ink}"/></a:solidFill><a:latin typeface="{FONT}"/></a:rPr>'
                    f"<a:t>{escape(line.text)}</a:t></a:r></a:p>"
                )
            )
        if not lines:
            body.append(parse_xml(f"<a:p {nsdecls('a')}/>"))
        side = str(Inches(inset))
        properties = body.find(qn("a:bodyPr"))
        for child in list(properties):
            properties.remove(child)
        for name in ("lIns", "rIns"):
            properties.set(name, side)
        for name, value in (("tIns", str(Inches(drop))), ("bIns", "0"), ("anchor", anchor), ("wrap", "square")):
            properties.set(name, value)

    def block(
        self, slide: Any, box: Box, colour: str, text: str = "", size: float = 12, alt: str = "", top: bool = False
    ) -> Any:
        """Add a filled rectangle; its text is in an ink that can be read on the colour, in the middle or on top."""
        shape = slide.shapes.add_shape(MSO_SHAPE.RECTANGLE, *map(Inches, (box.x, box.y, box.w, box.h)))
        shape.fill.solid()
        shape.fill.fore_color.rgb = self.colour(colour)
        shape.line.fill.background()
        # The style would add the shadow of the theme.
        shape._element.remove(shape._element.find(qn("p:style")))
        ink = readable_ink(self.tokens.get(colour, colour), self.tokens["--ink"])
        lines = fitted([Line(text, size, True, ink)], box.w - 0.16, box.h - 0.06) if text else []
        letter = len(text) == 1
        self._fill(shape.text_frame._txBody, lines, "t" if top else "ctr", "ctr" if letter else "l", 0.08, top * 0.08)
        describe(shape, alt)
        return shape

    def rule(self, slide: Any, start: tuple[float, float], end: tuple[float, float], colour: str) -> Any:
        """Draw a thin dashed line."""
        line = slide.shapes.add_connector(MSO_CONNECTOR.STRAIGHT, *map(Inches, (*start, *end)))
        line.line.color.rgb, line.line.width = self.colour(colour), Pt(1.25)
        line.line.dash_style = MSO_LINE.DASH
        return line

    def table(self, slide: Any, box: Box, rows: Sequence[Sequence[str]], widths: Sequence[float], size: float) -> Any:
        """Add a table whose first row names the columns; texts shrink or are cut to the height of a row."""
        each, whole = (box.h - HEAD) / max(len(rows) - 1, 1), sum(widths)
        frame = slide.shapes.add_table(len(rows), len(widths), *map(Inches, (box.x, box.y, box.w, box.h)))
        grid = frame.table
        grid._tbl.tblPr.find(qn("a:tableStyleId")).text = _NO_STYLE
        grid.horz_banding = False
        for column, width in zip(grid.columns, widths, strict=True):
            column.width = Inches(box.w * width / whole)
        wash = parse_xml(f'<a:solidFill {nsdecls("a")}><a:srgbClr val="{self.colour("--wash")}"/></a:solidFill>')
        for number, (row, drawn) in enumerate(zip(rows, grid._tbl.tr_lst, strict=True)):
            head = number == 0
            tall = HEAD if head else each
            drawn.h = Inches(tall)
            for cell, text, width in zip(drawn.tc_lst, row, widths, strict=True):
                line = Line(text, size, head, "--ink-2" if head else "--ink")
                room = box.w * width / whole - 0.2
                self._fill(cell.get_or_add_txBody(), fitted([line], room, tall - 0.04))
                properties = cell.get_or_add_tcPr()
                for name, inset in (("marL", 0.06), ("marR", 0.06), ("marT", 0.02), ("marB", 0.02)):
                    properties.set(name, str(Inches(inset)))
                properties.set("anchor", "ctr")
                if number % 2 == 0:
                    properties.append(copy.deepcopy(wash))
        return frame

    def bars(self, slide: Any, box: Box, labels: Sequence[str], series: Sequence[Series], form: str, alt: str) -> Any:
        """Add a native bar chart, its rows from top to bottom; several series are stacked to the whole.

        Parameters
        ----------
        slide : slide
        box : Box
        labels : sequence of str
        series : sequence of Series
        form : str
            Number format of the labels at the bars.
        alt : str
            The finding, for those who do not see the chart.
        """
        # The library writes this format into XML as it is, so it takes the plain part.
        data = CategoryChartData(number_format=form.rpartition(";")[2])
        room = 34 if box.w < 7 else 60
        data.categories = [cut_to(printable(label), room) for label in labels]
        for one in series:
            data.add_series(printable(one.name), [round(float(value), 4) for value in one.values])
        stacked = len(series) > 1
        kind = XL_CHART_TYPE.BAR_STACKED_100 if stacked else XL_CHART_TYPE.BAR_CLUSTERED
        frame = slide.shapes.add_chart(kind, *map(Inches, (box.x, box.y, box.w, box.h)), data)
        chart = frame.chart
        chart.has_title, chart.has_legend = False, stacked
        chart.font.size, chart.font.name, chart.font.color.rgb = Pt(11), FONT, self.colour("--ink-2")
        if stacked:
            chart.legend.position, chart.legend.include_in_layout = XL_LEGEND_POSITION.BOTTOM, False
        axis = chart.category_axis
        axis.reverse_order, axis.has_major_gridlines = True, False
        axis.major_tick_mark, axis.tick_label_position = XL_TICK_MARK.NONE, XL_TICK_LABEL_POSITION.LOW
        axis.format.line.color.rgb = self.colour("--rule-strong")
        chart.value_axis.visible = chart.value_axis.has_major_gridlines = False
        self._span(chart.value_axis, series, stacked)
        plot = chart.plots[0]
        plot.gap_width, plot.has_data_labels = 45, True
        labels_of = plot.data_labels
        labels_of.number_format, labels_of.number_format_is_linked = form, False
        labels_of.font.size = Pt(10)
        for one, drawn in zip(series, plot.series, strict=True):
            self._paint(drawn, one, stacked)
        describe(frame, alt)
        return frame

    def _span(self, axis: Any, series: Sequence[Series], stacked: bool) -> None:
        """Leave space for the labels at the ends of the bars."""
        if stacked:
            axis.minimum_scale, axis.maximum_scale = 0, 1
            return
        values = [value for one in series for value in one.values]
        low, high = min(0.0, *values), max(0.0, *values)
        reserve = 0.18 * ((high - low) or 1)
        axis.minimum_scale, axis.maximum_scale = low - (reserve if low < 0 else 0), high + reserve

    def _paint(self, drawn: Any, series: Series, stacked: bool) -> None:
        drawn.invert_if_negative = False
        drawn.format.fill.solid()
        drawn.format.fill.fore_color.rgb = self.colour(series.colours[0])
        if len(series.colours) > 1:
            for place, colour in enumerate(series.colours):
                point = drawn.points[place]
                point.format.fill.solid()
                point.format.fill.fore_color.rgb = self.colour(colour)
        if stacked:
            drawn.format.line.color.rgb = self.colour("--paper")
            labels = drawn.data_labels
            labels.show_value, labels.font.size = True, Pt(10)
            ink = readable_ink(self.tokens.get(series.colours[0], series.colours[0]), self.tokens["--ink"])
            labels.font.color.rgb = self.colour(ink)

    def save(self) -> bytes:
        """Return the file, with fixed times in it and in the workbooks of its charts."""
        for shape in (shape for slide in self.file.slides for shape in slide.shapes if shape.has_chart):
            book = shape.chart.part.chart_workbook.xlsx_part
            book.blob = _repacked(book.blob, self.made)
        out = io.BytesIO()
        self.file.save(out)
        return _repacked(out.getvalue(), self.made)


def _repacked(data: bytes, made: dt.datetime) -> bytes:
    """Pack an Office file again, with one time for everything in it."""
    out, stamp = io.BytesIO(), made.strftime("%Y-%m-%dT%H:%M:%SZ").encode()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "docProps/core.xml":
                content = re.sub(rb"(<dcterms:\w+[^>]*>)[^<]*", rb"\g<1>" + stamp, content)
            entry = zipfile.ZipInfo(name, _ZIP_DATE)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
            new.writestr(entry, content)
    return out.getvalue()


def describe(shape: Any, text: str) -> None:
    """Give a shape the text that stands for it where it is not seen."""
    if text:
        shape._element.xpath(".//p:cNvPr")[0].set("descr", printable(text))


def readable_ink(colour: str, ink: str) -> str:
    """Return white where it has the contrast that large letters need on a colour, else the ink of the site.

    >>> readable_ink("#2f7fc4", "#15191e"), readable_ink("#e2e6eb", "#15191e")
    ('#ffffff', '#15191e')
    """
    return "#ffffff" if 1.05 / (_luminance(colour) + 0.05) >= LEAST_CONTRAST else ink


def _luminance(colour: str) -> float:
    """Relative luminance of WCAG 2.2."""
    parts = [int(colour.removeprefix("#")[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    red, green, blue = (x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def mixed(colour: str, paper: str, share: float) -> str:
    """Mix a colour with the paper.

    >>> mixed("#000000", "#ffffff", 0.5)
    '#808080'
    """
    pairs = [(int(colour[i : i + 2], 16), int(paper[i : i + 2], 16)) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(share * a + (1 - share) * b):02x}" for a, b in pairs)


def width_of(text: str, size: float, bold: bool = False) -> float:
    """Return about how wide a text is in inches, by the widths of Arial.

    >>> width_of("iiii", 10) < width_of("nnnn", 10) < width_of("WWWW", 10)
    True
    """
    return sum(map(_advance, text)) * size / 72 * (1.07 if bold else 1)


def _advance(letter: str) -> float:
    if letter in "ijl.,:;'|!()[]/ ftr-\N{NO-BREAK SPACE}":
        return 0.31
    if letter in "mMW@%&…—":
        return 0.9
    if unicodedata.east_asian_width(letter) in "WF":
        return 1.05
    return 0.72 if letter.isupper() else 0.56


def n_lines(text: str, width: float, size: float, bold: bool = False) -> int:
    """Count the lines that a text takes in a width in inches; a word that is too long is broken."""
    lines, used, space = 1, 0.0, width_of(" ", size, bold)
    for word in text.split(" "):
        long = width_of(word, size, bold)
        if used and used + space + long > width:
            lines, used = lines + 1, 0.0
        elif used:
            used += space
        lines += int(long // width)
        used += long % width if long > width else long
    return lines


def fitted(lines: Sequence[Line], width: float, height: float) -> list[Line]:
    """Shrink paragraphs, and then cut the last ones, until they fit into inches of width and height."""
    found = lines = [replace(line, text=printable(line.text)) for line in lines]
    for scale in SCALES:
        found = [replace(line, size=round(2 * scale * line.size) / 2) for line in lines]
        if _height(found, width) <= height:
            return found
    while found and _height(found, width) > height:
        last = found.pop()
        left = height - _height(found, width) - last.before / 72
        room = int(left * 72 / (LINE * last.size) + 1e-6)
        words = last.text
        while words and room and n_lines(f"{words} …", width, last.size, last.bold) > room:
            words = words[: max(words.rfind(" "), 0) or len(words) - 1]
        if words and (room or not found):
            return [*found, replace(last, text=f"{words} …" if words != last.text else words)]
    return found


def whole_parts(parts: Sequence[Sequence[Line]], width: float, height: float) -> list[Line]:
    """Return as many parts, from the first, as fit whole with letters of a readable size; at least one."""
    shown: list[Line] = []
    for part in parts:
        if shown and _height([*shown, *part], width) > height * LEAST_CUT:
            break
        shown += part
    return shown


def _height(lines: Sequence[Line], width: float) -> float:
    points = (n_lines(x.text, width, x.size, x.bold) * LINE * x.size + x.before for x in lines)
    return sum(points) / 72


def cut_to(text: str, length: int) -> str:
    """Cut a label to so many letters.

    >>> cut_to("Share of orders by catalogue", 12)
    'Share of or…'
    """
    return text if len(text) <= length else f"{text[: length - 1].rstrip()}…"
