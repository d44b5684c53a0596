"""The one place where objects are built from settings, and closed.

Operations take from a ``Session`` what they need in their first lines and hand on narrow objects; nothing below imports this
module. Everything is made when it is first asked for, and imported then: a command that needs no network loads no client.
"""

import os
import sys
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from threading import BoundedSemaphore, RLock, Thread
from types import TracebackType
from typing import TYPE_CHECKING, Generic, Self, TypeVar, overload

from cove import __version__
from cove.config.folders import cache_folder, credentials_file, data_folder, home, keyring_places
from cove.config.indexes import Indexes
from cove.config.load import indexes
from cove.config.settings import Settings
from cove.errors import CoveError
from cove.model.event import Event, Listener, Warned, ignore
from cove.model.name import Name

if TYPE_CHECKING:  # names of what is imported when it is made
    from cove.auth.chain import CredentialChain
    from cove.auth.tokens import Tokens
    from cove.http.client import Client
    from cove.http.messages import Layer
    from cove.http.transport import Transport, TransportOptions
    from cove.index.chain import Kept, Router
    from cove.index.flat import FlatIndex
    from cove.index.simple import SimpleIndex
    from cove.index.source import Marked
    from cove.install.store import Store
    from cove.model.index import Index

T = TypeVar("T")

_MOST_THREADS = 40
"""More workers than this only wait for each other."""


class _Made(Generic[T]):
    """An attribute that is made when it is first asked for, once, whichever thread asks."""

    def __init__(self, make: Callable[["Session"], T]) -> None:
        self._make = make
        self.__doc__ = make.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, session: None, owner: type) -> Self: ...
    @overload
    def __get__(self, session: "Session", owner: type) -> T: ...
    def __get__(self, session: "Session | None", owner: type) -> "Self | T":
        if session is None:
            return self
        with session.making:
            made = session.__dict__
            if self._name not in made:
                made[self._name] = self._make(session)
            found: T = made[self._name]
            return found


class Begun(Generic[T]):
    """Work that goes on in a thread of its own."""

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self._done: list[T] = []
        self._error: BaseException | None = None
        self._thread = Thread(target=self._run, name="cove-ahead")
        self._thread.start()

    def _run(self) -> None:
        try:
            self._done.append(self._work())
        except BaseException as error:  # noqa: BLE001 - it is raised where the result is asked for
            self._error = error

    def wait(self) -> None:
        """Return when it has ended, however that was."""
        self._thread.join()

    def result(self) -> T:
        """What came of it; raises what it raised."""
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._done[0]


