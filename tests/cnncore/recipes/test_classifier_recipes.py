"""Recipes of the classifiers: shipped ones are sound, others are checked."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import pytest

from cnncore import create_model
from cnncore.classification.classifier_run import (
    make_optimizers,
)
from cnncore.classification.run_inputs import new_model
from cnncore.recipes import Recipe, from_table, list_recipes, load_recipe
from cnncore.training.recipe_files import RecipeError
from tests.helpers.field_strings import explained_fields
from tests.helpers.small_classifier_runs import RECIPE, new_run


def test_every_shipped_recipe_is_sound() -> None:
    names = list_recipes()
    assert {"default", "lenet5", "lenet5-1998", "resnet20-cifar", "transfer"} <= set(names)
    for name in names:
        recipe = load_recipe(name)
        assert from_table(recipe.table()) == recipe


def test_every_key_is_explained() -> None:
    assert explained_fields(Recipe) == {key.name for key in fields(Recipe)}


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("epocs=3", "unknown key 'epocs'; known keys: all_words, area"),
        ("batch=0", "batch = 0; give at least 1"),
        ("batch=1.5", "batch = 1.5 should be of type int"),
        ("lr=0", "lr = 0.0; give a finite number above 0"),
        ("average=1", "average = 1.0; give 0 or a number below 1"),
        ("freeze=conv1", "freeze = 'conv1' should be of type list"),
        ("optimizer=lion", "optimizer = 'lion'; choose from sgd, adam"),
        ("crop=all", "crop = 'all'; choose from none, random, jitter, resized"),
        ("decay=1.5", "decay = 1.5; give 0 to 1"),
        ("clip=nan", "clip = nan; give a finite number of at least 0"),
        ("cache_views=2", r'cache_views = 2 needs freeze = \["backbone"\]'),
        ("unfreeze_after=-1", "unfreeze_after = -1.0; give a finite number of at least 0"),
        ("unfreeze_after=inf", "unfreeze_after = inf; give a finite"),
        ("epochs=inf", "epochs = inf; give a finite number above 0"),
        ("validate_every=inf", "validate_every = inf; give a finite"),
        ("warmup=inf", "warmup = inf; give a finite"),
        ("colour=nan", "colour = nan; give a finite"),
        ("epochs=1" + "0" * 400, "0 should be of type float"),
        ("seed=9223372036854775808", r"seed = 9223372036854775808; give a whole number from 0"),
        ("scales=['a', 'b']", r"scales = \('a', 'b'\); give the least and the largest side"),
        ("scales=[256]", r"scales = \(256,\); give the least"),
        ("freeze=[1]", r"freeze = \(1,\); give names of layers"),
        ("options={num_classes=3}", "options = {'num_classes': 3}; leave out num_classes, weigh"),
        ("lr", "setting 'lr' has no '='"),
    ],
)
def test_recipes_refuse_what_makes_no_sense(setting: str, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        load_recipe("default", [setting])
    with pytest.raises(RecipeError, match="no recipe named 'lenet'; shipped recipes: default"):
        load_recipe("lenet")


def test_recipes_that_do_not_fit_their_model_are_refused(tmp_path: Path) -> None:
    whole = replace(RECIPE, freeze=("features", "classifier"))
    with pytest.raises(RecipeError, match="nothing of lenet5 is left to learn, leave a layer out"):
        new_run(tmp_path, whole)
    words = {"vocabulary": 9, "dimension": 4, "maps": 2}
    for optimizer in ("adam", "adadelta"):
        clipped = replace(RECIPE, clip=1.0, optimizer=optimizer)
        with pytest.raises(RecipeError, match=f"clip = 1.0; {optimizer} learns word vectors by"):
            make_optimizers(create_model("kim-rand", **words), clipped)
        make_optimizers(create_model("kim-static", **words), clipped)
    with pytest.raises(RecipeError, match=r"options = {'in_channels': '1'}; lenet5 cannot be made"):
        new_model("lenet5", 3, replace(RECIPE, options={"in_channels": "1"}))


def test_settings_are_toml_or_bare_words(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("epochs = 3\noptions = { pool = 'average' }\n")
    recipe = load_recipe(str(path), ["optimizer=adam", "freeze=['conv1']", "scales=[8, 9]"])
    assert (recipe.epochs, recipe.optimizer, recipe.freeze) == (3.0, "adam", ("conv1",))
    assert (recipe.options, recipe.scales) == ({"pool": "average"}, (8, 9))
    path.write_text("epochs = 4", encoding="utf-8-sig")
    assert load_recipe(str(path)).epochs == 4.0
    path.write_text("epochs = ")
    with pytest.raises(RecipeError, match=r"mine.toml is not TOML"):
        load_recipe(str(path))
    with pytest.raises(RecipeError, match="no recipe file"):
        load_recipe(str(tmp_path / "gone.toml"))
