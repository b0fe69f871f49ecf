import pytest
from harness import Postgres, Server


@pytest.fixture(scope="session")
def postgres():
    cluster = Postgres()
    yield cluster
    cluster.stop()


def make_store_url(kind, directory, request):
    if kind == "postgres":
        return request.getfixturevalue("postgres").create_database()
    return f"sqlite://{directory}/headway.db"


class House:
    """Servers and helper programs of one test or file, stopped at its end whatever happens."""

    def __init__(self, directory):
        self.directory, self.servers, self.programs = directory, [], []
        self.logs = directory / "logs"
        self.logs.mkdir()

    def serve(self, store_url, *options, **more):
        server = Server(store_url, self.directory, *options, **more)
        self.servers.append(server)
        return server.start()

    def run(self, program):
        self.programs.append(program)
        return program

    def close(self):
        for program in self.programs:
            program.kill()
        try:
            for server in self.servers:
                server.stop()
        finally:
            for server in self.servers:
                server.kill()


@pytest.fixture
def house(tmp_path):
    made = House(tmp_path)
    yield made
    made.close()


@pytest.fixture(scope="module")
def module_house(tmp_path_factory):
    made = House(tmp_path_factory.mktemp("house"))
    yield made
    made.close()


@pytest.fixture(params=["sqlite", "postgres"])
def store_url(request, tmp_path):
    return make_store_url(request.param, tmp_path, request)


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def module_store_url(request, tmp_path_factory):
    return make_store_url(request.param, tmp_path_factory.mktemp("store"), request)
