# SPDX-License-Identifier: Apache-2.0
"""A crowd at the sign-in: few passwords are hashed at a time, some wait, the others hear when to come again."""
import concurrent.futures
import contextlib
import http.client
import itertools
import json
import threading
import time

import pytest

from admin import API, PASSWORD
from phones import admin, house

pytestmark = pytest.mark.guards

CROWD = 24    # at once: two are hashed, four wait
ROUNDS = 4    # in which some must have come too many; an address has five wrong attempts
PATIENCE = 15  # seconds; nobody else waits for the crowd

ADDRESSES = itertools.count(20)


def connection_from(house, address):
    connection = http.client.HTTPSConnection("127.0.0.1", house.ports["front"], timeout=60,
                                             context=house.context(), source_address=(address, 0))
    connection.connect()
    return connection


def sign_in(connection, name, password, together):
    """(status, headers, problem or session)"""
    body = json.dumps({"name": name, "password": password})
    together.wait()
    connection.request("POST", f"{API}/sessions", body=body, headers={"Content-Type": "application/json"})
    answer = connection.getresponse()
    return answer.status, answer.headers, json.loads(answer.read())


def crowd(house, pool):
    """One sign-in from each of many addresses, at the same moment: [(is right, answer)]"""
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(contextlib.closing(connection_from(house, f"127.0.0.{next(ADDRESSES)}")))
                       for _ in range(CROWD)]
        together = threading.Barrier(CROWD, timeout=60)
        asked = [(i % 2 == 0, pool.submit(sign_in, one, "admin", PASSWORD if i % 2 == 0 else "wrong", together))
                 for i, one in enumerate(connections)]
        return [(right, future.result(timeout=120)) for right, future in asked]


def bystander(admin, done):
    """How long each request of somebody else took, while the crowd was there."""
    took = []
    while not done.is_set():
        began = time.monotonic()
        assert admin.get("/status")["version"]
        took.append(time.monotonic() - began)
    return took


def test_a_crowd_at_the_sign_in_is_served_or_told_to_come_again(house, admin):
    answers, done = [], threading.Event()
    with concurrent.futures.ThreadPoolExecutor(CROWD + 1) as pool:
        other = pool.submit(bystander, admin, done)
        try:
            for _ in range(ROUNDS):
                answers += crowd(house, pool)
                if any(answer[0] == 503 for _, answer in answers):
                    break
        finally:
            done.set()
        took = other.result(timeout=60)
    for right, (status, headers, body) in answers:
        assert status in (({200, 201} if right else {401}) | {503}), body
        if status == 503:
            assert int(headers["Retry-After"]) > 0
            assert (body["type"], body["detail"]) == ("urn:muster:problem:unavailable",
                                                      "too many people sign in at once")
    statuses = [answer[0] for _, answer in answers]
    assert 503 in statuses and 401 in statuses and {200, 201} & set(statuses)
    assert took and max(took) < PATIENCE
    with contextlib.closing(connection_from(house, f"127.0.0.{next(ADDRESSES)}")) as connection:
        late = sign_in(connection, "admin", PASSWORD, threading.Barrier(1))
    assert late[0] in (200, 201)  # nobody's place was lost
