"""GitLab's package registry, of a project or a group."""

import re

from cove.model.url import Url
from cove.registries.registry import Registry, without_simple

_SIMPLE = re.compile(r"(?:/.*)?/api/v4/(?:projects/[^/]+|groups/[^/]+/-)/packages/pypi/simple/?")


def _recognise(url: Url) -> bool:
    return _SIMPLE.fullmatch(url.path) is not None


def _publish_url(index_url: Url) -> Url | None:
    """A group's index is read-only: a package belongs to a project."""
    return None if "/groups/" in index_url.path else without_simple(index_url, ending="")


GITLAB = Registry(
    "gitlab",
    "GitLab",
    _recognise,
    username="__token__",
    publish_url=_publish_url,
    login=(
        (
            "GitLab takes the user name __token__ and a personal access token with the scope read_api as password; "
            "in a job, gitlab-ci-token and $CI_JOB_TOKEN"
        ),
    ),
    duplicates=((400, "already been taken"), (409, "")),
    notes=(
        (
            404,
            'GitLab answers 404 for what you may not see; set `authenticate = "always"` if nobody may read anonymously',
        ),
        (
            302,
            (
                "GitLab redirects to a public index for what it does not have and for what you may not see, "
                'if "Forward PyPI package requests" is on; switch that off in its settings'
            ),
        ),
    ),
)
