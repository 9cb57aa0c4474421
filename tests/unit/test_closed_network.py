"""Tests cannot talk to the world, and they notice when they try."""

import socket

import pytest


def test_a_connection_to_another_machine_is_refused_with_its_address():
    # 192.0.2.0/24 is set aside for examples: nobody answers there.
    with socket.socket() as door, pytest.raises(PermissionError, match=r"192\.0\.2\.7"):
        door.connect(("192.0.2.7", 80))


def test_a_connection_to_this_machine_is_open(free_port):
    with socket.socket() as listening, socket.socket() as door:
        listening.bind(("127.0.0.1", free_port))
        listening.listen()
        door.connect(("127.0.0.1", free_port))
