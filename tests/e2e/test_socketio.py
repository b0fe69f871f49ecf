"""Socket.IO 5 as it goes over the wire: namespaces, events, acknowledgements, binary, what closes a connection, against an echo."""

import json
import time

import pytest
from echo import PATIENT, QUICK, SEPARATOR, Client, Echo, Polling
from harness import eventually, user_token

PATH = "/socket.io/"
BYTES = (b"\x01\x02\x03", b"\x04\x05\x06")
HOLDERS = '{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}'


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    """Of a server whose clocks stay out of the way."""
    echo = Echo(tmp_path_factory.mktemp("echo"), PATIENT)
    yield echo.port
    echo.stop()


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    """Of a server whose clocks can be waited for."""
    echo = Echo(tmp_path_factory.mktemp("quick"), QUICK)
    yield echo.port
    echo.stop()


def connect(client, namespace="", payload=""):
    """Joins a namespace; returns its sid."""
    prefix = f"{namespace}," if namespace else ""
    client.send(f"40{prefix}{payload}")
    accepted, auth = client.receive(2)
    assert accepted.startswith(f"40{prefix}{{"), accepted
    answer = json.loads(accepted.removeprefix(f"40{prefix}"))
    assert answer.keys() == {"sid"} and isinstance(answer["sid"], str)
    assert auth == f'42{prefix}["auth",{payload or "{}"}]'
    return answer["sid"]


@pytest.fixture
def fresh(port):
    """A session that has joined nothing."""
    client = Client(port, PATH)
    yield client
    client.cut()


@pytest.fixture
def client(fresh):
    """One that has joined "/"."""
    connect(fresh)
    return fresh


def echoes(client, text="hello"):
    """The connection is alive, and nothing else was sent before."""
    client.send(f'42["message","{text}"]')
    return client.receive() == f'42["message-back","{text}"]'


# ---------------------------------------------------------------------------------------------------------- namespaces


@pytest.mark.parametrize("namespace", ["", "/custom"])
@pytest.mark.parametrize("payload", ["", "{}", '{"token":"123"}', '{"b":[1,{"c":null}],"a":"ä"}'])
def test_a_namespace_is_joined(fresh, namespace, payload):
    assert connect(fresh, namespace, payload) != fresh.sid


def test_a_namespace_needs_no_comma_at_the_end(fresh):
    fresh.send("40/custom")
    accepted, auth = fresh.receive(2)
    assert accepted.startswith('40/custom,{"sid":') and auth == '42/custom,["auth",{}]'


def test_a_namespace_is_joined_by_polling(port):
    session = Polling(port, PATH)
    session.post('40{"token":"123"}')
    accepted, auth = session.get().split(SEPARATOR)
    assert json.loads(accepted.removeprefix("40")).keys() == {"sid"} and auth == '42["auth",{"token":"123"}]'


def test_each_namespace_has_a_sid_of_its_own(fresh):
    sids = {fresh.sid, connect(fresh), connect(fresh, "/custom")}
    fresh.send("41/custom,")
    sids.add(connect(fresh, "/custom"))
    assert len(sids) == 4


@pytest.mark.parametrize("namespace", ["/random", "/custom?x=1", "/Custom", "/custom/"])
def test_an_unknown_namespace_is_refused_and_another_may_be_joined(fresh, namespace):
    fresh.send(f"40{namespace}")
    assert fresh.receive() == f'44{namespace},{{"message":"Invalid namespace"}}'
    connect(fresh)
    assert echoes(fresh)


def test_two_namespaces_do_not_mix(client):
    connect(client, "/custom")
    client.send('42/custom,["message","nobody listens there"]', '42/custom,7["message-with-ack","nor there"]')
    assert echoes(client)


def test_a_namespace_is_left_without_an_answer_and_the_others_stay(client):
    connect(client, "/custom")
    client.send("41/custom")
    assert echoes(client)
    connect(client, "/custom", '{"again":true}')
    assert echoes(client)


def test_the_main_namespace_may_be_left_and_joined_again(client):
    client.send("41")
    client.send('42["message","too late, but no offence"]')
    connect(client)
    assert echoes(client)


def test_the_heartbeat_goes_on_where_nothing_is_joined_any_more(quick):
    client = Client(quick, PATH)
    connect(client)
    client.send("41")
    assert client.receive() == "2"
    client.send("3")
    connect(client)
    client.close()


