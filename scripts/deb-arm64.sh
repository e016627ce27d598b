#!/usr/bin/env bash
# Cross-builds target/arm64/signd_VERSION_arm64.deb for Debian 12 and later, and runs its program under
# emulation: on the shipped recording it must decide as it does here. Needs root, debootstrap and
# qemu-user-static, and 6 GB below target/arm64; the first run fetches two systems.
#
# The compiler and Rust's library for arm64 are Debian unstable's, in a root of their own, since no
# release has them new enough. The glibc that is linked against is Debian 12's; this must be a Debian 12 too,
# whose archive has it for cross compilers.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() { echo "deb-arm64: $*" >&2; exit 1; }
[ "$(id -u)" = 0 ] || fail "needs root, to make systems"
for tool in debootstrap:debootstrap qemu-aarch64-static:qemu-user-static; do
    command -v "${tool%:*}" >/dev/null || fail "install the package ${tool#*:}"
done
work=target/arm64
mkdir -p "$work"

# Debian 12 for arm64, unpacked only: what is linked against, and where the program is tried.
if [ ! -d "$work/run" ]; then
    rm -rf "$work/run.part"
    debootstrap --foreign --arch=arm64 --variant=minbase --include=libzmq3-dev,libstdc++6,libc6-dev \
        bookworm "$work/run.part" >"$work/run.log" || fail "see $work/run.log"
    for deb in "$work"/run.part/var/cache/apt/archives/*.deb; do dpkg -x "$deb" "$work/run.part"; done
    mkdir -p "$work/run.part/opt"
    cp "$(command -v qemu-aarch64-static)" "$work/run.part/opt/qemu"
    mv "$work/run.part" "$work/run"
fi

if [ ! -d "$work/build-root" ]; then
    root=$work/build-root.part
    rm -rf "$root"
    debootstrap --variant=minbase --include=ca-certificates sid "$root" >"$work/build-root.log" ||
        fail "see $work/build-root.log"
    cp /etc/resolv.conf "$root/etc/"
    cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
    chroot "$root" env DEBIAN_FRONTEND=noninteractive LC_ALL=C sh -ec '
        dpkg --add-architecture arm64
        apt-get update -o Acquire::Check-Valid-Until=false
        apt-get install -y --no-install-recommends cargo rustc gcc gcc-aarch64-linux-gnu libc6-dev \
            dpkg-dev libzmq5:arm64
        cd /tmp
        # Unpacked: its dependency, the compiler for arm64, is not needed.
        apt-get download libstd-rust-dev:arm64
        dpkg -x libstd-rust-dev_*_arm64.deb /' >>"$work/build-root.log" 2>&1 || fail "see $work/build-root.log"
    # Debian 12's glibc in the place of this one's.
    rm -rf "$root"/usr/aarch64-linux-gnu/{include,lib}
    (
        cd "$root/tmp"
        chmod 777 .
        apt-get download -q libc6-arm64-cross libc6-dev-arm64-cross linux-libc-dev-arm64-cross
    ) >>"$work/build-root.log" 2>&1 || fail "see $work/build-root.log"
    for deb in "$root"/tmp/*-cross_*.deb; do dpkg -x "$deb" "$root"; done
    ln -s libzmq.so.5 "$root/usr/lib/aarch64-linux-gnu/libzmq.so"
    mv "$root" "$work/build-root"
fi

# ONNX Runtime for arm64, by the hash that setup.sh records.
version=$(sed -n 's/^version=//p' scripts/setup.sh)
sum=$(sed -n 's/^aarch64) .* sum=\([0-9a-f]*\) .*/\1/p' scripts/setup.sh)
library=$work/libonnxruntime.so
if ! echo "$sum  $library" | sha256sum --check --status 2>/dev/null; then
    target/python/bin/python -m pip download --quiet --no-deps --only-binary=:all: --python-version 3.11 \
        --platform manylinux_2_28_aarch64 --dest "$work" "onnxruntime==$version"
    unzip -qop "$work"/onnxruntime-*.whl "onnxruntime/capi/libonnxruntime.so.$version" >"$library"
    rm "$work"/onnxruntime-*.whl
    echo "$sum  $library" | sha256sum --check --status || fail "ONNX Runtime does not have the recorded hash"
fi

# What is the same for all machines is as deb.sh made it for this one.
scripts/deb.sh >/dev/null
cp "$library" target/package/lib/
# A mount namespace of its own: the mount ends with it.
unshare --mount bash -euc '
    mkdir -p "$1/cargo" "$1/build-root/src" "$1/build-root/cargo"
    mount --bind "$PWD" "$1/build-root/src"
    mount --bind "$1/cargo" "$1/build-root/cargo"
    mount -t proc proc "$1/build-root/proc"
    chroot "$1/build-root" env -i PATH=/usr/bin:/bin HOME=/root LC_ALL=C.UTF-8 CARGO_HOME=/cargo \
        CARGO_TARGET_DIR="/src/$1/build" CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc \
        CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUSTFLAGS="-C link-arg=-Wl,--allow-shlib-undefined" \
        CC_aarch64_unknown_linux_gnu=aarch64-linux-gnu-gcc sh -ec "
            cd /src
            cargo build --release --locked --target aarch64-unknown-linux-gnu
            target/tools/bin/cargo-deb --no-build --locked --strip --target aarch64-unknown-linux-gnu --output $1"
' - "$work"

# The package's files where it would put them, started as this machine can.
dpkg -x "$work"/signd_*_arm64.deb "$work/run"
cp tests/recordings/signer.mcap "$work/run/opt/"
signd() { chroot "$work/run" /opt/qemu /usr/bin/signd "$@" 2>"$work/said" || { cat "$work/said" >&2; return 1; }; }
signd check
# Probabilities may differ in their last digits between kinds of CPU; what is decided may not.
decisions() { grep '"kind":"sign"' | grep -oE '"(label|start_seq|end_seq|ended)":[^,]*'; }
cmp <(signd replay /opt/signer.mcap | decisions) <(decisions <tests/recordings/signer.events.jsonl) ||
    fail "decides otherwise than here"
ls "$work"/signd_*_arm64.deb
