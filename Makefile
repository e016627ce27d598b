# The two commands a newcomer needs are `make demo` and `make test`. Both begin with `make setup`.
.PHONY: setup demo test bench deb test-boot

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

# The package in booted systems of its own, Debian 12 and 13. Needs root, debootstrap and
# systemd-container, and 1 GB below target; the first run fetches the systems.
test-boot: setup
	scripts/test-boot.sh
