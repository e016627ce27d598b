#!/usr/bin/env bash
# Formatting, lints, all tests; ends with one summary line over all of them.
set -euo pipefail
cd "$(dirname "$0")/.."
# The page is tested in a browser; where none can be had those tests say that they are skipped.
if ! command -v chromedriver >/dev/null && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        chromium chromium-driver; } >/dev/null || echo "test: no chromium from apt" >&2
fi
cargo fmt --all --check
cargo clippy --release --locked --workspace --all-targets -- -D warnings
log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0
# A damaged file makes its reader panic, which is caught: a hundred lines each that hide the others.
export RUST_BACKTRACE=0
cargo test --release --locked --no-fail-fast --workspace --lib --bins --tests -- --nocapture 2>&1 | tee "$log" || status=$?
if [ "$status" != 0 ]; then
    echo "What the tests that failed said, once more:"
    grep -A4 "^thread '.* panicked at \(tests\|src\|examples\)/" "$log" || true
    sed -n '/^failures:/,/^test result/p' "$log"
fi
awk '/^test result:/ { passed += $4; failed += $6 } END { print passed + 0 " passed, " failed + 0 " failed" }' "$log"
exit "$status"
