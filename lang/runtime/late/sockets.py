"""Sockets (Guile's manual, "Networking"): for builds, where no network is reachable but what the
build opens itself."""

from __future__ import annotations

import os
import socket
from typing import Any, Final

from lang.data import NIL, UNSPECIFIED, Pair, cons, scheme_list
from lang.runtime.late.descriptors import port_on
from lang.runtime.library import Library
from lang.runtime.ports import Port
from lang.runtime.primitives import arguments
from lang.runtime.primitives.bytevectors import contents, mutable
from lang.runtime.signals import misc_error, system_error, wrong_type

LIBRARY = Library("guile", "sockets")

_sockets: dict[int, tuple[Port, socket.socket]] = {}
"""By the identity of a port: the port and the socket that it is on."""


def _port(one: socket.socket) -> Port:
    port = port_on(os.dup(one.fileno()), "r+", "socket")
    _sockets[id(port)] = (port, one)
    return port


def _socket(who: str, value: Any) -> socket.socket:
    known = _sockets.get(id(value))
    if known is None:
        wrong_type(who, 1, value)
    return known[1]


@LIBRARY.procedure("socket", staged=True)
def make_socket(family: Any, style: Any, protocol: Any) -> Port:
    """A port on a new socket, such as (socket PF_UNIX SOCK_STREAM 0)."""
    try:
        return _port(socket.socket(family, style, protocol))
    except OSError as error:
        system_error("socket", error)


@LIBRARY.procedure("socketpair", staged=True)
def socketpair(family: Any, style: Any, protocol: Any) -> Pair:
    """A pair of ports on sockets that are connected with each other."""
    try:
        one, other = socket.socketpair(family, style, protocol)
    except OSError as error:
        system_error("socketpair", error)
    return cons(_port(one), _port(other))


# ---------------------------------------------------------------- addresses: vectors


@LIBRARY.procedure("make-socket-address", staged=True)
def make_socket_address(family: Any, address: Any, port: Any = 0, *_rest: Any) -> list[Any]:
    """An address: AF_UNIX and a file name, AF_INET and an integer and a port, or AF_INET6."""
    if family == socket.AF_UNIX:
        return [int(family), arguments.string("make-socket-address", 2, address)]
    if family in (socket.AF_INET, socket.AF_INET6):
        return [int(family), arguments.integer("make-socket-address", 2, address), port]
    misc_error("make-socket-address", "there is no address family ~S", family)


def _address(who: str, parts: tuple[Any, ...]) -> Any:
    fields = parts[0] if len(parts) == 1 else make_socket_address(*parts)
    if type(fields) is not list or len(fields) < 2:
        wrong_type(who, 2, fields)
    if fields[0] == socket.AF_UNIX:
        return str(fields[1])
    return inet_ntop(fields[0], fields[1]), fields[2]


def _fields_of(family: int, address: Any) -> list[Any]:
    if family == socket.AF_UNIX:
        return [int(family), address if isinstance(address, str) else ""]
    return [int(family), inet_pton(family, address[0]), address[1]]


@LIBRARY.procedure("sockaddr:fam")
def address_family(address: Any) -> Any:
    """The family of an address."""
    return arguments.vector("sockaddr:fam", 1, address)[0]


@LIBRARY.procedure("sockaddr:addr", "sockaddr:path")
def address_host(address: Any) -> Any:
    """The integer of an internet address, or the file name of a local one."""
    return arguments.vector("sockaddr:addr", 1, address)[1]


@LIBRARY.procedure("sockaddr:port")
def address_port(address: Any) -> Any:
    """The port of an internet address."""
    fields = arguments.vector("sockaddr:port", 1, address)
    if len(fields) < 3:
        wrong_type("sockaddr:port", 1, address)
    return fields[2]


@LIBRARY.procedure("inet-pton")
def inet_pton(family: Any, text: Any) -> int:
    """The integer of an internet address that is written as text."""
    try:
        return int.from_bytes(
            socket.inet_pton(family, arguments.string("inet-pton", 2, text)), "big"
        )
    except (OSError, ValueError):
        misc_error("inet-pton", "~S is no address", text)


@LIBRARY.procedure("inet-makeaddr")
def inet_makeaddr(network: Any, host: Any) -> int:
    """The internet address of a network's number and that of a host in it."""
    net = arguments.index("inet-makeaddr", 1, network)
    local = arguments.index("inet-makeaddr", 2, host)
    for limit, shift in _CLASSES:
        if net < limit:
            return (net << shift) | (local & ((1 << shift) - 1))
    return (net | local) & 0xFFFFFFFF


@LIBRARY.procedure("inet-netof")
def inet_netof(address: Any) -> int:
    """The network's number of an internet address of class A, B or C."""
    number = arguments.index("inet-netof", 1, address)
    return number >> _host_bits(number)


@LIBRARY.procedure("inet-lnaof")
def inet_lnaof(address: Any) -> int:
    """The number in its network of an internet address of class A, B or C."""
    number = arguments.index("inet-lnaof", 1, address)
    return number & ((1 << _host_bits(number)) - 1)


_CLASSES: Final = ((1 << 7, 24), (1 << 16, 16), (1 << 24, 8))
"""What network numbers of classes A, B and C are below, and the bits of a host's number."""


def _host_bits(address: int) -> int:
    return 24 if not address >> 31 else 16 if not address >> 30 & 1 else 8


