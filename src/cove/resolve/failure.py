"""What the solver comes to where there is no solution, before it is told in words."""

from collections.abc import Sequence

from cove.resolve.catalogue import Catalogue
from cove.resolve.incompatibility import Incompatibility
from cove.resolve.term import Variable


class Failure(Exception):
    """A proof that there is no solution, and what its variables mean."""

    def __init__(self, proof: Incompatibility, variables: Sequence[Variable], catalogue: Catalogue) -> None:
        super().__init__()
        self.proof = proof
        self.variables = variables
        self.catalogue = catalogue

    @property
    def fulls(self) -> list[int]:
        """All values of each variable."""
        return [variable.full for variable in self.variables]
