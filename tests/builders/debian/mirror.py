"""A Debian archive made for a test: packages, signed lists, an HTTP server that can misbehave."""

from __future__ import annotations

import gzip
import hashlib
import io
import lzma
import tarfile
import threading
from collections.abc import Iterable, Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pysequoia

DATE = "Sat, 11 Jul 2026 10:16:37 UTC"


def ar(members: Iterable[tuple[str, bytes]]) -> bytes:
    """An ar(5) archive."""
    out = b"!<arch>\n"
    for name, data in members:
        out += f"{name:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(data):<10}`\n".encode() + data
        out += b"\n" * (len(data) % 2)
    return out


def tar(entries: Iterable[tuple[str, dict[str, Any]]], format: int = tarfile.GNU_FORMAT) -> bytes:
    """A tar archive of (name, attributes of a TarInfo and "data") pairs."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=format) as archive:
        for name, attributes in entries:
            info = tarfile.TarInfo(name)
            data = attributes.get("data", b"")
            info.size = len(data)
            for key, value in attributes.items():
                if key != "data":
                    setattr(info, key, value)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def directory(name: str) -> tuple[str, dict[str, Any]]:
    return name, {"type": tarfile.DIRTYPE, "mode": 0o755}


def control_tar(fields: Mapping[str, str], **members: str) -> bytes:
    text = "".join(f"{name}: {value}\n" for name, value in fields.items())
    files = {"control": text, **members}
    return tar([directory("./")] + [(f"./{n}", {"data": t.encode()}) for n, t in files.items()])


def deb(fields: Mapping[str, str], data: bytes, **members: str) -> bytes:
    """A .deb with an uncompressed data.tar, or the one in `data` as it is."""
    return ar(
        [
            ("debian-binary", b"2.0\n"),
            ("control.tar.gz", gzip.compress(control_tar(fields, **members), mtime=0)),
            ("data.tar.xz", lzma.compress(data, preset=0)),
        ]
    )


def fields(name: str, version: str = "1.0", **more: str) -> dict[str, str]:
    """The fields of a package; underscores in the names of `more` are hyphens."""
    return {
        "Package": name,
        "Version": version,
        "Architecture": "amd64",
        "Installed-Size": "12",
        **{key.replace("_", "-"): value for key, value in more.items()},
        "Description": f"{name} for a test",
    }


class Key:
    """A key that signs, and its public part as a keyring file."""

    def __init__(self, directory: Path, name: str = "archive") -> None:
        self._secret = pysequoia.Tsk.generate(f"{name} <{name}@example.org>")
        self.keyring = directory / f"{name}.pgp"
        self.certificate = self._secret.extract_certificate()
        self.keyring.write_bytes(bytes(self.certificate))

    def sign(self, text: bytes) -> bytes:
        signed: bytes = pysequoia.sign(
            self._secret.signer(), text, mode=pysequoia.SignatureMode.CLEAR
        )
        return signed


class Mirror:
    """Files by path, served on the loopback interface.

    faults     path to what goes wrong there: "missing", "cut" (half the content, then the
               connection closes), "flip" (a byte is wrong), "longer", "error", "silent"
    requests   (path, Range header or "", status) of what was asked
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.faults: dict[str, str] = {}
        self.requests: list[tuple[str, str, int]] = []
        self.ranges = True
        self._stop = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.base = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self._stop.set()
        self._server.shutdown()
        self._server.server_close()

    def asked(self) -> list[str]:
        return [path for path, _, _ in self.requests]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        mirror = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_arguments: object) -> None:
                pass

            def do_GET(self) -> None:
                mirror._answer(self)

        return Handler

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        path = request.path.lstrip("/")
        fault = self.faults.get(path, "")
        wanted = request.headers.get("Range", "")

        def start(status: int, **headers: str) -> None:
            self.requests.append((path, wanted, status))
            request.send_response(status)
            for name, value in headers.items():
                request.send_header(name.replace("_", "-"), value)
            request.end_headers()

        data = self.files.get(path)
        if fault == "silent":
            self._stop.wait(30)
            return None
        if fault == "error":
            return start(500)
        if data is None or fault == "missing":
            return start(404)
        if fault == "flip":
            middle = len(data) // 2
            data = data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]
        elif fault == "longer":
            data += b"more"
        etag = f'"{hashlib.sha256(data).hexdigest()}"'
        if request.headers.get("If-None-Match") == etag:
            return start(304)
        begin = int(wanted[6:-1]) if wanted and self.ranges else 0
        if begin and begin >= len(data):
            return start(416)
        body = data[begin:]
        start(206 if begin else 200, Content_Length=str(len(body)), ETag=etag)
        with suppress(ConnectionError):  # the client need not want all of it
            request.wfile.write(body[: len(body) // 2] if fault == "cut" else body)
        return None


class Archive:
    """A suite's files for a Mirror, below "debian/"."""

    def __init__(self, mirror: Mirror, key: Key, suite: str = "stable") -> None:
        self.mirror = mirror
        self.key = key
        self.suite = suite
        self.debs: dict[str, bytes] = {}
        self.stanzas: list[str] = []
        self.release = {
            "Origin": "Debian",
            "Suite": suite,
            "Date": DATE,
            "Acquire-By-Hash": "yes",
            "Architectures": "amd64",
            "Components": "main",
        }

    def add(self, control: Mapping[str, str], data: bytes | None = None, **members: str) -> str:
        """Add a package; returns its path on the mirror."""
        name = control["Package"]
        content = deb(control, tar([directory("./")]) if data is None else data, **members)
        path = f"pool/{name}_{control['Version'].replace(':', '%3a')}_amd64.deb"
        lines = {
            **control,
            "Filename": path,
            "Size": str(len(content)),
            "SHA256": hashlib.sha256(content).hexdigest(),
        }
        self.stanzas.append("".join(f"{key}: {value}\n" for key, value in lines.items()))
        self.mirror.files[f"debian/{path}"] = content
        return f"debian/{path}"

    def publish(self) -> str:
        """Write and sign the lists; returns the base URI."""
        directory = f"debian/dists/{self.suite}"
        packages = lzma.compress("\n".join(self.stanzas).encode())
        sha256 = hashlib.sha256(packages).hexdigest()
        name = "main/binary-amd64/Packages.xz"
        text = "".join(f"{key}: {value}\n" for key, value in self.release.items())
        text += f"SHA256:\n {sha256} {len(packages)} {name}\n"
        files = self.mirror.files
        files[f"{directory}/{name}"] = packages
        files[f"{directory}/main/binary-amd64/by-hash/SHA256/{sha256}"] = packages
        files[f"{directory}/InRelease"] = self.key.sign(text.encode())
        return f"{self.mirror.base}/debian"

    @property
    def in_release(self) -> str:
        return f"debian/dists/{self.suite}/InRelease"

    def by_hash(self) -> str:
        return next(
            path for path in self.mirror.files if f"dists/{self.suite}/main/binary-amd64/by" in path
        )
