import pytest

from cove.config.indexes import Indexes, build
from cove.config.merge import Tier, merge
from cove.config.settings import Given, Interface
from cove.errors import ConfigurationError, UnknownIndex
from cove.model.index import DEFAULT_INDEX_URL
from cove.model.origin import Kind, Origin

HERE = "file:///srv/"


def given(name: str, *values: object, kind: Kind = "flag", file: str = "/p/pyproject.toml") -> Tier:
    def origin(number: int) -> Origin:
        return Origin(kind, f"--{name}") if kind in ("flag", "variable") else Origin(kind, file, number + 1)

    return {name: tuple(Given(value, origin(number), HERE) for number, value in enumerate(values))}


def table(name: str = "", **more: object) -> dict[str, object]:
    named: dict[str, object] = {"name": name} if name else {}
    return {**named, "url": f"https://example.com/{name}", **{key.replace("_", "-"): more[key] for key in more}}


def tables(*values: object, kind: Kind = "project", file: str = "/p/pyproject.toml") -> Tier:
    return given("index", *values, kind=kind, file=file)


def indexes(*tiers: Tier, interface: Interface = "project") -> Indexes:
    return build(merge(tiers, interface=interface), {})


def search(*tiers: Tier, interface: Interface = "project") -> list[str]:
    found = indexes(*tiers, interface=interface).search
    return ["pypi" if index.url.public == DEFAULT_INDEX_URL else index.url.path.strip("/") for index in found]


def test_without_any_there_is_the_default() -> None:
    assert search() == ["pypi"]
    assert indexes().default == indexes().all[0]


def test_the_default_is_asked_last_wherever_it_stands() -> None:
    assert search(tables(table("a", default=True), table("b"))) == ["b", "a"]


def test_the_command_line_comes_before_files_and_names_shadow() -> None:
    tier = tables(table("a"), table("b", default=True))
    assert search(given("index", "b=https://example.com/flag"), tier) == ["flag", "a", "pypi"]


def test_only_the_first_default_counts() -> None:
    found = indexes(given("default-index", "https://example.com/flag"), tables(table("a", default=True)))
    assert [index.url.path for index in found.search] == ["/flag"]
    assert found.named("a").default


def test_explicit_indexes_are_known_but_not_asked() -> None:
    found = indexes(tables(table("a", explicit=True)))
    assert [index.name for index in found.search] == [""]
    assert found.named("a").explicit


def test_an_explicit_default_leaves_nothing_for_others() -> None:
    assert search(tables(table("a", explicit=True, default=True))) == []


@pytest.mark.parametrize("kind", ["flag", "variable"])
def test_index_url_of_the_command_outranks_the_default_of_a_file(kind: Kind) -> None:
    tier = tables(table("a", default=True))
    assert search(given("index-url", "https://example.com/flag", kind=kind), tier) == ["flag"]


def test_index_url_of_a_file_does_not() -> None:
    old = given("index-url", "https://example.com/old", kind="project")
    assert search(tables(table("a", default=True)), old) == ["a"]


def test_extra_indexes_of_the_command_come_after_tables_except_for_pip() -> None:
    extra = given("extra-index-url", "https://example.com/extra")
    assert search(extra, tables(table("a"))) == ["a", "extra", "pypi"]
    assert search(extra, tables(table("a")), interface="pip") == ["extra", "a", "pypi"]


def test_the_same_url_is_asked_once() -> None:
    assert search(tables(table("a"), {"name": "b", "url": "https://example.com/a"})) == ["a", "pypi"]


def test_no_index_leaves_find_links_only() -> None:
    found = indexes(given("no-index", True), given("find-links", "./wheels"), tables(table("a")))
    assert (found.search, found.all, found.default) == ((), (), None)
    assert [str(index.url) for index in found.find_links] == ["file:///srv/wheels"]
    assert found.find_links[0].format == "flat"
    with pytest.raises(UnknownIndex, match="--no-index"):
        found.named("a")


