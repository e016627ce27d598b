#!/usr/bin/env bash
# Builds target/debian/signd_VERSION_ARCHITECTURE.deb. Arguments go to cargo-deb, as --deb-version.
set -euo pipefail
cd "$(dirname "$0")/.."

version=3.8.0
cargo_deb=target/tools/bin/cargo-deb
if [ "$($cargo_deb --version 2>/dev/null)" != "cargo-deb $version" ]; then
    echo "deb: compiling cargo-deb $version, once, for some minutes"
    cargo install --locked --no-default-features --root target/tools "cargo-deb@$version"
fi
# It asks dpkg-shlibdeps for the libraries that the binary depends on.
command -v dpkg-shlibdeps >/dev/null || { echo "deb: install the package dpkg-dev" >&2; exit 1; }

echo "deb: man pages, completions and documentation into target/package"
signd=target/release/signd
out=target/package
rm -rf "$out"
mkdir -p "$out/man" "$out/doc" "$out/examples" "$out/lib"
$signd man "$out/man"
$signd completions bash >"$out/signd.bash"
$signd completions zsh >"$out/_signd"
$signd completions fish >"$out/signd.fish"
cp target/onnxruntime/libonnxruntime.so "$out/lib/"
cp target/onnxruntime/LICENSE "$out/doc/onnxruntime-LICENSE"
gzip -9nc target/onnxruntime/ThirdPartyNotices.txt >"$out/doc/onnxruntime-ThirdPartyNotices.txt.gz"
# As they are, so that they open with any tool: signd doctor and the pages themselves name these paths.
cp README.md docs/wire-format.md docs/operations.md docs/alerts.yml "$out/doc/"
cp models/README.md "$out/doc/model-card.md"
cp examples/client.py examples/requirements.txt tests/recordings/signer.mcap "$out/examples/"

echo "deb: packing"
$cargo_deb --no-build --locked --strip "$@"
