#!/usr/bin/env bash
# The Debian package in real systems: Debian 12 and 13, booted in containers, in which
# scripts/boot/inside.sh installs, exercises, upgrades, removes and purges it. One line a check.
# The systems are kept in target/boot; each run works on a copy that is thrown away.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() { echo "test-boot: $*" >&2; exit 1; }
[ "$(id -u)" = 0 ] || fail "needs root, to make and boot systems"
for tool in debootstrap:debootstrap systemd-nspawn:systemd-container; do
    command -v "${tool%:*}" >/dev/null || fail "install the package ${tool#*:}"
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/debs"
scripts/deb.sh --output "$work/debs/1.deb"
later="$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)-9"
target/tools/bin/cargo-deb --no-build --locked --strip --fast --deb-version "$later" --output "$work/debs/2.deb"
cp tests/recordings/signer.mcap scripts/boot/inside.sh "$work/"

status=0
for suite in bookworm trixie; do
    root=target/boot/$suite
    if [ ! -d "$root" ]; then
        rm -rf "$root.part"
        mkdir -p target/boot
        debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus,libzmq5,libstdc++6 \
            "$suite" "$root.part" >"target/boot/$suite.log" || fail "see target/boot/$suite.log"
        mv "$root.part" "$root"
    fi
    rm -f "$work/result" "$work/journal"
    # In this mode nothing of the console is seen; results come as a file. The network is the
    # system's own: its daemon must not meet one that runs here.
    timeout 600 systemd-nspawn --quiet --ephemeral --directory="$root" --private-network \
        --console=pipe --keep-unit --register=no --bind="$work:/boot-test" \
        --bind-ro="$PWD/scripts/boot/boot-test.service:/etc/systemd/system/boot-test.service" \
        --boot systemd.wants=boot-test.service </dev/null >/dev/null || true
    cp "$work/journal" "target/boot/$suite.journal" 2>/dev/null || true
    sed "s/^/$suite: /" "$work/result" 2>/dev/null || echo "$suite: FAILED to boot"
    if grep -q FAILED "$work/result" || ! grep -q "^done$" "$work/result"; then
        echo "$suite: FAILED; its journal is target/boot/$suite.journal"
        status=1
    fi
done
exit "$status"
