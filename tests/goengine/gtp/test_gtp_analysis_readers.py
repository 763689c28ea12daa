"""Analysis lines as q5Go's and LizzieYzy's documents say that they are read."""

from __future__ import annotations

import re

from tests.helpers.counting_players import counting_engine
from tests.helpers.stub_players import result


def first_report(command: str) -> str:
    """Return the first line of an analysis after two moves."""
    engine = counting_engine()
    for line in ("play b C3", "play w E5"):
        result(engine, line)
    return next(line for line in result(engine, command).split("\n") if line.startswith("info "))


def test_q5go_finds_each_key_between_blanks_and_the_variation_last() -> None:
    """It shows a score only where both its mean and its deviation are there."""
    segments = first_report("kata-analyze b 10").split("info ")[1:]
    assert segments
    for segment in segments:
        for key in ("move", "visits", "winrate", "prior", "order", "scoreMean", "scoreStdev"):
            assert len(re.findall(rf"(?:^| ){key} \S+ ", segment)) == 1, key
        assert re.fullmatch(r".* pv( [A-HJ][1-7])+ ?", segment)


def test_lizzieyzy_reads_whole_numbers_from_lz_analyze() -> None:
    for segment in first_report("lz-analyze b 10").split("info ")[1:]:
        words = segment.split()
        for key in ("visits", "winrate", "prior", "lcb", "order"):
            assert words[words.index(key) + 1].lstrip("-").isdigit(), key


def test_lizzieyzy_finds_ownership_behind_the_moves_and_behind_each_variation() -> None:
    line = first_report("kata-analyze b 10 ownership true pvVisits true movesOwnership true")
    moves, ownership = re.split(r" ownership ", line, maxsplit=1)
    assert len(ownership.split()) == 49
    for segment in moves.split("info ")[1:]:
        words = segment.split()
        assert float(words[words.index("scoreMean") + 1]) <= 49
        pv, visits, own = (words.index(key) for key in ("pv", "pvVisits", "movesOwnership"))
        assert pv < visits < own and visits - pv == own - visits
        assert len(words[own + 1 :]) == 49
