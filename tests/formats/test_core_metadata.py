import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.metadata import parse_email
from packaging.requirements import InvalidRequirement, Requirement

from cove.errors import InvalidArtifact
from cove.formats import core_metadata
from cove.model.name import Name


def metadata(*lines: str, name: str = "acme", version: str = "1.0") -> bytes:
    return "\n".join(("Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *lines, "", "")).encode()


def test_what_resolution_needs() -> None:
    read = core_metadata.read(
        metadata(
            "Summary: a thing",
            "Requires-Python: >=3.9",
            "Requires-Dist: rich >=13 ; extra == 'color'",
            "Requires-Dist: httpx[http2]",
            "Provides-Extra: Color",
            "Dynamic: Classifier",
            name="Acme.Lib",
        )
    )
    assert (read.name, read.version, read.requires_python) == ("acme-lib", "1.0", ">=3.9")
    assert read.requires_dist == (Requirement("rich>=13; extra == 'color'"), Requirement("httpx[http2]"))
    assert read.provides_extra == (Name("color"),)
    assert read.dynamic == {"classifier"}


@pytest.mark.parametrize(
    "written, meant",
    [
        ("foo (>=1.0)", "foo>=1.0"),
        ("foo (>=1.0,)", "foo>=1.0"),
        ("foo>=1.0<2.0", "foo>=1.0,<2.0"),
        ("foo >=2.7.*", "foo>=2.7"),
        ("foo (!=3.0.*,>=2.*)", "foo!=3.0.*,>=2"),
        ("foo >= '2.7'; python_version >= '3'", "foo>=2.7; python_version >= '3'"),
        ("foo => 1.0", "foo>=1.0"),
        ("foo !=~5.0", "foo!=5.0"),
        ("foo ~=3", "foo~=3.0"),
        ("foo >=1.0.", "foo>=1.0"),
    ],
)
def test_mistakes_of_older_tools_are_repaired(written: str, meant: str) -> None:
    assert core_metadata.read_requirement(written) == Requirement(meant)


@pytest.mark.parametrize("written, meant", [(">=2.7.*", ">=2.7"), (">=3.6,", ">=3.6"), (">='3.6'", ">=3.6")])
def test_python_ranges_are_repaired(written: str, meant: str) -> None:
    assert core_metadata.read(metadata(f"Requires-Python: {written}")).requires_python == meant


@pytest.mark.parametrize(
    "data, reason",
    [
        (b"", "name"),
        (b"\x00\xff\xfe", "name"),
        (metadata(name="-x"), "name"),
        (metadata(version=""), "no version"),
        (metadata("Requires-Dist: foo bar baz"), "'foo bar baz'"),
        (metadata("Requires-Dist: foo; no_marker == 'x'"), "no_marker"),
        (metadata("Requires-Python: snake"), "'snake'"),
        (b"Metadata-Version: 3.0\nName: a\nVersion: 1\n", "version '3.0'"),
    ],
)
def test_what_cannot_be_read_is_quoted(data: bytes, reason: str) -> None:
    with pytest.raises(InvalidArtifact, match=reason):
        core_metadata.read(data)


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_any_line_ending(newline: str) -> None:
    assert core_metadata.read(metadata("Requires-Dist: a").decode().replace("\n", newline).encode()).version == "1.0"


def test_the_body_is_the_description_and_never_read_for_headers() -> None:
    data = metadata("Description-Content-Type: text/markdown") + b"# Title\n\nRequires-Dist: evil\n"
    assert core_metadata.read(data).requires_dist == ()
    assert core_metadata.raw_fields(data)["description"] == ["# Title\n\nRequires-Dist: evil\n"]


def test_latin_1_is_read_where_utf_8_is_not() -> None:
    assert core_metadata.raw_fields(b"Author: J\xfcrgen\n")["author"] == ["Jürgen"]


values = st.text("abcXYZ012 .,;:()<>=-_/äé", min_size=1, max_size=20).map(str.strip).filter(bool)


@given(
    st.lists(st.tuples(st.sampled_from(["Requires-Dist", "Classifier", "Provides-Extra"]), values), max_size=6),
    st.none() | values,
)
def test_headers_are_split_as_the_reference_splits_them(headers: list[tuple[str, str]], body: str | None) -> None:
    text = "Metadata-Version: 2.1\n" + "".join(f"{name}: {value}\n" for name, value in headers) + "\n" + (body or "")
    expected, unparsed = parse_email(text)
    assert not unparsed
    fields = core_metadata.raw_fields(text.encode())
    assert fields.get("requires-dist") == expected.get("requires_dist")
    assert fields.get("classifier") == expected.get("classifiers")
    assert fields.get("provides-extra") == expected.get("provides_extra")
    assert fields.get("description", [""]) == [expected.get("description", "")]


requirement_texts = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["foo", "Foo_Bar", "a", "a-", "-a", "foo.bar ", "zope.interface"]),
    st.sampled_from(["", "[a]", "[a,b]", "[a, b-c]", "[]", "[a,]", " [a] ", "[a_b]", "[A.b]", "[a- b]"]),
    st.sampled_from(
        ["", ">=1", " >=1,<2", "(>=1)", " (>=1, !=1.5.*) ", "(>=1", ">=1)", "==1.*", "===1-x", "~=1.4", ">=1 <2", "=>1",
         ">=1.*", "@ https://example.com/a.zip", ">= 1 , <2 ", ">1.0+local", "==1.0+local", "!=1,", "<2.0dev0"]
    ),
    st.sampled_from(
        ["", ";python_version>='3'", "; extra == 'test'", " ; extra == \"Te_st\"", "; nonsense", ";",
         "; os_name == 'nt' and extra == 'a'", "; python_version >= '3' # comment"]
    ),
)  # fmt: skip


@given(requirement_texts)
def test_requirements_are_what_packaging_makes_of_them(text: str) -> None:
    try:
        expected = Requirement(text)
    except InvalidRequirement:
        return  # what is repaired, and what is refused, is tested above
    found = core_metadata.read_requirement(text)
    assert (found, str(found), found.extras) == (expected, str(expected), expected.extras)
    assert str(found.marker) == str(expected.marker)


@given(requirement_texts)
def test_nothing_is_read_that_packaging_refuses_but_repaired(text: str) -> None:
    try:
        found = core_metadata.read_requirement(text)
    except InvalidArtifact:
        return
    assert Requirement(str(found)) == found


def test_a_requirement_that_is_too_deep_is_quoted_in_part() -> None:
    marker = "(" * 3000 + "os_name == 'a'" + ")" * 3000
    with pytest.raises(InvalidArtifact, match="too many parentheses") as caught:
        core_metadata.read_requirement(f"x; {marker}")
    assert len(caught.value.message) < 200