class Session:
    """The objects of one run, from one set of settings; a context manager that closes them."""

    def __init__(
        self, settings: Settings, *, environ: Mapping[str, str], cwd: Path, listener: Listener = ignore
    ) -> None:
        self.settings = settings
        self.environ = environ
        self.cwd = cwd
        self.has_warned = False
        """Whether somebody was warned of something in this run."""
        self._listener = listener
        self.making = RLock()
        self.may_ask_people = True
        self._exits = ExitStack()
        self._asking: list[SimpleIndex | FlatIndex] = []
        self._asked_ahead: list[Begun[None]] = []
        self._is_interrupted = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._is_interrupted = kind is KeyboardInterrupt
        self._exits.__exit__(kind, error, traceback)

    def listener(self, event: Event) -> None:
        """Tell of ``event`` whoever listens to this run."""
        self.has_warned |= isinstance(event, Warned)
        self._listener(event)

    def with_settings(self, settings: Settings) -> "Session":
        """A session that differs from this one in its settings, and is closed with it."""
        other = Session(settings, environ=self.environ, cwd=self.cwd, listener=self.listener)
        return self._exits.enter_context(other)

    def undisturbing(self, listener: Listener) -> "Session":
        """A session that asks no person anything and reports to ``listener``, and is closed with this one."""
        other = Session(self.settings, environ=self.environ, cwd=self.cwd, listener=listener)
        other.may_ask_people = False
        return self._exits.enter_context(other)

    @_Made
    def indexes(self) -> Indexes:
        """The indexes in force; what there is to say about their definitions is reported."""
        found = indexes(self.settings, self.environ)
        for notice in found.notices:
            self.listener(notice)
        return found

    @_Made
    def cache_dir(self) -> Path:
        """The folder of the cache, with ``--no-cache`` one that is removed at the end."""
        if self.settings.no_cache:
            from tempfile import TemporaryDirectory

            return Path(self._exits.enter_context(TemporaryDirectory(prefix="cove-cache-")))
        return cache_folder(self.settings, self.environ)

    @_Made
    def store(self) -> "Store":
        """Wheels and sdists, unpacked once."""
        from cove.install.store import Store

        return Store(self.cache_dir, self.listener)

    @_Made
    def credentials(self) -> "CredentialChain":
        """Who we are, for which index."""
        from cove.auth.chain import CredentialChain
        from cove.auth.providers import ProviderOptions, make_providers
        from cove.auth.providers.netrc import netrc_path
        from cove.registries import recognise

        found = self.indexes
        known = (*found.all, *found.find_links)
        options = ProviderOptions(
            indexes=known,
            environ=self.environ,
            netrc=netrc_path(self.environ, home(self.environ)),
            store=credentials_file(self.settings, self.environ),
            keyring=self.settings.keyring_provider,
            tools=keyring_places(self.settings, self.environ),
            on_terminal=self._has_somebody_to_ask(),
            data=data_folder(self.settings, self.environ),
            trust_commands=self.settings.trust_credential_commands,
            native=self.settings.native_auth,
            tokens=lambda: self.tokens,
            services=lambda: self.service_client,
            offline=self.settings.offline,
            listener=self.listener,
        )
        return CredentialChain(
            known,
            make_providers(options),
            whole_realm=lambda index: recognise(index.url).shares_realm,
            listener=self.listener,
        )

    def _has_somebody_to_ask(self) -> bool:
        """Whether a person sits at a terminal, and was not promised silence; no pipeline (``CI``) has one."""
        if not self.may_ask_people or self.environ.get("CI") or self.settings.quiet or self.settings.no_progress:
            return False
        return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr))

    @_Made
    def tokens(self) -> "Tokens":
        """Tokens that end, kept from run to run."""
        from cove.auth.tokens import Tokens
        from cove.config.folders import data_folder

        return Tokens(data_folder(self.settings, self.environ), self.listener)

    @_Made
    def client(self) -> "Client":
        """The HTTP client, through all its layers."""
        from cove.http.cache import Cache

        refresh = self.settings.refresh or bool(self.settings.refresh_package)
        return self._client(
            Cache(self.cache_dir / "pages", owner=self.credentials.owner, refresh=refresh, listener=self.listener)
        )

    def uncached_client(self, layer: "Layer") -> "Client":
        """The same with ``layer`` in the place of the cache of pages."""
        return self._client(layer)

    @_Made
    def bare_client(self) -> "Client":
        """A client that sends each request once and as it is: for those who want to see what a server says."""
        from cove.http.client import Client
        from cove.http.offline import Offline

        layers = (Offline(),) if self.settings.offline else ()
        return Client(self._transport, layers, self.listener, headers=self._shows_headers)

    @_Made
    def service_client(self) -> "Client":
        """A client for services that give out tokens: it has no credentials and little patience."""
        from cove.http.client import Client
        from cove.http.retry import Retry
        from cove.http.transport import Transport
        from cove.model.dataclasses import replace

        transport = Transport(replace(self._transport_options, read_timeout=15, upload_timeout=15))
        self._exits.callback(transport.close)
        return Client(transport, (Retry(self.settings.http_retries),), self.listener, headers=self._shows_headers)

    @property
    def _shows_headers(self) -> bool:
        return self.settings.verbose > 1

    def _client(self, cache: "Layer") -> "Client":
        from cove.auth.layer import Auth
        from cove.http.client import standard_client
        from cove.index.mirrors import Mirrors

        settings = self.settings
        return standard_client(
            self._transport,
            auth=Auth(self.credentials),
            cache=cache,
            offline=settings.offline,
            retries=settings.http_retries,
            mirrors=Mirrors(self.listener),
            listener=self.listener,
            headers=self._shows_headers,
        )

    @_Made
    def _transport(self) -> "Transport":
        from cove.http.transport import Transport

        transport = Transport(self._transport_options)
        self._exits.callback(transport.close)
        return transport

    @_Made
    def _transport_options(self) -> "TransportOptions":
        from cove.http.transport import TransportOptions, agent

        settings = self.settings
        return TransportOptions(
            user_agent=agent(__version__),
            connect_timeout=settings.http_connect_timeout,
            read_timeout=settings.http_timeout,
            upload_timeout=settings.upload_http_timeout,
            cert_file=settings.ssl_cert_file or "",
            cert_dir=settings.ssl_cert_dir or "",
            client_cert=settings.ssl_client_cert or "",
            insecure_hosts=settings.allow_insecure_host,
            http_proxy=settings.http_proxy or settings.all_proxy,
            https_proxy=settings.https_proxy or settings.all_proxy,
            no_proxy=",".join(settings.no_proxy),
        )

    @_Made
    def sources(self) -> "tuple[tuple[Index, Marked], ...]":
        """Every index with the object that asks it; each is asked for a name once in a run, whoever wants to know."""
        return tuple((index, self._source(index)) for index in self.indexes.all)

    @_Made
    def links(self) -> "tuple[tuple[Index, Marked], ...]":
        """``--find-links``, which complete what indexes offer."""
        return tuple((index, self._source(index)) for index in self.indexes.find_links)

    def router(self, pins: Mapping[Name, str], kept: "Mapping[Name, Kept] | None" = None) -> "Router":
        """The source of everything that can be resolved; ``pins`` maps projects to the names of their indexes, ``kept`` to
        the indexes that a lock has them from."""
        from cove.index.chain import Router

        return Router(self.sources, links=self.links, pins=pins, kept=kept, strategy=self.settings.index_strategy)

    def doubt(self) -> bool:
        """Have the indexes asked about every page that came from the cache unasked; whether there was any.

        For a resolution that failed: what it lacks may have been published meanwhile.
        """
        if self.settings.offline:
            return False
        doubted = [source.doubt() for source in self._asking]
        return any(doubted)

    def _source(self, index: "Index") -> "Marked":
        from cove.index.breaker import Breaker

        source = self._flat(index) if index.format == "flat" else self._simple(index)
        self._asking.append(source)
        return source if index.url.scheme == "file" else Breaker(source, self.listener)

    def _simple(self, index: "Index") -> "SimpleIndex":
        from cove.index.simple import SimpleIndex

        return SimpleIndex(index, self.client)

    def _flat(self, index: "Index") -> "FlatIndex":
        from cove.index.flat import FlatIndex

        return FlatIndex(index, self.client)

    def ask_ahead(
        self, names: Iterable[Name], pins: Mapping[Name, str], ask: Callable[[Name], object] | None = None
    ) -> None:
        """Begin to ask for projects in the background, while this thread imports what will make use of the answers.

        Each name goes where ``router(pins)`` sends it and nowhere else, or is given to ``ask``; the answers are kept for
        whoever asks next. What goes wrong meets that one too, and is reported there.
        """
        if self.settings.offline:
            return
        with suppress(CoveError):
            wanted = ask or self.router(pins).search
            left = deque(dict.fromkeys(names))

            def work() -> None:
                with suppress(IndexError):
                    while True:
                        wanted(left.popleft())

            self._asked_ahead = [self.begin(work) for _ in range(min(len(left), self.workers))]

    def wait_for_answers(self) -> None:
        """Return when all that was asked for last by ``ask_ahead`` has been answered, or has failed."""
        for begun in self._asked_ahead:
            begun.wait()

    def begin(self, work: Callable[[], T]) -> "Begun[T]":
        """Begin ``work`` in a thread of its own, which has ended when this session is closed."""
        # The HTTP library crashes when the thread that imported it has ended (pyreqwest 0.15.1): this one lives longest.
        import cove.http.transport  # noqa: F401

        begun = Begun(work)
        self._exits.callback(lambda: None if self._is_interrupted else begun.wait())
        return begun

    @property
    def workers(self) -> int:
        """How many requests wait for an answer at the same time, at most."""
        return min(self.settings.concurrent_downloads, _MOST_THREADS)

    @_Made
    def turns(self) -> BoundedSemaphore:
        """What a build backend has to hold while it runs: there are as many as may run at the same time."""
        return BoundedSemaphore(self.settings.concurrent_builds or os.cpu_count() or 1)