def test_a_bare_name_means_the_index_of_that_name() -> None:
    found = indexes(given("index", "a"), tables(table("b"), table("a", explicit=True, authenticate="always")))
    assert [index.name for index in found.search] == ["a", "b", ""]
    assert found.named("a").authenticate == "always"
    assert not found.named("a").explicit


def test_a_name_that_nothing_defines_is_an_error_with_what_there_is() -> None:
    with pytest.raises(UnknownIndex, match="`corpp`") as caught:
        indexes(given("index", "corpp"), tables(table("corp")))
    assert caught.value.hints == ("did you mean `corp`?", "a folder is written with a slash: `./corpp`")


@pytest.mark.parametrize(
    "text, url",
    [
        ("./a b", "file:///srv/a%20b"),
        ("../up", "file:///up"),
        ("/srv/x", "file:///srv/x"),
        ("C:\\x", "file:///C:/x"),
        ("n=./d", "file:///srv/d"),
        ("https://example.com/x=1/simple", "https://example.com/x=1/simple"),
    ],
)
def test_paths_and_urls(text: str, url: str) -> None:
    assert str(indexes(given("index", text)).search[0].url) == url


@pytest.mark.parametrize(
    "text", ["ftp://example.com/x", "localhost:80/simple", "n=git+https://example.com/x", "file:x"]
)
def test_unknown_schemes_are_errors_not_paths(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"scheme|absolute path"):
        indexes(given("index", text))


def test_a_url_that_cannot_be_read_is_not_quoted() -> None:
    with pytest.raises(ConfigurationError) as caught:
        indexes(tables({"name": "a", "url": "https://user:canary/x@example.com/"}))
    assert str(caught.value).startswith("/p/pyproject.toml:1: ")
    assert "canary" not in str(caught.value) + "".join(caught.value.hints)


@pytest.mark.parametrize(
    "broken, reason",
    [
        ({"url": "https://example.com", "explicit": True}, "needs a name"),
        (table("a b"), "' '"),
        (table("é"), "'é'"),
        ({"name": "a"}, "has no `url`"),
        ({"name": 1, "url": "x"}, "expected text"),
        ({"name": "a", "url": ""}, "not empty"),
        ({"name": "a", "url": 3}, "must be text"),
        (table("a", authenticate="maybe"), "auto, always, never"),
        (table("a", ignore_error_codes=[99]), "100 to 999"),
        (table("a", ignore_error_codes=[True]), "100 to 999"),
        (table("a", cache_control={"api": "x\r\ny: z"}), "header values"),
        (table("a", cache_control={"all": "x"}), "`api` and `files`"),
        (table("a", format="html"), "simple, flat"),
        (table("a", default="yes"), "true or false"),
        (table("a", hash_algorithm="crc"), "sha256"),
        (table("a", exclude_newer="soon"), "a date"),
        ("https://example.com", "expected a table"),
    ],
)
def test_tables_that_cannot_be_used_name_file_and_line(broken: object, reason: str) -> None:
    with pytest.raises(ConfigurationError, match=reason) as caught:
        indexes(tables(broken))
    assert str(caught.value).startswith("/p/pyproject.toml:1: ")


def test_everything_a_table_can_say() -> None:
    index = indexes(
        tables(
            table(
                "a", format="flat", publish_url="https://example.com/up", authenticate="never", ignore_error_codes=[403],
                cache_control={"api": "max-age=1"}, hash_algorithm="sha512", exclude_newer=False,
            )
        )
    ).named("a")  # fmt: skip
    assert (index.format, str(index.publish_url), index.authenticate) == ("flat", "https://example.com/up", "never")
    assert index.ignore_error_codes == {403}
    assert index.cache_control == {"api": "max-age=1"}
    assert (index.hash_algorithm, index.exclude_newer) == ("sha512", False)
    assert str(index.origin) == "/p/pyproject.toml:1"


