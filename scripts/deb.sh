#!/usr/bin/env bash
# Builds target/debian/signd_VERSION_ARCHITECTURE.deb. Arguments go to cargo-deb, as --deb-version.
set -euo pipefail
cd "$(dirname "$0")/.."

version=3.8.0
cargo_deb=target/tools/bin/cargo-deb
[ "$($cargo_deb --version 2>/dev/null)" = "$version" ] ||
    cargo install --quiet --locked --no-default-features --root target/tools "cargo-deb@$version"
# It asks dpkg-shlibdeps for the libraries that the binary depends on.
command -v dpkg-shlibdeps >/dev/null || { echo "deb: install the package dpkg-dev" >&2; exit 1; }

signd=target/release/signd
out=target/package
rm -rf "$out"
mkdir -p "$out/man" "$out/doc" "$out/lib"
$signd man "$out/man"
$signd completions bash >"$out/signd.bash"
$signd completions zsh >"$out/_signd"
$signd completions fish >"$out/signd.fish"
cp target/onnxruntime/libonnxruntime.so "$out/lib/"
cp target/onnxruntime/LICENSE "$out/doc/onnxruntime-LICENSE"
gzip -9nc target/onnxruntime/ThirdPartyNotices.txt >"$out/doc/onnxruntime-ThirdPartyNotices.txt.gz"
gzip -9nc models/README.md >"$out/doc/model-card.md.gz"
gzip -9nc docs/wire-format.md >"$out/doc/wire-format.md.gz"

$cargo_deb --no-build --locked --strip "$@"
