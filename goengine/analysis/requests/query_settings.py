"""`overrideSettings` and the like: the settings of an analysis, by KataGo's names."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from goengine.analysis.requests.json_fields import shorten
from goengine.types import GoError

Side = Literal["BLACK", "WHITE", "SIDETOMOVE"]
MOST_VISITS = 2**50
"""What the protocol allows; memory bounds a tree long before."""
_PROFILE = re.compile(
    r"(?:rank|preaz)_[1-9][0-9]?[kd](?:_[1-9][0-9]?[kd])?|proyear_[0-9]{4}", re.IGNORECASE
)


@dataclass(frozen=True)
class AnalysisSettings:
    """How positions are analysed unless a query says otherwise."""

    side: Side = "BLACK"
    """For whom win rates, scores and ownership speak."""
    visits: int = 500
    """Positions of a search, `maxVisits`."""
    seconds: float | None = None
    """Time of a search, `maxTime`; None sets no limit."""
    width: float = 0.04
    """Extra width at the root, `wideRootNoise`."""
    pv_length: int = 15
    """Moves of a variation at most, `analysisPVLen`."""
    report_every: float | None = None
    """Seconds between partial reports; None gives none."""
    human_profile: str | None = None
    """Whose policy `humanPolicy` gives; None gives none."""


WITHOUT_EFFECT = frozenset(
    {
        "allowSelfAtari",
        "analysisIgnorePreRootHistory",
        "assumeMultipleStartingBlackMovesAreHandicap",
        "conservativePass",
        "cpuctExploration",
        "cpuctExplorationLog",
        "fpuReductionMax",
        "homeDataDir",
        "humanSLChosenMoveIgnorePass",
        "humanSLChosenMoveProp",
        "humanSLRootExploreProbWeightful",
        "ignorePreRootHistory",
        "logAllRequests",
        "logAllResponses",
        "logDir",
        "logFile",
        "logSearchInfo",
        "logToStderr",
        "maxPlayouts",
        "nnCacheSizePowerOfTwo",
        "nnMaxBatchSize",
        "nnMutexPoolSizePowerOfTwo",
        "nnRandomize",
        "numAnalysisThreads",
        "numNNServerThreadsPerModel",
        "numSearchThreads",
        "numSearchThreadsPerAnalysisThread",
        "playoutDoublingAdvantage",
        "playoutDoublingAdvantagePla",
        "rootFpuReductionMax",
        "rootNumSymmetriesToSample",
        "rootPolicyTemperature",
        "rootPolicyTemperatureEarly",
        "rootSymmetryPruning",
        "useLcbForSelection",
        "useUncertainty",
        "warnUnusedFields",
    }
)
"""Settings of KataGo's that are known and change nothing here."""


def with_settings(
    settings: AnalysisSettings, changes: Mapping[str, Any]
) -> tuple[AnalysisSettings, list[str]]:
    """Return settings with KataGo's names changed, and a sentence about those that do nothing.

    Raises:
        GoError: a value is impossible.
    """
    unknown = []
    idle = []
    for name, value in changes.items():
        if name == "reportAnalysisWinratesAs":
            settings = replace(settings, side=_side(value))
        elif name == "maxVisits":
            settings = replace(settings, visits=_whole(name, value, MOST_VISITS))
        elif name == "maxTime":
            settings = replace(settings, seconds=_number(name, value, 0.0, 1e20))
        elif name == "wideRootNoise":
            settings = replace(settings, width=_number(name, value, 0.0, 5.0))
        elif name == "analysisPVLen":
            settings = replace(settings, pv_length=_whole(name, value, 1000))
        elif name == "humanSLProfile":
            settings = replace(settings, human_profile=_profile(value))
        elif name in WITHOUT_EFFECT:
            idle.append(name)
        else:
            unknown.append(name)
    said = []
    if unknown:
        said.append(f"Unknown config params: {_listed(unknown)}")
    if idle:
        said.append(f"Config params without effect: {_listed(idle)}")
    return settings, said


def _side(value: object) -> Side:
    """Return the side that a word names."""
    for side in get_args(Side):
        if isinstance(value, str) and value.upper() == side:
            found: Side = side
            return found
    raise GoError(
        f"reportAnalysisWinratesAs must be BLACK, WHITE or SIDETOMOVE, not {shorten(value)}"
    )


def _profile(value: object) -> str | None:
    """Return a profile of people; the empty text is none."""
    text = value.strip() if isinstance(value, str) else None
    if text == "":
        return None
    if text is None or not _PROFILE.fullmatch(text):
        raise GoError(
            "humanSLProfile must be like rank_8k, rank_8k_3d, preaz_8k or proyear_1990, "
            f"not {shorten(value)}"
        )
    return text


def _number(name: str, value: object, least: float, most: float) -> float:
    """Return a number, which may be written as text."""
    try:
        found = math.nan if isinstance(value, bool) else float(str(value))
    except ValueError:
        found = math.nan
    if not least <= found <= most:
        raise GoError(f"{name} must be a number from {least:g} to {most:g}, not {shorten(value)}")
    return found


def _whole(name: str, value: object, most: int) -> int:
    """Return a whole number of at least 1, which may be written as text."""
    found = _number(name, value, 1, most)
    if found != int(found):
        raise GoError(f"{name} must be a whole number from 1 to {most}, not {shorten(value)}")
    return int(found)


def _listed(names: list[str]) -> str:
    """Return names in a row, the first of them where they are many."""
    return shorten(",".join(map(shorten, names)))
