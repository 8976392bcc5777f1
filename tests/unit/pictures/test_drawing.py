"""Pictures as text: the same for the same data, alone or beside others, in any script, with nothing of the data run."""

from __future__ import annotations

import itertools
import re
import struct
from xml.etree import ElementTree as ET

import altair as alt
import polars as pl
import pytest

from churnrisk import pictures
from churnrisk.pictures import theme
from churnrisk.pictures.drawing import Words, drawn, plain, shortened

SVG = "{http://www.w3.org/2000/svg}"


def segments(*names: str) -> pictures.Picture:
    frame = pl.DataFrame({"segment": names, "n": [100] * len(names), "mean_risk": [0.05] * len(names)})
    return pictures.segments(frame, attribute="region", overall=0.04)


def text_of(picture: pictures.Picture) -> list[str]:
    return [element.text or "" for element in ET.fromstring(picture.svg).iter(f"{SVG}text")]


def test_the_same_data_give_the_same_text_whatever_was_drawn_before() -> None:
    gains = pl.DataFrame(
        {"share_contacted": [0.1, 1.0], "share_of_leavers_reached": [0.4, 1.0], "lift": [4.0, 1.0]}
    )
    profits = pl.DataFrame(
        {
            "share_contacted": [0.0, 0.1, 1.0],
            "profit_per_customer": [0.0, 0.5, -9.0],
            "treat_all_per_customer": [-9.0] * 3,
        }
    )
    first = pictures.profit(profits).svg
    pictures.gain(gains)
    assert pictures.profit(profits).svg == first
    assert "clip-path" in first


def test_every_id_begins_with_the_name_of_the_picture_and_is_used_where_it_is_referred_to() -> None:
    profits = pl.DataFrame(
        {
            "share_contacted": [0.0, 0.1],
            "profit_per_customer": [0.0, 0.5],
            "treat_all_per_customer": [-1.0] * 2,
        }
    )
    svg = pictures.profit(profits).svg
    ids = re.findall(r'\bid="([^"]+)"', svg)
    assert len(ids) == len(set(ids)) >= 3
    assert all(name.startswith("profit-") for name in ids)
    assert set(re.findall(r"url\(#([^)]+)\)", svg)) <= set(ids)


def test_a_picture_has_a_title_and_a_description_that_readers_of_the_screen_hear() -> None:
    picture = segments("Москва", "上海")
    root = ET.fromstring(picture.svg)
    labelled_by = root.attrib["aria-labelledby"].split()
    heard = [root.find(f".//*[@id='{name}']").text for name in labelled_by]  # type: ignore[union-attr]
    assert root.attrib["role"] == "img"
    assert heard == [picture.title, picture.description]
    assert picture.description == "Москва: 5.0 % of 100; 上海: 5.0 % of 100; all: 4.0 %."


@pytest.mark.parametrize(
    "name", ["上海浦东新区", "Республика Коми", "ירושלים", "München & Söhne", "a < b > c", "'\""]
)
def test_names_in_any_script_stay_text(name: str) -> None:
    assert name in text_of(segments(name, "other"))


def test_letters_are_named_by_font_family_once_and_never_drawn_as_outlines() -> None:
    svg = segments("上海", "Москва").svg
    assert svg.count("font-family") == 1
    assert theme.FONT_FAMILY in svg


@pytest.mark.parametrize(
    "name",
    [
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "]]>--><b>",
        'x role="graphics-symbol" id="taken" 1.23456',
        "datum.n > 3 ? 'a' : 'b'",
    ],
)
def test_a_name_is_never_markup_nor_an_expression(name: str) -> None:
    picture = segments(name, "other")
    tags = {element.tag.removeprefix(SVG) for element in ET.fromstring(picture.svg).iter()}
    assert name in text_of(picture)
    assert tags <= {"svg", "title", "desc", "g", "path", "line", "text", "rect"}


def test_a_name_is_one_line_without_what_xml_forbids_or_turns_the_direction_about() -> None:
    assert plain("a\x00b\nc\t d\u202egnissim\ufffe") == "ab c dgnissim"


#    given                    columns  shown
@pytest.mark.parametrize(
    ("given", "columns", "shown"),
    [
        ("Moscow", 6, "Moscow"),
        ("Moscow", 5, "Mosc…"),
        ("上海浦东新区", 12, "上海浦东新区"),
        ("上海浦东新区", 8, "上海浦…"),
        ("Кёльн", 5, "Кёльн"),  # e with a combining mark takes one column
    ],
)
def test_a_long_name_is_cut_by_the_columns_it_takes(given: str, columns: int, shown: str) -> None:
    assert shortened(given, columns) == shown


def test_a_picture_for_places_that_need_pixels_is_a_png_of_twice_the_size_with_a_margin() -> None:
    picture = segments("上海", "Москва")
    png = picture.png()
    width, height = struct.unpack(">II", png[16:24])
    drawn_width, drawn_height = (
        float(part) for part in re.findall(r' (?:width|height)="([^"]*)"', picture.svg)[:2]
    )
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    assert (width, height) == (2 * (drawn_width + 28), 2 * (drawn_height + 28))
    assert picture.png() == png


def test_a_name_that_cannot_be_an_id_is_refused() -> None:
    chart = alt.Chart(pl.DataFrame({"x": [1.0]})).mark_bar().encode(x="x:Q")
    with pytest.raises(ValueError, match="lower case"):
        drawn(chart, Words("my picture", "", ""))


def test_each_band_is_darker_than_the_one_below_it_so_grey_print_keeps_the_order() -> None:
    def luminance(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    shades = [luminance(colour) for colour in theme.BAND_COLOURS.values()]
    assert list(theme.BAND_COLOURS) == ["low", "watch", "high", "critical"]
    # WCAG 2.2, contrast ratio (L1 + 0.05) / (L2 + 0.05): neighbours differ by at least 1.3
    assert all((lower + 0.05) / (upper + 0.05) >= 1.3 for lower, upper in itertools.pairwise(shades))
    # text on paper: at least 4.5
    assert all(
        1.05 / (luminance(colour) + 0.05) >= 4.5 for colour in (theme.INK, theme.MUTED, theme.REFERENCE)
    )
