#!/usr/bin/env bash
# What is found without running anything: formatting, lints, documentation, shell scripts.
# Arguments go to cargo, as --release.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo fmt --all --check
cargo clippy "$@" --locked --workspace --all-targets -- -D warnings
RUSTDOCFLAGS="-D warnings" cargo doc "$@" --locked --workspace --no-deps
if command -v shellcheck >/dev/null; then
    shellcheck --severity=warning .ci/run scripts/*.sh scripts/boot/*.sh
else
    echo "SKIPPED: no shellcheck here, so no script was checked" >&2
fi
