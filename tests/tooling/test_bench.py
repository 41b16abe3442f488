"""bin/bench prints one line of JSON with both sides of the comparison, or fails."""

import pytest

from devtools import bench
from devtools.say import Failed

LINE = '{"name": "x", "figure": 1.5, "unit": "/s", "yardstick": 1, "ratio": 1.5}'


def test_the_last_line_is_the_figure_and_the_rest_is_progress(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.line_of(f"warming up\n{LINE}\n")["ratio"] == 1.5
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("output", ["", "done\n", '{"name": "x"}\n', f"{LINE}\nbye\n", "[1]\n"])
def test_anything_else_is_a_failure(output: str) -> None:
    with pytest.raises(Failed):
        bench.line_of(output)
