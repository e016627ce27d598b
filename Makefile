# The two commands a newcomer needs are `make demo` and `make test`. Both begin with `make setup`.
.PHONY: setup demo test bench deb deb-arm64 test-boot

SIGND := target/release/signd

setup:
	scripts/setup.sh

demo: setup
	scripts/demo.sh

test: setup
	scripts/test.sh

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
