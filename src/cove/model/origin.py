"""Where a setting or a credential came from."""

from typing import Literal

from cove.model.dataclasses import dataclass

Kind = Literal["flag", "variable", "script", "project", "user", "system", "default", "url", "provider", "file"]


@dataclass(frozen=True, slots=True)
class Origin:
    """A place a person can go to and change something.

    ``name`` is the flag (``--index``), the variable (``UV_INDEX``), the file's path, or the provider (``netrc``);
    ``line`` is the 1-based line in that file where it is known, else 0.
    """

    kind: Kind
    name: str = ""
    line: int = 0

    def __str__(self) -> str:
        if self.kind == "default":
            return "default"
        if self.kind == "variable":
            return f"${self.name}"
        if self.line:
            return f"{self.name}:{self.line}"
        return self.name or self.kind


DEFAULT = Origin("default")
