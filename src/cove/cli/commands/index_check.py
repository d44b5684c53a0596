"""``cove index check``."""

from argparse import ArgumentParser

from cove.cli.context import Context
from cove.cli.render import Console, error_object
from cove.operations.index.probe import Probe, probe
from cove.wiring import Session

HELP = """Ask an index what it can do, and print the configuration that fits it.

Without an argument every index in force is asked. Exit status: 0 usable, 2 not."""
GROUPS = ("index", "output")


def arguments(parser: ArgumentParser) -> None:
    """The index, and ``--package``."""
    parser.add_argument("where", nargs="?", metavar="INDEX|URL", help="The name of a configured index, or a URL")
    parser.add_argument("--package", metavar="NAME", help="A package that the index has, to look at its page and files")


def run(context: Context) -> int:
    """Ask, and report."""
    arguments = context.arguments
    with Session(context.settings, environ=context.environ, cwd=context.cwd, listener=context.listener) as session:
        probes = probe(session, arguments.where, package=arguments.package)
    if context.settings.output_format == "json":
        context.console.json([_as_object(each) for each in probes])
    else:
        for number, each in enumerate(probes):
            if number:
                context.console.print("")
            _report(context.console, each)
    return 2 if any(each.error is not None for each in probes) else 0


def _report(console: Console, found: Probe) -> None:
    url = found.index.url.without_credentials()
    console.print(f"{found.index.name}: {url}" if found.index.name else str(url))
    width = max((len(finding.key) for finding in found.findings), default=0)
    for finding in found.findings:
        console.print(f"  {finding.key:<{width}}  {finding.text}")
    if found.error is not None:
        console.error(found.error)
    elif found.recommended:
        console.print("\nRecommended:\n")
        console.print(found.recommended.rstrip())


def _as_object(found: Probe) -> dict[str, object]:
    about: dict[str, object] = {
        "name": found.index.name,
        "url": found.index.url.public,
        "origin": str(found.index.origin),
        "package": found.package,
        "usable": found.error is None,
        "findings": {finding.key: {"value": finding.value, "text": finding.text} for finding in found.findings},
        "recommended": found.recommended,
    }
    return about | (error_object(found.error) if found.error is not None else {})
