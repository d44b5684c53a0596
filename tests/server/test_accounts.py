import time

import pytest

from cove.errors import ConfigurationError
from cove.model.secret import Secret
from cove.server.accounts import Account, Accounts, hash_password, read_accounts

PASSWORD = Secret("pass:wörd")


@pytest.fixture(scope="module")
def account() -> Account:
    return Account("ann", hash_password(PASSWORD), may_upload=True)


def test_the_password_is_not_in_the_account(account: Account) -> None:
    assert PASSWORD.reveal() not in repr(account)


def test_only_the_right_pair_is_let_in(account: Account) -> None:
    accounts = Accounts([account])
    assert accounts.verify("ann", PASSWORD) == account
    assert accounts.verify("ann", Secret("other")) is None
    assert accounts.verify("bob", PASSWORD) is None
    assert accounts.verify("", Secret("")) is None


def test_what_was_verified_once_is_cheap(account: Account) -> None:
    accounts = Accounts([account])
    assert accounts.known("ann", PASSWORD) is None
    accounts.verify("ann", PASSWORD)
    started = time.perf_counter()
    assert all(accounts.known("ann", PASSWORD) == account for _ in range(100))
    assert time.perf_counter() - started < 0.1
    assert accounts.known("annp", Secret("ass:wörd")) is None


def test_accounts_are_read_from_lines(account: Account) -> None:
    text = f"# who may\n\nann:upload:{account.password_hash}\nbob:read:{account.password_hash}\n"
    assert read_accounts(text, "users") == (account, Account("bob", account.password_hash))


@pytest.mark.parametrize("line", ["ann", "ann:admin:$argon2id$x", "ann:read:plain-password"])
def test_a_bad_line_is_named_without_being_quoted(line: str) -> None:
    with pytest.raises(ConfigurationError, match="users:2") as caught:
        read_accounts(f"\n{line}\n", "users")
    assert "plain-password" not in str(caught.value)