def test_a_client_that_joins_nothing_is_closed(quick):
    client, began = Client(quick, PATH), time.monotonic()
    client.send("40/random")
    assert client.receive() == '44/random,{"message":"Invalid namespace"}'
    while (packet := next_packet(client)) is not None:
        assert packet == "2"
        client.send("3")
    assert time.monotonic() - began >= QUICK["connect_timeout_ms"] / 1000 - 0.05


def next_packet(client):
    """None: closed."""
    opcode, data = client.connection.recv_data()
    return data.decode() if opcode == 1 else None


def test_a_poller_that_joins_nothing_is_closed(quick):
    session = Polling(quick, PATH)
    while (payload := session.get()) == "2":
        session.post("3")
    assert payload == "1" and session.is_over()


# ------------------------------------------------------------------------------------------- events and acknowledgements

ARGUMENTS = ['1,"2",{"3":[true]}', "", "null", '"ä € 𝄞 \\n"', "[]", '{"z":1,"a":2}', "-0.5,1e300,9007199254740993", '{"_placeholder":true,"num":0}',
             ",".join(str(n) for n in range(20))]


@pytest.mark.parametrize("args", ARGUMENTS)
def test_an_event_is_handed_on_with_all_its_arguments(client, args):
    rest = f",{args}" if args else ""
    client.send(f'42["message"{rest}]')
    expected = json.loads(f'["message-back"{rest}]')
    came = client.receive()
    assert came.startswith('42["message-back"') and json.loads(came[2:]) == expected


def test_json_comes_back_byte_for_byte(client):
    client.send('42["message",1,"2",{"3":[true]}]', '42["message",{"z":{},"a":[]}]')
    assert client.receive(2) == ['42["message-back",1,"2",{"3":[true]}]', '42["message-back",{"z":{},"a":[]}]']


@pytest.mark.parametrize("number", ["456", "0", "7", "999999999999999"])
def test_an_event_is_acknowledged(client, number):
    client.send(f'42{number}["message-with-ack",1,"2",{{"3":[false]}}]')
    assert client.receive() == f'43{number}[1,"2",{{"3":[false]}}]'


def test_without_arguments_the_acknowledgement_is_empty(client):
    client.send('421["message-with-ack"]')
    assert client.receive() == "431[]"


def test_events_keep_their_order(client):
    for n in range(50):
        client.send(f'42["message",{n}]')
    assert client.receive(50) == [f'42["message-back",{n}]' for n in range(50)]


def test_events_of_one_post_are_answered_in_one_poll(port):
    session = Polling(port, PATH)
    session.post(SEPARATOR.join(["40", '42["message",1]', '425["message-with-ack",2]']))
    accepted, *rest = session.get().split(SEPARATOR)
    assert accepted.startswith("40{") and rest == ['42["auth",{}]', '42["message-back",1]', "435[2]"]


def test_events_cross_an_upgrade(port):
    session = Polling(port, PATH)
    session.post("40")
    probe = session.upgrade()
    accepted, auth = probe.receive(2)
    assert accepted.startswith("40{") and auth == '42["auth",{}]' and echoes(probe)
    probe.close()


@pytest.mark.parametrize("packet", ['42["unheard-of",1]', '42["error"]', '42["connection"]', '42["ping"]', '42[5,1]', "4399[1]", "430[]"])
def test_what_nobody_asked_for_does_no_harm(client, packet):
    client.send(packet)
    assert echoes(client)


# -------------------------------------------------------------------------------------------------------------- binary


def test_binary_arguments_come_back(client):
    client.send(f'452-["message",{HOLDERS}]', *BYTES)
    assert client.receive(3) == [f'452-["message-back",{HOLDERS}]', *BYTES]
    client.send('451-["message",{"deep":[{"_placeholder":true,"num":0}]},"x"]', b"")
    assert client.receive(2) == ['451-["message-back",{"deep":[{"_placeholder":true,"num":0}]},"x"]', b""]


def test_binary_arguments_are_acknowledged(client):
    client.send(f'452-789["message-with-ack",{HOLDERS}]', *BYTES)
    assert client.receive(3) == [f"462-789[{HOLDERS}]", *BYTES]


def test_ten_attachments_may_come(client):
    holders = ",".join(f'{{"_placeholder":true,"num":{n}}}' for n in range(10))
    parts = [bytes([n]) * 1000 for n in range(10)]
    client.send(f'4510-["message",{holders}]', *parts)
    assert client.receive(11) == [f'4510-["message-back",{holders}]', *parts]


