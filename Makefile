# The two commands a newcomer needs are `make demo` and `make test`. Both begin with `make setup`.
.PHONY: setup demo test bench

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
