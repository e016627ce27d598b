#!/usr/bin/env bash
# Installs what the build needs, fetches ONNX Runtime (checked by hash), builds target/release/signd
# and puts library and model beside it, so that the binary runs as it stands from any directory.
set -euo pipefail
cd "$(dirname "$0")/.."

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
need=()
for package in libzmq3-dev unzip; do
    dpkg -s "$package" >/dev/null 2>&1 || need+=("$package")
done
python3 -c 'import ensurepip' 2>/dev/null || need+=(python3-venv)
if [ ${#need[@]} -gt 0 ]; then
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${need[@]}" >/dev/null
fi

# Python with what examples/client.py needs: a test plays that client against the daemon.
python=target/python/bin/python
if ! cmp -s examples/requirements.txt target/python/installed.txt; then
    rm -rf target/python
    python3 -m venv target/python
    $python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary=:all: \
        -r examples/requirements.txt
    cp examples/requirements.txt target/python/installed.txt
fi

# The library lies in the Python wheel as a plain shared object. From 1.29 on the official builds
# carry telemetry that is on by default, so the version is pinned before that.
version=1.28.0
case "$(uname -m)" in
x86_64) platform=manylinux_2_28_x86_64 sum=aa4079d18f4ea7a5f3a94d80cd4bbe0f2740436626622d64d793803a20381083 ;;
aarch64) platform=manylinux_2_28_aarch64 sum=23a37c2994bc273e1d59a4f49af6cba5bf1cfbc29f04907ec27df375aba50a7d ;;
*) echo "setup: no recorded hash of ONNX Runtime for $(uname -m)" >&2; exit 1 ;;
esac
library=target/onnxruntime/libonnxruntime.so
if ! echo "$sum  $library" | sha256sum --check --status 2>/dev/null; then
    rm -rf target/onnxruntime
    mkdir -p target/onnxruntime
    $python -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
        --python-version 3.11 --platform "$platform" --dest target/onnxruntime "onnxruntime==$version"
    (
        cd target/onnxruntime
        unzip -qoj ./*.whl "onnxruntime/capi/libonnxruntime.so.$version" onnxruntime/LICENSE \
            onnxruntime/ThirdPartyNotices.txt
        mv "libonnxruntime.so.$version" libonnxruntime.so
        rm ./*.whl
    )
    echo "$sum  $library" | sha256sum --check --status ||
        { echo "setup: ONNX Runtime does not have the recorded hash" >&2; rm -rf target/onnxruntime; exit 1; }
fi

cargo build --release --locked --workspace
ln -sf ../onnxruntime/libonnxruntime.so target/release/libonnxruntime.so
ln -sf ../../models/signd.onnx target/release/signd.onnx
target/release/signd check
