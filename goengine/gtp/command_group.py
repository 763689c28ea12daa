"""How commands are declared: methods of groups, marked with the names that GTP clients send.

`list_commands`, `known_command` and the dispatch all come from the marks; there is not another
list of commands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

from goengine.gtp.protocol import Arguments

if TYPE_CHECKING:
    from goengine.gtp.session import Session

Result = str | Iterator[str]
"""A whole result, or the lines of an analysis that runs until the next command."""
Handler = Callable[[Arguments], Result]
Method = TypeVar("Method", bound=Callable[..., Result])

_MARK = "gtp_names"


def command(*names: str) -> Callable[[Method], Method]:
    """Mark a method as the command of these names."""

    def mark(method: Method) -> Method:
        setattr(method, _MARK, names)
        return method

    return mark


class CommandGroup:
    """Commands of one theme; what they know is in the session."""

    def __init__(self, session: Session) -> None:
        self.session = session


def collect(groups: Sequence[CommandGroup]) -> dict[str, Handler]:
    """Return the handlers of all marked methods by name, in the order of their definition."""
    handlers: dict[str, Handler] = {}
    for group in groups:
        for attribute, method in vars(type(group)).items():
            for name in getattr(method, _MARK, ()):
                if name in handlers:
                    raise ValueError(f"two methods are marked as the command {name!r}")
                handlers[name] = getattr(group, attribute)
    return handlers
