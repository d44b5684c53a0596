"""What there is to say of a version that has to be built to be known, and cannot be."""

from collections.abc import Iterable

from packaging.version import Version

from cove.errors import BuildFailed
from cove.index.candidates import Releases
from cove.model.candidate import Candidate
from cove.resolve.phrases import and_list


def unbuilt(error: BuildFailed, candidate: Candidate, releases: Releases) -> BuildFailed:
    """The error of a build with why it had to be, and with the versions that need none.

    Such an error ends a resolution, as it does in uv: which versions can be built must not change what is chosen.
    """
    name, version = candidate.name, candidate.version
    return BuildFailed(
        f"`{name}=={version}` from {candidate.index.label} had to be built to learn what it requires, and that failed",
        causes=(
            f"{name} {version} {releases.why_no_wheel(version)}, and its sdist does not state what it requires",
            error.message,
            *error.causes,
        ),
        hints=(*error.hints, *_without_a_build(candidate, releases)),
    )


def _without_a_build(candidate: Candidate, releases: Releases) -> Iterable[str]:
    name, version = candidate.name, candidate.version
    judged = map(releases.judge, releases.versions)
    ready = [each.version for each in judged if each is not None and each.is_wheel and _is_plain(each)]
    if not ready:
        yield f"no version of {name} on {releases.index.label} has a wheel that could be used instead"
        return
    texts = [f"{name} {each}" for each in _nearest(version, ready)]
    yield (
        f"{and_list(texts)} {'needs' if len(texts) == 1 else 'need'} no build, for there are wheels: "
        f"`--no-build-package {name}` (`--only-binary {name}` for the pip commands) chooses only such versions"
    )


def _is_plain(candidate: Candidate) -> bool:
    return candidate.yanked is None and not candidate.version.is_prerelease


def _nearest(version: Version, ready: list[Version]) -> list[Version]:
    """Of ascending versions the last before ``version``, the first after it, and the last."""
    below = [each for each in ready if each < version][-1:]
    above = [each for each in ready if each > version]
    return list(dict.fromkeys([*below, *above[:1], *above[-1:]]))
