#!/bin/sh
# Sets up what Kiln needs, then runs it:  ./kiln.sh image examples/bare-bones.scm
# or its tests:                           ./kiln.sh test [PYTEST OPTION...]
set -eu

here=$(cd "$(dirname "$0")" && pwd)
venv=${KILN_VENV:-$here/.venv}

say() { printf 'kiln.sh: %s\n' "$*" >&2; }

# The packages named that dpkg has not installed.
missing() {
    for package in "$@"; do
        dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed ||
            printf '%s ' "$package"
    done
}

install_packages() {
    wanted=$(missing "$@")
    [ -n "$wanted" ] || return 0
    say "installing $wanted"
    as_root=
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || {
            say "please have an administrator install: $wanted"
            exit 1
        }
        as_root=sudo
    fi
    $as_root apt-get update -qq
    # shellcheck disable=SC2086  # a list of names
    $as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -qq -y --no-install-recommends $wanted >/dev/null
}

find_python() {
    for python in /usr/bin/python3 python3 python3.13 python3.12 python3.11; do
        if command -v "$python" >/dev/null &&
            "$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
        then
            printf '%s' "$python"
            return 0
        fi
    done
    return 1
}

# An environment holding Kiln with its dependencies (and $1: those of an extra), made once.
set_up() {
    extra=${1:-}
    stamp=$venv/kiln-${extra:-base}.stamp
    if [ -e "$stamp" ] && [ ! "$here/pyproject.toml" -nt "$stamp" ]; then
        return 0
    fi
    python=$(find_python) || {
        install_packages python3 python3-venv
        python=$(find_python) || {
            say "Kiln needs Python 3.11 or newer with venv"
            exit 1
        }
    }
    say "setting up $venv"
    [ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
    # A plain path: the finder that setuptools installs otherwise takes as long to import as Kiln.
    "$venv/bin/python" -m pip install -q --disable-pip-version-check \
        --config-settings editable_mode=compat -e "$here${extra:+[$extra]}"
    touch "$stamp"
}

if [ "${1:-}" = test ]; then
    shift
    install_packages debian-archive-keyring python3-venv util-linux kmod libfaketime \
        qemu-system-x86 qemu-utils seabios ovmf e2fsprogs fdisk gdisk dosfstools mtools \
        xorriso squashfs-tools erofs-utils btrfs-progs skopeo umoci cpio binutils xz-utils zstd guile-3.0 \
        grub-common grub-pc-bin libarchive-tools
    set_up dev
    cd "$here"
    # Each file on one core, in order: those of boots come first and take longest.
    exec "$venv/bin/python" -m pytest -n auto --dist loadfile --no-loadscope-reorder "$@"
fi

[ -e /usr/share/keyrings/debian-archive-keyring.gpg ] || install_packages debian-archive-keyring
set_up
exec "$venv/bin/kiln" "$@"
