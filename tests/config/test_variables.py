import pytest
from hypothesis import given
from hypothesis import strategies as st

from cove.config.variables import Unset, as_written, expand, has_variables
from cove.model.url import Url

texts = st.text(st.characters(codec="ascii", exclude_characters="${}"), max_size=12)


@given(texts, st.text(max_size=8), texts)
def test_a_value_is_put_in_as_it_is(before: str, value: str, after: str) -> None:
    written = f"/{before}${{X}}{after}"
    if "://" in written:
        return
    if value:
        assert expand(written, {"X": value}) == f"/{before}{value}{after}"
    else:
        with pytest.raises(Unset, match=r"^X$"):
            expand(written, {"X": value})
    assert expand(f"{before}${{X:-{after}}}".replace("://", ""), {}) == f"{before}{after}".replace("://", "")


@given(st.text(min_size=1), st.text(min_size=1))
def test_user_info_means_what_the_variables_hold(user: str, password: str) -> None:
    try:
        expected = (user.encode() and user, password.encode() and password)
    except UnicodeEncodeError:  # lone surrogates cannot be sent
        return
    url = Url.parse(expand("https://${U}:${P}@${H:-example.com}/x/", {"U": user, "P": password}))
    assert url.password is not None
    assert (url.username, url.password.reveal()) == expected
    assert url.public == "https://example.com/x/"


def test_a_whole_url_may_be_a_variable() -> None:
    url = Url.parse(expand("${INDEX}simple/", {"INDEX": "https://u:p%2F@example.com/a/"}))
    assert (url.public, url.username) == ("https://example.com/a/simple/", "u")


@pytest.mark.parametrize(
    "text, kept",
    [
        ("https://example.com/${X}", "https://example.com/${X}"),
        ("https://${U}:${P}@example.com/", "https://${U}:${P}@example.com/"),
        ("https://user:${P}@example.com/", "https://user:${P}@example.com/"),
        ("https://${TOKEN}@example.com/", "https://${TOKEN}@example.com/"),
        ("https://${U}:secret@${H}/", "https://${H}/"),
        ("https://secret@${H}/a@b", "https://${H}/a@b"),
        ("https://${U:-a:b}:${P:-secret}@${H:-h/x@y}/", "https://${H:-h/x@y}/"),
        ("https://u:p${P}@example.com/", "https://example.com/"),
        ("./${X}", "./${X}"),
    ],
)
def test_what_is_written_has_no_secret(text: str, kept: str) -> None:
    assert as_written(text) == kept


@pytest.mark.parametrize("text", ["${}", "${a b}", "x${", "${1}", "${A:b}", "${A-b}"])
def test_what_begins_no_variable(text: str) -> None:
    assert has_variables(text)
    with pytest.raises(ValueError, match="begins no variable"):
        expand(text, {"A": "x"})