def test_unknown_keys_are_warned_of_with_the_right_spelling() -> None:
    (notice,) = indexes(tables(table("a") | {"ignore_error_codes": [403]})).notices
    assert notice.message.startswith("/p/pyproject.toml:1: ")
    assert notice.hint == "did you mean `ignore-error-codes`?"


def test_variables_in_urls_are_replaced_and_kept_as_written() -> None:
    text = "https://${USER_NAME}:${TOKEN}@${HOST:-example.com}/${TEAM:-a/b}/simple"
    values = {"USER_NAME": "u", "TOKEN": "s/e@c", "TEAM": ""}
    found = build(merge([tables({"name": "a", "url": text, "publish-url": "https://${HOST:-h}/p"})]), values).named("a")
    assert (found.url.public, found.url.username) == ("https://example.com/a/b/simple", "u")
    assert found.url.password is not None
    assert found.url.password.reveal() == "s/e@c"
    assert found.publish_url is not None
    assert found.publish_url.public == "https://h/p"
    assert found.written_url == text


def test_a_variable_without_a_value_is_named_with_its_place() -> None:
    with pytest.raises(ConfigurationError, match=r"^/p/pyproject.toml:1: `url` needs .* `TOKEN`") as caught:
        indexes(tables({"name": "a", "url": "https://${TOKEN}@example.com/"}))
    assert "`${TOKEN:-…}`" in caught.value.hints[0]
    with pytest.raises(ConfigurationError, match="begins no variable"):
        indexes(tables({"name": "a", "url": "https://example.com/${a b}"}))


def test_a_variable_replaces_the_url_of_a_table() -> None:
    tier = tables(table("corp.x", default=True))
    found = build(merge([tier]), {"UV_INDEX_CORP_X_URL": "https://example.org/other"}).named("corp.x")
    assert (str(found.url), found.default) == ("https://example.org/other", True)
    assert str(found.origin_of("url")) == "$UV_INDEX_CORP_X_URL"
    assert str(found.origin_of("default")) == "/p/pyproject.toml:1"
    with pytest.raises(ConfigurationError, match=r"^\$UV_INDEX_CORP_X_URL: a URL or an absolute path"):
        build(merge([tier]), {"UV_INDEX_CORP_X_URL": "wheels"})


def test_a_variable_that_two_indexes_would_read() -> None:
    tier = tables(table("a-b"), table("a.b"))
    assert len(build(merge([tier]), {}).all) == 3
    with pytest.raises(ConfigurationError, match=r"\$UV_INDEX_A_B_URL would be read by two indexes, `a-b` and `a.b`"):
        build(merge([tier]), {"UV_INDEX_A_B_URL": "https://example.org/"})


def test_duplicates_are_errors_in_pyproject_and_warnings_in_uv_toml() -> None:
    twice = (table("a"), {"name": "a", "url": "https://example.com/other"})
    with pytest.raises(ConfigurationError, match=r"pyproject.toml:2: .*`a` is already used on line 1"):
        indexes(tables(*twice))
    found = indexes(tables(*twice, file="/p/uv.toml"))
    assert [index.url.path for index in found.search] == ["/a", "/simple"]
    assert len(found.notices) == 1


def test_two_defaults_in_one_file() -> None:
    twice = (table("a", default=True), table("b", default=True))
    with pytest.raises(ConfigurationError, match="already marked as default on line 1"):
        indexes(tables(*twice))
    assert search(tables(*twice, file="/p/uv.toml")) == ["a"]
    assert search(tables(twice[0]), tables(twice[1], kind="user", file="/u/uv.toml")) == ["a"]


def test_routes_belong_to_an_index_that_is_there() -> None:
    routes = given("index-options", {"a": {"packages": ["Acme_*", "x"]}}, kind="project")
    assert indexes(tables(table("a")), routes).named("a").packages == ("acme-*", "x")
    with pytest.raises(UnknownIndex, match="belongs to no index"):
        indexes(tables(table("b")), routes)


