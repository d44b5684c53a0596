"""Every error that ``cove`` raises on purpose.

The tree, with the exit status of the command line (uv's meaning: 1 = understood but cannot be met, 2 = wrong usage,
configuration, network or credentials) and, in brackets, the code under which ``docs/errors/<code>.md`` explains it::

    CoveError
    ├── Unmet                      1
    │   ├── NoSolution             1  [no-solution]           requirements contradict each other
    │   ├── ProjectNotFound        1  [project-not-found]     no index that was asked has the name
    │   ├── NoCompatibleFile       1  [no-compatible-file]    the version exists, but no file fits this target
    │   ├── PythonIncompatible     1  [python-incompatible]   requires-python excludes the interpreter
    │   ├── StaleLock              1  [stale-lock]            the lock no longer matches the project
    │   ├── IndexChanged           1  [index-changed]         a locked package would come from another index
    │   ├── HashMismatch           1  [hash-mismatch]         a file is not the one that was promised
    │   ├── InvalidArtifact        1  [invalid-artifact]      a wheel or sdist is malformed or hostile
    │   ├── BuildFailed            1  [build-failed]          a PEP 517 backend failed
    │   ├── NotInstalled           1  [not-installed]         what should be removed or run is not there
    │   └── DemoFailed             1  [demo-failed]           a step of `cove demo` was not as it must be
    ├── UsageError                 2  [usage]                 the command line contradicts itself
    ├── ConfigurationError         2  [configuration]         a file or variable holds something unusable
    │   └── UnknownIndex           2  [unknown-index]         a name is used that no configuration defines
    ├── NetworkError               2
    │   ├── IndexUnreachable       2  [index-unreachable]     no answer: DNS, connection, TLS, time-out
    │   ├── UnexpectedStatus       2  [unexpected-status]     an answer that is neither success nor absence
    │   ├── InvalidResponse        2  [invalid-response]      an answer that cannot be read
    │   ├── TruncatedDownload      2  [truncated-download]    fewer bytes than announced
    │   └── OfflineError           2  [offline]               needed the network, which was switched off
    ├── CredentialsError           2
    │   ├── CredentialsMissing     2  [credentials-missing]   401 and nothing was known to send
    │   ├── CredentialsRefused     2  [credentials-refused]   401 although something was sent
    │   └── AccessForbidden        2  [access-forbidden]      403
    ├── PublishRefused             2  [publish-refused]       the registry did not take the file
    ├── EnvironmentRefused         2  [environment-refused]   an environment that must not be changed
    └── PythonNotFound             2  [python-not-found]      no interpreter fits the request
"""

from typing import ClassVar


class CoveError(Exception):
    """Base of all. Carries values and sentences; ``cli.render`` alone decides how they look.

    ``message`` says what happened, naming package and index where there are any; ``causes`` say why, outermost first;
    ``hints`` say what to do next. None of the three ever holds a secret: URLs are given as ``Url``, which prints masked.
    """

    code: ClassVar[str] = ""
    exit_status: ClassVar[int] = 2

    def __init__(self, message: str, *, causes: tuple[str, ...] = (), hints: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.causes = causes
        self.hints = hints

    def __str__(self) -> str:
        return "\n".join((self.message, *(f"  cause: {cause}" for cause in self.causes)))


class Unmet(CoveError):
    """The request was understood and cannot be met.

    ``packages`` are the projects that it is about, ``indexes`` those that were asked for them, for programs.
    """

    exit_status = 1
    packages: tuple[str, ...] = ()
    indexes: tuple[str, ...] = ()


class NoSolution(Unmet):
    """The requirements contradict each other or what the indexes offer.

    ``lacking`` are requirements that no version of a project meets that could be chosen: its name, and the specifier.
    """

    code = "no-solution"
    lacking: tuple[tuple[str, str], ...] = ()


class ProjectNotFound(Unmet):
    """Every index that may answer for a name said that it does not have it."""

    code = "project-not-found"


class NoCompatibleFile(Unmet):
    """A version exists, but none of its files can be used on this target."""

    code = "no-compatible-file"


class PythonIncompatible(Unmet):
    """``requires-python`` excludes the interpreter."""

    code = "python-incompatible"


class StaleLock(Unmet):
    """The lock does not match the project, and writing it was not allowed."""

    code = "stale-lock"


class IndexChanged(Unmet):
    """A package would be taken from another index than the one it is locked from, and nobody said that it may."""

    code = "index-changed"


class HashMismatch(Unmet):
    """A file's digest differs from the one the index or the lock promised."""

    code = "hash-mismatch"


class InvalidArtifact(Unmet):
    """A wheel or sdist is malformed, or tries to reach outside its place."""

    code = "invalid-artifact"


class BuildFailed(Unmet):
    """A PEP 517 build backend failed."""

    code = "build-failed"


class NotInstalled(Unmet):
    """Something should be removed, run or upgraded that is not installed."""

    code = "not-installed"


class DemoFailed(Unmet):
    """A step of ``cove demo`` did not come out as it must."""

    code = "demo-failed"


class UsageError(CoveError):
    """The command line asks for things that contradict each other."""

    code = "usage"


class ConfigurationError(CoveError):
    """A configuration file or variable holds something unusable; the message names file and line, or the variable."""

    code = "configuration"


class UnknownIndex(ConfigurationError):
    """An index is named that no configuration defines."""

    code = "unknown-index"


class NetworkError(CoveError):
    """An index or another host gave no usable answer."""


class IndexUnreachable(NetworkError):
    """No answer at all: name resolution, connection, TLS or time-out."""

    code = "index-unreachable"


class UnexpectedStatus(NetworkError):
    """An HTTP status that means neither success nor absence."""

    code = "unexpected-status"


class InvalidResponse(NetworkError):
    """An answer arrived that is not what the protocol allows."""

    code = "invalid-response"


class TruncatedDownload(NetworkError):
    """Fewer bytes arrived than were announced."""

    code = "truncated-download"


class OfflineError(NetworkError):
    """The network would be needed, and ``--offline`` forbids it."""

    code = "offline"


class CredentialsError(CoveError):
    """An index wants to know who asks, or did not like the answer."""


class CredentialsMissing(CredentialsError):
    """The index answered 401 and no credential was known for it."""

    code = "credentials-missing"


class CredentialsRefused(CredentialsError):
    """The index answered 401 to a credential that was sent; the message says where that credential came from."""

    code = "credentials-refused"


class AccessForbidden(CredentialsError):
    """The index answered 403."""

    code = "access-forbidden"


class PublishRefused(CoveError):
    """The registry did not take a file."""

    code = "publish-refused"


class EnvironmentRefused(CoveError):
    """The environment must not be changed: not a virtual one, externally managed, or not ours."""

    code = "environment-refused"


class PythonNotFound(CoveError):
    """No interpreter fits the request."""

    code = "python-not-found"
