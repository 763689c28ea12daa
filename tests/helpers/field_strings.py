"""Which fields of a dataclass have a string under them that explains them."""

from __future__ import annotations

import ast
import inspect
from dataclasses import is_dataclass
from itertools import pairwise


def explained_fields(kind: type) -> set[str]:
    """Name the fields of a dataclass and its bases that are followed by a string."""
    found: set[str] = set()
    for base in filter(is_dataclass, kind.__mro__):
        (definition,) = ast.parse(inspect.getsource(base)).body
        assert isinstance(definition, ast.ClassDef)
        for field, text in pairwise(definition.body):
            if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr):
                assert isinstance(field.target, ast.Name) and isinstance(text.value, ast.Constant)
                found.add(field.target.id)
    return found
