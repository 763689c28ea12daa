"""Random requests of two clients: nothing fails inside, and patches add up to the table."""

from __future__ import annotations

import random
from typing import Any

import pytest

from tests.helpers.web_client import HUMAN, PageClient, WebServer, engine

SGF = "(;SZ[7]KM[6.5]AB[cc];B[dd];W[ee](;B[cb]C[one])(;AW[aa]AE[dd]PL[B];B[dd];W[]))"
TOLD = ("cursor", "head", "players", "to_play", "result", "reason", "counting", "captures", "komi")


def request(page: PageClient, dice: random.Random) -> tuple[str, dict[str, Any]]:
    """Return a request with fields that may or may not make sense."""
    node = dice.choice([*page.nodes, "nowhere"])
    point = f"{dice.choice('ABCDEFG')}{dice.randint(1, 7)}"
    players = {colour: dice.choice([HUMAN, HUMAN, engine(2)]) for colour in ("black", "white")}
    clock = dice.choice([None, None, {"main": 0.05}, {"main": 5, "byo_yomi": 1, "periods": 2}])
    choices: list[tuple[str, dict[str, Any]]] = [
        *[("play", {"move": point})] * 8,
        *[("play", {"move": point, "at": node})] * 2,
        *[("goto", {"node": node})] * 4,
        ("pass", {}),
        ("pass", {}),
        ("undo", {"count": dice.randint(1, 3)}),
        ("undo", {}),
        ("resign", {}),
        ("delete", {"node": node}),
        ("promote", {"node": node}),
        ("annotate", {"node": node, "comment": point, "marks": {point: "circle"}}),
        ("set_players", players),
        ("new_game", {"size": 7, "clock": clock, **players}),
        ("new_game", {"size": 7, "handicap": dice.choice([0, 2, 4]), **players}),
        ("engine_move", {}),
        ("pause", {"on": dice.random() < 0.5}),
        ("hint", {}),
        ("count", {}),
        *[("toggle_dead", {"point": point})] * 2,
        ("accept_count", {}),
        ("cancel_count", {}),
        ("load_sgf", {"text": SGF}),
        ("get_sgf", {"analysis": dice.random() < 0.5}),
        ("analyse", {"on": dice.random() < 0.5, "visits": dice.randint(1, 20)}),
        ("review", {"visits": 2}),
        ("review", {"stop": True}),
        ("planes", {"node": node}),
        ("clock_claim", {}),
    ]
    return dice.choice(choices)


@pytest.mark.parametrize("seed", range(2))
def test_random_requests_leave_all_clients_with_one_table(
    seed: int, caplog: pytest.LogCaptureFixture
) -> None:
    dice = random.Random(seed)
    server = WebServer(visits=8)
    pages = [server.client(), server.client()]
    for _ in range(250):
        page = dice.choice(pages)
        name, fields = request(page, dice)
        refusal = page.do(name, **fields)
        assert refusal is None or refusal["key"] != "internal", (name, fields, refusal)
        faults = [e for other in pages for e in other.others if e.get("key") == "internal"]
        assert not faults
    pages[0].do("analyse", on=False)
    pages[0].do("review", stop=True)
    pages[0].do("set_players", black=HUMAN, white=HUMAN)
    pages.append(server.client())
    for _ in range(50):  # a late hint may still change something
        for page in pages:
            page.do("clock_claim")
        if len({page.table["version"] for page in pages}) == 1:
            break
    for page in pages[:2]:
        assert page.nodes == pages[2].nodes
        assert [page.table[name] for name in TOLD] == [pages[2].table[name] for name in TOLD]
    for page in pages:
        page.close()
    server.stop()
    assert not [record for record in caplog.records if record.levelname == "ERROR"]
