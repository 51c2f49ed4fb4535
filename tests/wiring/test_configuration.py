"""Commands on a real database: what is published, and what is refused before it is."""

from pathlib import Path

import pytest

from allgate.admin.commands import Apply, DisableKey
from allgate.admin.rows import ConfigError
from wiring.commanded import configuration, declared, new_key


def test_a_change_is_published_and_handed_out(tmp_path: Path):
    with configuration(tmp_path) as (commands, handed_out):
        done = commands.run(Apply(declared=declared()))
        assert (done.number, len(done.changes)) == (1, 3)
        assert [one.catalogue.revision for one in handed_out] == [1]
        assert commands.published().document == declared()


def test_what_changes_nothing_is_no_revision(tmp_path: Path):
    with configuration(tmp_path) as (commands, handed_out):
        commands.run(Apply(declared=declared()))
        assert commands.run(Apply(declared=declared())).changes == ()
        assert commands.run(Apply(declared=declared())).number == 1
        assert len(handed_out) == 1


def test_a_dry_run_shows_and_does_nothing(tmp_path: Path):
    with configuration(tmp_path) as (commands, handed_out):
        assert len(commands.run(Apply(declared=declared(), dry_run=True)).changes) == 3
        assert (commands.published().number, handed_out) == (0, [])


def test_what_could_not_be_served_is_not_published_dry_or_not(tmp_path: Path):
    with configuration(tmp_path) as (commands, handed_out):
        commands.run(Apply(declared=declared()))
        for dry_run in (True, False):
            with pytest.raises(ConfigError, match=r"upstreams\.u: base_url"):
                commands.run(Apply(declared=declared("ftp://x"), dry_run=dry_run))
        with pytest.raises(ConfigError, match="is no ISO date"):
            commands.run(new_key(expires="soon"))
        assert commands.published().document == declared()
        assert len(handed_out) == 1


def test_a_console_key_survives_the_next_apply(tmp_path: Path):
    with configuration(tmp_path) as (commands, handed_out):
        commands.run(Apply(declared=declared()))
        command = new_key()
        commands.run(command)
        commands.run(Apply(declared=declared("http://127.0.0.1:2")))
        assert command.record.hash in handed_out[-1].callers
        commands.run(DisableKey(account="demo", name="k"))
        assert handed_out[-1].callers == {}
        assert commands.published().document.keys["demo/k"].disabled


def test_it_is_all_there_after_a_restart(tmp_path: Path):
    with configuration(tmp_path) as (commands, _):
        commands.run(Apply(declared=declared()))
    with configuration(tmp_path) as (commands, _):
        assert commands.published().number == 1
        assert commands.run(Apply(declared=declared())).changes == ()
