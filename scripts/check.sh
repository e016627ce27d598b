#!/usr/bin/env bash
# What to run after an edit: lints, unit tests and the examples in the documentation, in the dev
# profile. A minute or two.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/lint.sh
# A damaged file makes its reader panic, which is caught. Traces of that would take minutes.
export RUST_BACKTRACE=0
cargo test --locked --workspace --lib --bins
cargo test --locked --workspace --doc
