# BotCron: `make run` shows it at work, `make test` tests it, `make install` installs it. README.md tells the rest.

PREFIX ?= /usr/local
# Where a user manager looks for units: below a home folder it is share/, elsewhere lib/.
UNITDIR ?= $(PREFIX)/$(if $(filter $(HOME)/%,$(PREFIX)),share,lib)/systemd/user
RELEASE = swift build -c release --static-swift-stdlib
BIN = .build/release
PROGRAMS = $(BIN)/botcrond $(BIN)/botcronctl
SUPERVISOR = $(BIN)/botcron-run

.PHONY: build run test test-machine test-long bench bench-schedules interface install uninstall format clean

build:
	.make/packages build
	$(RELEASE) --product botcrond
	$(RELEASE) --product botcron-run
	$(RELEASE) --product botcronctl

# RUN_FOR=20 ends it after so many seconds.
run: build
	@.make/run $(RUN_FOR)

test:
	.make/packages build test
	@.make/test

# The installed package on booted machines, with a real logind; it takes root, and is skipped where none can be booted.
test-machine:
	@.make/test-machine

# The long tests, too: every zone and transition; clocks that are set and nights that are slept through on machines with
# a clock of their own; then a minute of fuzzing for each parser of schedules.
test-long:
	.make/packages build test
	@BOTCRON_LONG_TESTS=1 .make/test
	@BOTCRON_LONG_TESTS=1 .make/test-machine
	Tests/Fuzz/fuzz.sh 60

# What is measured, and beside what: README.md, "Measured".
bench: build bench-schedules
	for bench in daemon bus scheduler spawn store; do $(RELEASE) --product $$bench-bench || exit; done
	cc -O2 -static -o $(BIN)/stamp Tests/Benchmarks/stamp.c
	dbus-run-session -- $(BIN)/daemon-bench $(BIN)/botcrond $(BIN)/stamp
	@.make/bench-machine $(BIN)
	cc -O2 -o $(BIN)/echo-sd-bus Tests/Benchmarks/peers/echo-sd-bus.c -lsystemd
	$(BIN)/bus-bench $(BIN)/botcrond $(BIN)/echo-sd-bus
	$(BIN)/scheduler-bench
	$(BIN)/spawn-bench
	$(BIN)/store-bench .build

bench-schedules:
	Tests/Benchmarks/bench-schedules.sh --install

# Writes dbus/*.xml anew, from what the daemon itself answers to Introspect.
interface: build
	@.make/interface

# The programs are not built again here, so that `sudo make install` needs no compiler.
$(PROGRAMS) $(SUPERVISOR):
	$(MAKE) build

install: $(PROGRAMS) $(SUPERVISOR)
	install -D -m 755 -t $(DESTDIR)$(PREFIX)/bin $(PROGRAMS)
	install -D -m 755 -t $(DESTDIR)$(PREFIX)/libexec/botcron $(SUPERVISOR)
	install -d $(DESTDIR)$(UNITDIR) $(DESTDIR)$(PREFIX)/share/dbus-1/services
	sed 's|/usr/local|$(PREFIX)|g' systemd/bot-cron.service > $(DESTDIR)$(UNITDIR)/bot-cron.service
	sed 's|/usr/local|$(PREFIX)|g' dbus/com.aiworkflow.BotCron.service \
		> $(DESTDIR)$(PREFIX)/share/dbus-1/services/com.aiworkflow.BotCron.service
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/dbus-1/interfaces dbus/*.xml
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/doc/bot-cron README.md

uninstall:
	rm -f $(DESTDIR)$(PREFIX)/bin/botcrond $(DESTDIR)$(PREFIX)/bin/botcronctl $(DESTDIR)$(UNITDIR)/bot-cron.service \
		$(DESTDIR)$(PREFIX)/share/dbus-1/services/com.aiworkflow.BotCron.service \
		$(DESTDIR)$(PREFIX)/share/dbus-1/interfaces/com.aiworkflow.BotCron*.xml
	rm -rf $(DESTDIR)$(PREFIX)/share/doc/bot-cron $(DESTDIR)$(PREFIX)/libexec/botcron

format:
	swift format -i -r -p Package.swift Sources Tests

clean:
	rm -rf .build