@LIBRARY.procedure("inet-ntop")
def inet_ntop(family: Any, address: Any) -> str:
    """The text of an internet address that is an integer."""
    size = 4 if family == socket.AF_INET else 16
    try:
        return socket.inet_ntop(
            family, arguments.index("inet-ntop", 2, address).to_bytes(size, "big")
        )
    except (OSError, ValueError, OverflowError):
        misc_error("inet-ntop", "~S is no address", address)


@LIBRARY.procedure("getaddrinfo", staged=True)
def getaddrinfo(name: Any, service: Any = None, *_hints: Any) -> Any:
    """The addresses of a host and a service, for addrinfo:addr and the like."""
    port = None if service is None or service is False else str(service)
    try:
        found = socket.getaddrinfo(None if name is False else str(name), port)
    except OSError as error:
        system_error("getaddrinfo", error)
    return scheme_list(
        [0, int(family), int(style), protocol, _fields_of(family, address), alias or False]
        for family, style, protocol, alias, address in found
    )


for _index, _name in enumerate(("flags", "fam", "socktype", "protocol", "addr", "canonname")):

    @LIBRARY.procedure(f"addrinfo:{_name}")
    def _access(found: Any, index: int = _index, *_: Any) -> Any:
        return arguments.vector("addrinfo", 1, found)[index]

    _access.__doc__ = f"The {_name} of what getaddrinfo gives."


# ---------------------------------------------------------------- connections


@LIBRARY.procedure("connect", staged=True)
def connect(port: Any, *address: Any) -> bool:
    """Connect a socket with an address."""
    try:
        _socket("connect", port).connect(_address("connect", address))
    except OSError as error:
        system_error("connect", error)
    return True


@LIBRARY.procedure("bind", staged=True)
def bind(port: Any, *address: Any) -> Any:
    """Give a socket an address."""
    try:
        _socket("bind", port).bind(_address("bind", address))
    except OSError as error:
        system_error("bind", error)
    return UNSPECIFIED


@LIBRARY.procedure("listen", staged=True)
def listen(port: Any, backlog: Any) -> Any:
    """Let others connect with a socket."""
    try:
        _socket("listen", port).listen(backlog)
    except OSError as error:
        system_error("listen", error)
    return UNSPECIFIED


@LIBRARY.procedure("accept", staged=True)
def accept(port: Any, *_flags: Any) -> Pair:
    """Wait for somebody to connect: a pair of a port and their address."""
    try:
        one, address = _socket("accept", port).accept()
    except OSError as error:
        system_error("accept", error)
    return cons(_port(one), _fields_of(one.family, address))


@LIBRARY.procedure("shutdown", staged=True)
def shutdown(port: Any, how: Any) -> Any:
    """End reading (0), writing (1) or both (2)."""
    try:
        _socket("shutdown", port).shutdown(how)
    except OSError as error:
        system_error("shutdown", error)
    return UNSPECIFIED


@LIBRARY.procedure("getsockname", staged=True)
def getsockname(port: Any) -> list[Any]:
    """The address of a socket."""
    one = _socket("getsockname", port)
    return _fields_of(one.family, one.getsockname())


@LIBRARY.procedure("getpeername", staged=True)
def getpeername(port: Any) -> list[Any]:
    """The address that a socket is connected with."""
    one = _socket("getpeername", port)
    try:
        return _fields_of(one.family, one.getpeername())
    except OSError as error:
        system_error("getpeername", error)


@LIBRARY.procedure("setsockopt", staged=True)
def setsockopt(port: Any, level: Any, option: Any, value: Any) -> Any:
    """Set an option of a socket."""
    try:
        _socket("setsockopt", port).setsockopt(level, option, value)
    except OSError as error:
        system_error("setsockopt", error)
    return UNSPECIFIED


@LIBRARY.procedure("getsockopt", staged=True)
def getsockopt(port: Any, level: Any, option: Any) -> int:
    """An option of a socket."""
    try:
        return _socket("getsockopt", port).getsockopt(level, option)
    except OSError as error:
        system_error("getsockopt", error)


@LIBRARY.procedure("send", staged=True)
def send(port: Any, data: Any, *_flags: Any) -> int:
    """Send the bytes of a bytevector; gives how many were taken."""
    try:
        return _socket("send", port).send(contents("send", 2, data))
    except OSError as error:
        system_error("send", error)


@LIBRARY.procedure("recv!", staged=True)
def receive(port: Any, into: Any, *_flags: Any) -> int:
    """Put what comes into a bytevector; gives how many bytes."""
    buffer = mutable("recv!", 2, into)
    try:
        return _socket("recv!", port).recv_into(buffer)
    except OSError as error:
        system_error("recv!", error)


@LIBRARY.procedure("select", staged=True)
def select(reading: Any, writing: Any, other: Any, seconds: Any = None, micro: Any = 0) -> Any:
    """Wait until one of the ports of three lists, to read from, to write to and to watch, is
    ready; gives the lists of those that are."""
    import select as module

    from lang.runtime.late.descriptors import number_of

    wait = None if seconds is None or seconds is False else seconds + micro / 1e6
    wanted = [
        {number_of("select", at, one): one for one in arguments.items("select", at, ports)}
        if ports is not NIL
        else {}
        for at, ports in enumerate((reading, writing, other), 1)
    ]
    try:
        ready = module.select(list(wanted[0]), list(wanted[1]), list(wanted[2]), wait)
    except OSError as error:
        system_error("select", error)
    return scheme_list(
        scheme_list(ports[number] for number in numbers)
        for ports, numbers in zip(wanted, ready, strict=True)
    )
