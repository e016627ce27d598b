# The two commands a newcomer needs are `make demo` and `make test`. Both begin with `make setup`.
.PHONY: setup setup-browser demo check check-models test bench deb deb-arm64 test-boot

SIGND := target/release/signd

setup:
	scripts/setup.sh

demo: setup
	scripts/demo.sh

# After an edit: lints and unit tests in the dev profile, a minute or two.
check: target/onnxruntime/libonnxruntime.so
	scripts/check.sh

# What CI runs: lints and all tests, on what users run. Ends with one summary line.
test: setup
	scripts/test.sh

# The Python under models/: style, types, tests, a small training. The first run fetches 2 GB of PyTorch.
check-models: setup
	scripts/check-models.sh

# Installs the browser that the tests of the page want. Without it they are skipped.
setup-browser:
	scripts/setup-browser.sh

# Stages alone, then the binary over its sockets: two minutes.
bench: setup
	cargo bench --locked --bench stages --bench end_to_end

# target/debian/signd_*.deb
deb: setup
	scripts/deb.sh

# target/arm64/signd_*_arm64.deb, tried under emulation. On Debian 12; needs root, debootstrap and
# qemu-user-static.
deb-arm64: setup
	scripts/deb-arm64.sh

# The package in booted systems of its own, Debian 12 and 13. Needs root, debootstrap and
# systemd-container, and 1 GB below target; the first run fetches the systems.
test-boot: setup
	scripts/test-boot.sh

target/onnxruntime/libonnxruntime.so:
	scripts/setup.sh
