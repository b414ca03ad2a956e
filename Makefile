# A thin front: meson builds, tests/run tests, docker/setup.sh installs what is missing. See README.

BUILD := build

.PHONY: build demo test check bench fuzz format trials setup

build: setup
	@test -f $(BUILD)/build.ninja || meson setup $(BUILD)
	@ninja -C $(BUILD) chartseal chartseal-verify

# Install what is missing. SETUP: build, check, test, demo, bench, fuzz or image.
setup:
	@docker/setup.sh build

demo:
	@docker/setup.sh demo
	@$(MAKE) --no-print-directory build
	@docker/demo/demo

test:
	@docker/setup.sh test
	@tests/run all

check:
	@docker/setup.sh check
	@tests/run check

bench:
	@docker/setup.sh bench
	@tests/run bench

fuzz:
	@docker/setup.sh fuzz
	@tests/run fuzz

trials:
	@docker/setup.sh test
	@tests/run trials $(NAME)

format:
	@find crypto anchor fhir gateway tests -name node_modules -prune -o -name "*.[ch]" -print | xargs clang-format -i
