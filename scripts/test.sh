#!/usr/bin/env bash
# Lints and all tests, as CI runs them. Ends with one summary line over all tests.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/lint.sh --release
log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0
# A damaged file makes its reader panic, which is caught: a hundred lines each that hide the others.
export RUST_BACKTRACE=0
test=(cargo test --release --locked --workspace --no-fail-fast)
"${test[@]}" --lib --bins --tests -- --nocapture 2>&1 | tee "$log" || status=$?
# These want the machine for themselves.
"${test[@]}" --test integration -- --ignored --nocapture 2>&1 | tee -a "$log" || status=$?
"${test[@]}" --doc 2>&1 | tee -a "$log" || status=$?
if [ "$status" != 0 ]; then
    echo "What the tests that failed said, once more:"
    grep -A4 "^thread '.* panicked at \(tests\|src\|crates\)/" "$log" || true
    sed -n '/^failures:/,/^test result/p' "$log"
fi
awk '/^test result:/ { passed += $4; failed += $6 } END { print passed + 0 " passed, " failed + 0 " failed" }' "$log"
exit "$status"
