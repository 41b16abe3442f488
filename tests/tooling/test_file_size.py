"""A file that grows over 300 lines is split."""

from devtools.paths import ROOT
from devtools.tree import files

LONGEST = 300
COUNTED = {".py", ".css", ".js", ".html"}


def test_no_file_is_longer_than_three_hundred_lines() -> None:
    counted = [path for path in files() if path.suffix in COUNTED and "migrations" not in path.parts]
    assert len(counted) > 100
    sizes = {str(path): len((ROOT / path).read_text().splitlines()) for path in counted}
    assert {path: size for path, size in sizes.items() if size > LONGEST} == {}
