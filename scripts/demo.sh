#!/usr/bin/env bash
# Starts the daemon, plays the shipped recording into it over ZeroMQ and shows what it says.
set -euo pipefail
cd "$(dirname "$0")/.."
signd=target/release/signd
work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$work"' EXIT

$signd run --ingest "ipc://$work/in" --publish "ipc://$work/out" --http "" &
daemon=$!
$signd watch --from "ipc://$work/out" &
sleep 1
$signd send tests/recordings/signer.mcap --to "ipc://$work/in"
sleep 0.5
kill -TERM $daemon
wait $daemon
sleep 0.3