def test_binary_arguments_come_by_polling_too(port):
    session = Polling(port, PATH)
    session.post("40")
    session.get()
    session.post(f'452-["message",{HOLDERS}]')
    session.post("bAQID")
    session.post("bBAUG")
    assert session.get() == SEPARATOR.join([f'452-["message-back",{HOLDERS}]', "bAQID", "bBAUG"])


# ------------------------------------------------------------------------------------------- what closes the connection

INVALID = {
    "unknown type": ["4abc"], "type 9": ["49"], "nothing": ["4"], "no array": ["42{}"], "no json": ["42"], "broken json": ['42["message"'], "trailing": ['42["message"]x'],
    "letters for an id": ['42abc["message-with-ack",1]'], "long id": ['421234567890123456["message-with-ack"]'], "no name": ["42[]"], "odd name": ["42[{}]"],
    "reserved name": ['42["disconnect"]'], "connect twice": ["40"], "payload of another kind": ["40/custom,[]"], "connect error": ['44{"message":"x"}'],
    "never joined": ['42/custom,["message"]'], "leaving what was never joined": ["41/custom"], "unannounced binary": [b"\x01"],
    "text among attachments": [f'452-["message",{HOLDERS}]', b"\x01", '42["message"]'], "another namespace among attachments": [f'452-["message",{HOLDERS}]', "40/custom"],
    "no count": [f'45["message",{HOLDERS}]'], "count of 0": ['450-["message"]'], "count of 11": ['4511-["message"]'],
    "placeholder beyond the count": ['451-["message",{"_placeholder":true,"num":1}]'], "negative placeholder": ['451-["message",{"_placeholder":true,"num":-1}]'],
    "disconnect with a payload": ["41{}"], "ack without an id": ["43[]"],
}


@pytest.mark.parametrize("which", INVALID)
def test_an_invalid_packet_closes_the_connection(client, which):
    client.send(*INVALID[which])
    assert client.closed() == ([], 1002)


@pytest.mark.parametrize("packet", ["4abc", '42["message","early"]', "41", "430[]", '42/custom,["message"]'])
def test_nothing_comes_before_connect(fresh, packet):
    fresh.send(packet)
    assert fresh.closed() == ([], 1002)


def test_an_invalid_packet_ends_a_polling_session(port):
    session = Polling(port, PATH)
    session.post("4abc")  # the payload is fine; what it says is not
    eventually(lambda: session.poll().answer().status == 400, what="the session to end")
    assert session.is_over()


# --------------------------------------------------------------------------- what only the real server has: users and jobs


@pytest.fixture(scope="module")
def server(module_house):
    return module_house.serve(f"sqlite://{module_house.directory}/headway.db")


def packets_until(client, accept):
    """What comes, up to the first packet that is wanted."""
    came = [client.receive()]
    while not accept(came[-1]):
        came.append(client.receive())
    return came


def log_in(client, **token):
    client.send("40" + json.dumps({"token": user_token(**token)}))
    assert client.receive().startswith('40{"sid":')


@pytest.mark.parametrize("token, code", [(user_token(seconds=-60), "auth_expired"), ("nonsense", "auth_invalid"), ("", "auth_missing")])
def test_a_refusal_says_what_was_wrong_with_the_token(server, token, code):
    client = Client(server.port, PATH)
    client.send("40" + json.dumps({"token": token}))
    refused = client.receive()
    assert refused.startswith("44{"), refused
    answer = json.loads(refused[2:])
    assert answer["data"]["code"] == code and answer["message"]
    log_in(client)  # may try again
    client.close()


@pytest.mark.parametrize("event", ['"unheard-of"', '"join_job",{"job_id":"unknown"}', '"join_job"', '"auth","nonsense"'])
def test_every_event_that_asks_for_it_is_acknowledged(server, event):
    client = Client(server.port, PATH)
    log_in(client)
    client.send(f"427[{event}]")
    answer = json.loads(packets_until(client, lambda packet: packet.startswith("437"))[-1][3:])
    assert len(answer) == 1 and answer[0]["ok"] is False and answer[0]["code"]
    client.close()


def test_who_is_thrown_out_is_told_by_a_disconnect(server):
    client = Client(server.port, PATH)
    log_in(client, seconds=2)
    *_, error, disconnect = packets_until(client, lambda packet: packet.startswith("41"))
    assert error.startswith('42["error",') and '"auth_expired"' in error and disconnect == "41"
    assert client.closed() == ([], 1008)