@pytest.mark.parametrize("route", [{"package": ["x"]}, {"packages": [""]}, {"packages": [1]}, ["x"]])
def test_routes_that_cannot_be_used(route: object) -> None:
    with pytest.raises(ConfigurationError, match=r"tool\.cove\.index\.a"):
        indexes(tables(table("a")), given("index-options", {"a": route}, kind="project"))


def test_a_missing_name_is_named() -> None:
    with pytest.raises(UnknownIndex, match="no index is named `b`") as caught:
        indexes(tables(table("alpha"), table("omega"))).named("b")
    assert "`alpha`, `omega`" in caught.value.hints[0]


def options(**values: object) -> Tier:
    return given(
        "index-options", {"a": {key.replace("_", "-"): value for key, value in values.items()}}, kind="project"
    )


def test_all_options_of_cove() -> None:
    tier = options(
        on_unreachable="cached",
        mirrors=["https://u:p@example.org/simple"],
        allow_redirect_to=["https://files.example.org/", "http://127.0.0.1:8080", "any"],
        ca_cert="ca.pem",
        client_cert="/etc/client.pem",
        proxy="socks5://127.0.0.1:1080",
        timeout=2,
        concurrency=4,
    )
    found = indexes(tables(table("a")), tier).named("a")
    assert found.on_unreachable == "cached"
    assert [mirror.public for mirror in found.mirrors] == ["https://example.org/simple"]
    assert found.allow_redirects_to == ("https://files.example.org", "http://127.0.0.1:8080", "any")
    assert (found.ca_cert, found.client_cert) == ("/srv/ca.pem", "/etc/client.pem")
    assert str(found.proxy) == "socks5://127.0.0.1:1080"
    assert (found.timeout, found.concurrency) == (2.0, 4)


@pytest.mark.parametrize(
    "option",
    [
        {"on_unreachable": "ignore"},
        {"mirrors": ["./folder"]},
        {"mirrors": ["ftp://example.org/"]},
        {"mirrors": ["https://${COVE_TEST_UNSET}/"]},
        {"allow_redirect_to": ["example.org"]},
        {"allow_redirect_to": ["https://example.org/path"]},
        {"ca_cert": 3},
        {"ca_cert": ""},
        {"proxy": "ftp://example.org"},
        {"timeout": 0},
        {"timeout": "3s"},
        {"timeout": float("nan")},
        {"concurrency": 0},
        {"concurrency": True},
    ],
    ids=str,
)
def test_options_that_cannot_be_used(option: dict[str, object]) -> None:
    with pytest.raises(
        ConfigurationError, match=r"^/p/pyproject.toml:1: `.*` of `\[tool\.cove\.index\.a\]` cannot be used"
    ):
        indexes(tables(table("a")), options(**option))


def test_an_unknown_option_is_an_error_that_guesses() -> None:
    with pytest.raises(ConfigurationError, match="has the key `on_unreachable`") as caught:
        indexes(tables(table("a")), given("index-options", {"a": {"on_unreachable": "skip"}}, kind="project"))
    assert caught.value.hints == ("did you mean `on-unreachable`?",)


def test_options_of_several_files_add_up_key_by_key() -> None:
    user = given("index-options", {"a": {"packages": ["y"], "timeout": 9}}, kind="user", file="/u/cove.toml")
    found = indexes(tables(table("a")), options(packages=["x"]), user).named("a")
    assert (found.packages, found.timeout) == (("x",), 9.0)
    assert [str(found.origin_of(key)) for key in ("packages", "timeout")] == ["/p/pyproject.toml:1", "/u/cove.toml:1"]


def test_an_empty_name_has_no_options() -> None:
    with pytest.raises(UnknownIndex):
        indexes(tables(table()), given("index-options", {"": {"packages": ["x"]}}, kind="project"))
