"""How a node sees that a configuration was published, and that its database is gone."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, closing
from typing import NamedTuple

import pytest

from allgate.admin.commands import Apply, DisableKey
from allgate.admin.records import document_of
from allgate.admin.rows import ConfigError
from allgate.core.errors import Refused
from allgate.core.secret import Secret
from allgate.core.value import changed
from allgate.identity.caller import key_hash
from allgate.storage.postgres.jobs import PostgresThread
from allgate.wiring.configuration import Configuration
from allgate.wiring.database import PostgresDatabase
from allgate.wiring.directory import SharedDirectory
from allgate.wiring.registry import packaged_providers
from allgate.wiring.watch import RevisionWatch
from postgres import Postgres
from wiring.served import DECLARED, KEY, as_is, upstream


class Node(NamedTuple):
    """A node's view, and the commands that somebody else runs."""

    watch: RevisionWatch
    directory: SharedDirectory
    elsewhere: Configuration


def configuration(database: PostgresDatabase, resolve=as_is) -> Configuration:
    return Configuration(database.writer, packaged_providers(), resolve, loopback=True)


@asynccontextmanager
async def node(url: str, resolve=as_is) -> AsyncGenerator[Node]:
    with closing(PostgresDatabase(url)) as database:
        elsewhere = configuration(database)
        elsewhere.run(Apply(declared=document_of(DECLARED, as_is)))
        here = configuration(database, resolve)
        directory = SharedDirectory(here.snapshot(here.published()))
        watch = RevisionWatch(
            PostgresThread(url, reading=True), directory, here.snapshot, lambda budgets: None
        )
        try:
            yield Node(watch, directory, elsewhere)
        finally:
            await watch.stop()


async def test_a_key_disabled_elsewhere_is_refused_after_the_next_look(postgres_url: str):
    async with node(postgres_url) as one:
        one.elsewhere.run(DisableKey(account="demo", name="k"))
        assert one.directory.caller(key_hash(KEY)) is not None
        await one.watch.look()
        assert one.directory.caller(key_hash(KEY)) is None
        assert one.directory.catalogue.revision == 2


async def test_without_a_change_nothing_is_built_again(postgres_url: str):
    async with node(postgres_url) as one:
        catalogue = one.directory.catalogue
        await one.watch.look()
        assert one.directory.catalogue is catalogue


async def test_what_cannot_be_served_here_leaves_the_old_in_place_until_the_next_change(postgres_url: str):
    """A credential that this machine lacks: the others serve the change."""

    def resolve(reference: Secret, key: str) -> Secret:
        if reference.reveal() == "env:ELSEWHERE":
            raise ConfigError("", key, "there is no variable ELSEWHERE")
        return reference

    async with node(postgres_url, resolve) as one:
        strange = upstream(credentials=(Secret("env:ELSEWHERE"),))
        one.elsewhere.run(Apply(declared=document_of(strange, as_is)))
        await one.watch.look()
        assert one.directory.catalogue.revision == 1
        one.elsewhere.run(Apply(declared=document_of(changed(DECLARED, models=()), as_is)))
        await one.watch.look()
        assert (one.directory.catalogue.revision, dict(one.directory.catalogue.models)) == (3, {})


async def test_a_database_that_goes_and_comes_is_noticed(postgres: Postgres):
    async with node(postgres.database()) as one:
        postgres.stop()
        await one.watch.look()
        with pytest.raises(Refused):
            one.directory.caller("0" * 64)
        postgres.start()
        await one.watch.look()
        assert one.directory.caller("0" * 64) is None
