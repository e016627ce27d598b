# The two commands a newcomer needs are `make demo` and `make test`. Both begin with `make setup`.
.PHONY: setup demo test

SIGND := target/release/signd

setup:
	scripts/setup.sh

demo: setup
	scripts/demo.sh

test: setup
	scripts/test.sh
