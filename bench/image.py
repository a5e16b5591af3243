"""Whole images, beside what people use today, in one run.

    python bench/image.py [--rounds N] [--work DIR] [DECLARATION]

Measured: cached .debs to a bootable image against mmdebstrap (alone, and with mke2fs -d and
genimage behind it) on the same packages; a build that has nothing to do; a build after a change of
the host name. Kiln's .debs are in its store; mmdebstrap fetches its own from the host's mirror,
which is in its figure, but is spared the kernel, for which it would run initramfs-tools. Prints
medians of wall-clock and processor seconds, and ratios.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.timing import Series, settle, table

ROOT = Path(__file__).resolve().parent.parent


def command(*words: str | Path, env: dict[str, str] | None = None) -> str:
    """Run a command that has to succeed; its standard output."""
    done = subprocess.run(
        [str(word) for word in words],
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{words[0]} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


class Bench:
    """The folders of a run and the commands that are compared."""

    def __init__(self, work: Path, declaration: Path) -> None:
        self.work = work
        self.declaration = declaration
        self.env = {
            "KILN_STORE": str(work / "store"),
            "XDG_CACHE_HOME": str(work / "cache"),
            "PYTHONPATH": str(ROOT),
        }

    def kiln(self, *words: str | Path) -> str:
        """Run kiln in the folders of this benchmark."""
        return command(sys.executable, "-m", "kiln", *words, env=self.env)

    def prepare(self) -> list[str]:
        """Build once, so that all is cached; returns the names of the packages."""
        self.kiln("image", self.declaration)
        plan = self.kiln("image", "-d", self.declaration)
        root = re.search(r'"tree":"(/kiln/store/[^"]*)"', plan)
        assert root is not None
        return self._packages(root[1])

    def _packages(self, root: str) -> list[str]:
        """The names of the packages in the configured root."""
        from builders.mtree import read_item
        from builders.tree import content_reader

        store = self.work / "store"
        real = store / root.rpartition("/")[2]
        read = content_reader(lambda path: store / path.removeprefix("/kiln/store/"))
        status = next(e for e in read_item(real, root) if e.path == "var/lib/dpkg/status")
        text = read(status).decode()
        names = re.findall(r"^Package: (\S+)$", text, re.MULTILINE)
        return [name for name in names if not name.startswith(("kiln-", "linux-image-"))]

    def forget(self) -> None:
        """Remove all that was built, and keep what was fetched."""
        from builders.store import Store

        with Store(self.work / "store") as store:
            debs = [path for path in store.paths() if path.endswith(".deb")]
            store.collect_garbage(keep=debs)

    def mmdebstrap(self, packages: list[str]) -> None:
        """The same packages, configured, as a directory."""
        target = self.work / "peer-root"
        shutil.rmtree(target, ignore_errors=True)
        command(
            "mmdebstrap",
            "--variant=minbase",
            f"--include={','.join(packages)}",
            "bookworm",
            target,
        )

    def peer_image(self) -> None:
        """A disk image of the directory, as people make one."""
        target, image = self.work / "peer-root", self.work / "peer"
        shutil.rmtree(image, ignore_errors=True)
        (image / "root").mkdir(parents=True)
        used = int(command("du", "-sm", target).split()[0])
        ext4 = image / "root.ext4"
        command("truncate", "-s", f"{used * 5 // 4 + 64}M", ext4)
        command("fakeroot", "mke2fs", "-q", "-t", "ext4", "-d", target, ext4)
        (image / "genimage.cfg").write_text(
            "image disk.img {\n  hdimage { }\n  partition root {\n    partition-type = 0x83\n"
            '    image = "root.ext4"\n    bootable = true\n  }\n}\n'
        )
        command(
            "genimage", "--config", image / "genimage.cfg", "--rootpath", image / "root",
            "--tmppath", image / "tmp", "--inputpath", image, "--outputpath", image / "out",
        )  # fmt: skip


def main() -> None:
    """Run the rounds and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "declaration", nargs="?", default=ROOT / "examples/bare-bones.scm", type=Path
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--work", type=Path, default=Path("/var/tmp/kiln-bench"))
    options = parser.parse_args()
    bench = Bench(options.work, options.declaration)
    packages = bench.prepare()
    peers = [tool for tool in ("mmdebstrap", "genimage", "fakeroot") if shutil.which(tool)]
    whole = Series("kiln: cached .debs to disk image")
    strap = Series("mmdebstrap alone")
    chain = Series("mmdebstrap + fakeroot mke2fs -d + genimage")
    nothing = Series("kiln: nothing to do")
    renamed = Series("kiln: host name changed")
    for number in range(options.rounds):
        bench.forget()
        build = partial(bench.kiln, "image", "-q")
        for series in (whole, nothing):
            settle()
            series.run(partial(build, bench.declaration))
        other = bench.work / "renamed.scm"
        text = bench.declaration.read_text()
        other.write_text(re.sub(r'\(host-name "[^"]*"\)', f'(host-name "box{number}")', text))
        settle()
        renamed.run(partial(build, other))
        if len(peers) == 3:
            settle()
            strap.run(partial(bench.mmdebstrap, packages))
            settle()
            image = Series("")
            image.run(bench.peer_image)
            chain.add(strap.walls[-1] + image.wall, strap.cpus[-1] + image.cpu)
    print(f"{len(packages)} packages, {options.rounds} rounds; medians; ratios to the first")
    print(table((whole, strap, chain, nothing, renamed), whole))


if __name__ == "__main__":
    main()
