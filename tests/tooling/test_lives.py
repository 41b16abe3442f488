"""Who judges a million lives must be able to find fault."""

import pytest

from bench.lives_script import DAY, GRACE, NOTICE, TICK, Fate, Script, verdict, write

ENDED = Script([(0.0, "end", 0.0)])
CAME_BACK = Script([(0.0, "end", 0.0), (5 * DAY, "back", 0.0)])


@pytest.mark.parametrize(("script", "fate", "word"), [
    (ENDED, Fate(GRACE), "in time"),
    (ENDED, Fate(GRACE + TICK), "in time"),
    (ENDED, Fate(GRACE - 0.001), "early"),
    (ENDED, Fate(GRACE + TICK + 0.001), "late"),
    (ENDED, Fate(None), "late"),
    (CAME_BACK, Fate(None), "kept"),
    (CAME_BACK, Fate(6 * DAY), "early"),
    (CAME_BACK, Fate(GRACE), "early"),
    (Script([(0.0, "end", 30 * DAY)]), Fate(NOTICE), "in time"),
    (Script([(0.0, "end", 30 * DAY)]), Fate(NOTICE - 1), "early"),
    (Script([*CAME_BACK.events, (6 * DAY, "end", 0.0)]), Fate(GRACE), "early"),
    (Script([*CAME_BACK.events, (6 * DAY, "end", 0.0)]), Fate(6 * DAY + GRACE), "in time"),
    (Script(ENDED.events, nobody_works=[(GRACE - DAY, GRACE + DAY)]), Fate(GRACE + DAY + TICK), "in time"),
    (Script(ENDED.events, nobody_works=[(GRACE - DAY, GRACE + DAY)]), Fate(GRACE + DAY + 2 * TICK), "late"),
    (ENDED, Fate(GRACE + 60 + TICK, held=[(GRACE + 1, GRACE + 60)]), "in time"),
    (ENDED, Fate(GRACE + 70, held=[(GRACE + 1, GRACE + 60)]), "late"),
])  # fmt: skip
def test_the_judge_tells_early_from_late(script: Script, fate: Fate, word: str):
    assert verdict(script, fate)[0] == word


def test_a_life_of_a_number_is_always_the_same_and_all_kinds_are_among_the_first():
    lives = [write(number) for number in range(300)]
    assert lives[7] == write(7)
    assert {len(one.events) > 1 for one in lives} == {len(one.events) > 2 for one in lives} == {True, False}
    assert {bool(one.nobody_works) for one in lives} == {bool(one.deaths) for one in lives} == {True, False}
