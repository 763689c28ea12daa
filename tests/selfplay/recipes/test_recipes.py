"""Recipes: every shipped one parses and trains a few steps; every mistake is named."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import pytest
import torch

from cnncore.training.recipe_files import RecipeError, parse_settings
from selfplay.__main__ import main
from selfplay.recipes import (
    Growth,
    Recipe,
    describe_recipe,
    from_table,
    list_recipes,
    load_recipe,
)
from selfplay.training.policy_run import Run
from selfplay.training.trained_network import averaged_network
from tests.helpers.field_strings import explained_fields
from tests.helpers.small_archive import make_archive

torch.set_num_threads(1)


@pytest.mark.parametrize("name", list_recipes())
def test_shipped_recipes_parse_and_train(name: str, tmp_path: Path) -> None:
    recipe = load_recipe(name)
    layers = {"policy-residual": 22, "policy-residual-64": 14, "dual-96": 18}
    assert recipe.layers == layers.get(name, 13)
    archive = make_archive(tmp_path / "archive", facts=lambda number: {"komi": 6.5})
    small = replace(
        recipe,
        positions=16,
        batch=4,
        filters=8,
        layers=min(recipe.layers, 14),
        grow=tuple(Growth(0.5, 16) for _ in recipe.grow),
        sources={"even": 1.0},
        validate_every=8,
        validate_positions=4,
        report_steps=2,
        precision="float32",
    )
    run = Run(tmp_path / "run", small, archive, device=torch.device("cpu"))
    assert run.fit() == "finished"
    lines = run.files.metrics.read()
    assert [line["samples"] for line in lines if line["event"] == "train"] == [8, 16]
    assert all(line["loss"] > 0 for line in lines)


def test_a_residual_network_grows_while_it_learns(tmp_path: Path) -> None:
    recipe = Recipe(
        network="residual",
        filters=4,
        layers=6,
        positions=16,
        batch=4,
        grow=(Growth(0.5, 8),),
        future_moves=1,
        validate_every=8,
        validate_positions=4,
        report_steps=2,
        precision="float32",
    )
    archive = make_archive(tmp_path / "archive", games=60)
    run = Run(tmp_path / "run", recipe, archive, device=torch.device("cpu"))
    assert run.fit() == "finished"
    config = averaged_network(run.folder).config
    assert (config.kind, config.filters, config.layers) == ("residual", 8, 6)


def test_every_key_is_explained() -> None:
    assert explained_fields(Recipe) == {key.name for key in fields(Recipe)}


def test_the_recipes_are_listed_with_a_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["recipes"]) == 0
    lines = [line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()]
    assert [name for name, _ in lines] == list_recipes()
    told = [text for _, text in lines]
    assert told == [describe_recipe(name) for name in list_recipes()]
    assert all(len(text) > 20 and not text.startswith("#") for text in told)
    assert len(set(told)) == len(told)


def test_a_table_and_its_recipe_are_the_same() -> None:
    recipe = Recipe(sources={"pro": 0.5}, ranks={"9p": 2.0}, grow=(Growth(0.25, 256),), lr=0.5)
    assert from_table(recipe.table()) == recipe


def test_growth_follows_the_plan() -> None:
    recipe = Recipe(filters=32, positions=1000, grow=(Growth(0.3, 64), Growth(0.6, 96)))
    assert [recipe.filters_at(p) for p in (0, 299, 300, 599, 600, 999)] == [32, 32, 64, 64, 96, 96]
    assert [recipe.next_growth(p) for p in (0, 300, 599, 600)] == [300, 600, 600, 1000]


@pytest.mark.parametrize("name", list_recipes())
def test_a_network_has_grown_where_its_run_stops_to_grow(name: str) -> None:
    """0.14 * 3_200_000 is a little more than 448,000 in floating point."""
    recipe = load_recipe(name)
    for growth in recipe.grow:
        assert recipe.filters_at(int(growth.at * recipe.positions)) == growth.filters
    position, widths = 0, [recipe.filters]
    while (position := recipe.next_growth(position)) < recipe.positions:
        widths.append(recipe.filters_at(position))
    assert widths == [recipe.filters, *(growth.filters for growth in recipe.grow)]


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"filter": 3}, "unknown key 'filter'"),
        ({"filters": 64.5}, "filters = 64.5 should be of type int"),
        ({"filters": True}, "filters = True should be of type int"),
        ({"filters": 0}, "filters = 0; give at least 1"),
        ({"network": "spiral"}, "network = 'spiral'; choose from plain, residual"),
        ({"network": "residual", "layers": 13}, "layers = 13; a residual network has 2"),
        ({"norm": 1}, "norm = 1 should be of type bool"),
        ({"optimizer": "adam"}, "optimizer = 'adam'; choose from muon, sgd"),
        ({"schedule": "steps"}, "choose from trapezoid, cosine"),
        ({"decay": 1.5}, "decay = 1.5; give 0 to 1"),
        ({"grow": [{"at": 0.5}]}, "grow = "),
        ({"grow": [{"at": 0.5, "filters": 32}]}, "may only grow"),
        ({"sources": ["pro"]}, "should look like {kgs_6d = 0.6}"),
        ({"sources": {"pro": -1}}, "should look like {kgs_6d = 0.6}"),
        ({"ranks": {"9p": "much"}}, "should look like {9p = 2, 6d = 1}"),
        ({"recency": -1}, "recency = -1.0; give years, or 0 for none"),
        ({"lr": -1}, "lr = -1.0; give a number from 0"),
        ({"lr": float("nan")}, "lr = nan; give a number from 0"),
        ({"weight_decay": float("inf")}, "weight_decay = inf; give a finite number of at least 0"),
        ({"seed": -1}, "seed = -1; give a whole number from 0 to 2"),
        ({"seed": 2**63}, f"seed = {2**63}; give a whole number from 0 to 2"),
        ({"average": 1}, "average = 1.0; give 0 or a number below 1"),
        ({"momentum": 1}, "momentum = 1.0; give 0 or a number below 1"),
        ({"future_moves": -1}, "future_moves = -1; give a number from 0"),
        ({"validate_positions": 0}, "validate_positions = 0; give at least 1"),
    ],
)
def test_mistakes_are_named(table: dict[str, object], words: str) -> None:
    with pytest.raises(RecipeError, match=words):
        from_table(table)


def test_settings_are_toml_or_words() -> None:
    table = parse_settings(["lr=0.5", "optimizer=sgd", "sources={pro=1}", "norm=false"])
    assert table == {"lr": 0.5, "optimizer": "sgd", "sources": {"pro": 1}, "norm": False}
    with pytest.raises(RecipeError, match="'lr' has no '='"):
        parse_settings(["lr"])


def test_recipes_come_from_files_too(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("filters = 48\nlr = 1\n")
    assert load_recipe(str(file), ["batch=7"]) == Recipe(filters=48, lr=1.0, batch=7)
    file.write_text("filters = = 48")
    with pytest.raises(RecipeError, match="is not TOML"):
        load_recipe(str(file))
    file.write_bytes(b"# r\xe9seau\nfilters = 48")
    with pytest.raises(RecipeError, match="is not TOML: 'utf-8' codec"):
        load_recipe(str(file))
    with pytest.raises(RecipeError, match="no recipe file"):
        load_recipe(str(tmp_path / "absent.toml"))
    with pytest.raises(RecipeError, match="no recipe named 'policy-7'; shipped recipes: "):
        load_recipe("policy-7")
