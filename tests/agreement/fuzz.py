"""Lock cases made at random with both programs: ``python -m agreement.fuzz FIRST LAST [FEATURE …]`` in ``tests``.

Every difference is written to a file of the folder ``--into``; ``--shrink`` makes the first ones of each kind small.
"""

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from agreement.cases import Case, indexes
from agreement.compare import NEITHER, Both, Difference
from agreement.generate import at_random
from agreement.shrink import shrunk


def main() -> None:
    """Run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("first", type=int)
    parser.add_argument("last", type=int)
    parser.add_argument("features", nargs="*")
    parser.add_argument("--into", type=Path, default=Path("differences"))
    parser.add_argument("--shrink", type=int, default=0, metavar="N", help="as many of each kind")
    parser.add_argument("--only", default="", help="kinds that begin so are shrunk")
    options = parser.parse_args()
    options.into.mkdir(parents=True, exist_ok=True)
    counts: Counter[str] = Counter()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, indexes() as served:
        both = Both(served, Path(folder))
        for seed in range(options.first, options.last):
            case = at_random(seed, options.features)
            found = both.difference(case)
            counts[found.kind if found else "same"] += 1
            if found is None or found.kind.endswith(NEITHER):
                continue
            if counts[found.kind] <= options.shrink and found.kind.startswith(options.only):
                case, found = _small(both, case, found)
            report = {"seed": seed, "kind": found.kind, "case": case}
            text = f"{json.dumps(report, indent=1)}\n=====\n{found.details}\n"
            (options.into / f"{found.kind.replace(' ', '-').replace(':', '')}-{seed}.txt").write_text(text)
            sys.stdout.write(f"{seed} {found.kind}\n")
            sys.stdout.flush()
    sys.stdout.write(f"{dict(counts)} in {time.monotonic() - began:.0f} s\n")


def _small(both: Both, case: Case, found: Difference) -> tuple[Case, Difference]:
    last = [found]

    def is_interesting(smaller: Case) -> bool:
        try:
            other = both.difference(smaller)
        except Exception:  # noqa: BLE001 - a case that is no longer one
            return False
        if other is None or other.kind != found.kind:
            return False
        last[0] = other
        return True

    return shrunk(case, is_interesting), last[0]


if __name__ == "__main__":
    main()
