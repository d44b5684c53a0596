import pytest
from hypothesis import given
from hypothesis import strategies as st

from cove.formats.tool_receipt import Program, Receipt, dump, parse
from cove.model.lock import LockedRequirement
from cove.model.name import Name

names = st.sampled_from([Name("foo"), Name("bar-baz"), Name("x2")])
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
requirements = st.builds(
    LockedRequirement, names, st.lists(names, max_size=2).map(tuple), specifier=texts, marker=texts, url=texts
)
programs = st.builds(Program, texts, texts, names)
entries = st.fixed_dictionaries({"name": texts, "url": texts, "default": st.booleans()})
options = st.fixed_dictionaries(
    {}, optional={"index": st.lists(entries, min_size=1, max_size=3), "no-index": st.just(True), "find-links": st.lists(texts)}
)  # fmt: skip


@given(
    st.builds(
        Receipt,
        st.lists(requirements, min_size=1, max_size=3).map(tuple),
        texts,
        st.lists(programs, max_size=3).map(tuple),
        options,
    )
)
def test_what_is_written_is_read(receipt: Receipt) -> None:
    assert parse(dump(receipt)) == receipt


def test_what_uv_wrote_is_read() -> None:
    receipt = parse(
        """
[tool]
requirements = [
    { name = "foo", specifier = "==1.0" },
    { name = "bar", extras = ["x"] },
]
entrypoints = [
    { name = "foo", install-path = "/home/me/bin/foo", from = "foo" },
]

[tool.options]
index = [{ name = "my", url = "https://example.com/simple", explicit = false, authenticate = "always" }]
index-strategy = "unsafe-best-match"
"""
    )
    assert receipt.requirements == (
        LockedRequirement(Name("foo"), specifier="==1.0"),
        LockedRequirement(Name("bar"), (Name("x"),)),
    )
    assert receipt.programs == (Program("foo", "/home/me/bin/foo", Name("foo")),)
    assert receipt.options["index-strategy"] == "unsafe-best-match"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[tool",
        "tool = 1",
        "[tool]\nrequirements = []",
        "[tool]\nrequirements = ['foo']",
        "[tool]\nrequirements = [{ name = '../foo' }]",
        "[tool]\nrequirements = [{ name = 'foo', extras = 'x' }]",
        "[tool]\nrequirements = [{ name = 'foo', specifier = 1 }]",
        "[tool]\nrequirements = [{ name = 'foo' }]\npython = 3",
        "[tool]\nrequirements = [{ name = 'foo' }]\nentrypoints = [{ name = 'foo' }]",
        "[tool]\nrequirements = [{ name = 'foo' }]\noptions = 1",
    ],
)
def test_what_is_no_receipt_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse(text)
