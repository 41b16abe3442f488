"""The staff's site looks as it should without a style in its pages."""

import re

from django.test import Client
from unfold.settings import CONFIG_DEFAULTS

from devtools.paths import ROOT

FILE = ROOT / "static" / "css" / "staff-colors.css"


def test_every_colour_that_unfold_would_write_into_the_page_is_in_our_file() -> None:
    theirs = {f"{name}-{weight}" for name, weights in CONFIG_DEFAULTS["COLORS"].items() for weight in weights}
    assert set(re.findall(r"--color-([\w-]+): ", FILE.read_text())) == theirs
    assert "--border-radius: " in FILE.read_text()


def test_no_style_is_in_the_page_and_the_file_is(staff_site: Client) -> None:
    page = staff_site.get("/admin/").content.decode()
    assert "<style" not in page
    assert "css/staff-colors" in page
