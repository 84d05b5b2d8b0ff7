# BotCron: `make run` shows it at work, `make test` tests it, `make install` installs it. README.md tells the rest.

PREFIX ?= /usr/local
# Where a user manager looks for units: below a home folder it is share/, elsewhere lib/.
UNITDIR ?= $(PREFIX)/$(if $(filter $(HOME)/%,$(PREFIX)),share,lib)/systemd/user
RELEASE = swift build -c release --static-swift-stdlib
BIN = .build/release
PROGRAMS = $(BIN)/botcrond $(BIN)/botcronctl
# What the daemon starts, and nobody else.
SERVANTS = $(BIN)/botcron-run $(BIN)/botcron-send

.PHONY: build run test test-machine test-long bench bench-schedules interface install uninstall deb format clean

build:
	.make/packages build
	$(RELEASE) --product botcrond
	$(RELEASE) --product botcron-run
	$(RELEASE) --product botcron-send
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
$(PROGRAMS) $(SERVANTS):
	$(MAKE) build

# Where the pieces go that have a folder of their own; zsh of a distribution looks elsewhere than that of this machine.
SHARE = $(DESTDIR)$(PREFIX)/share
ZSHDIR ?= $(PREFIX)/share/zsh/$(if $(filter /usr,$(PREFIX)),vendor-completions,site-functions)
COMPLETIONS = $(SHARE)/bash-completion/completions/botcronctl $(DESTDIR)$(ZSHDIR)/_botcronctl \
	$(SHARE)/fish/vendor_completions.d/botcronctl.fish
PAGES = $(SHARE)/man/man1/botcronctl.1 $(SHARE)/man/man8/botcrond.8 $(SHARE)/man/man5/botcron.json.5 \
	$(SHARE)/man/man5/com.aiworkflow.BotCron.5
# What journalctl -x says of the daemon's lines.
CATALOG = $(DESTDIR)$(PREFIX)/lib/systemd/catalog
INTERFACES = $(notdir $(wildcard dbus/*.xml))
place = sed 's|/usr/local|$(PREFIX)|g'

install: $(PROGRAMS) $(SERVANTS)
	install -D -m 755 -t $(DESTDIR)$(PREFIX)/bin $(PROGRAMS)
	install -D -m 755 -t $(DESTDIR)$(PREFIX)/libexec/botcron $(SERVANTS)
	install -d $(DESTDIR)$(UNITDIR) $(SHARE)/dbus-1/services $(SHARE)/applications $(dir $(COMPLETIONS) $(PAGES))
	$(place) systemd/bot-cron.service > $(DESTDIR)$(UNITDIR)/bot-cron.service
	$(place) dbus/com.aiworkflow.BotCron.service > $(SHARE)/dbus-1/services/com.aiworkflow.BotCron.service
	$(place) Sources/Share/com.aiworkflow.BotCron.desktop > $(SHARE)/applications/com.aiworkflow.BotCron.desktop
	install -D -m 644 -t $(SHARE)/metainfo Sources/Share/com.aiworkflow.BotCron.metainfo.xml
	install -D -m 644 -t $(CATALOG) Sources/Share/bot-cron.catalog
	install -D -m 644 -t $(SHARE)/dbus-1/interfaces $(addprefix dbus/,$(INTERFACES))
	install -D -m 644 -t $(SHARE)/doc/bot-cron README.md
	install -D -m 644 -t $(SHARE)/doc/bot-cron/examples Sources/Share/config.json
	for file in $(COMPLETIONS); do \
		case $$file in */completions/*) shell=bash ;; *.fish) shell=fish ;; *) shell=zsh ;; esac; \
		$(BIN)/botcronctl completion $$shell > $$file || exit; \
	done
	for file in $(PAGES); do \
		page=$${file##*/}; $(BIN)/botcronctl man --roff $${page%.*} --interfaces dbus > $$file || exit; \
	done
	@.make/catalog "$(DESTDIR)" $(PREFIX)

# What runs and what is enabled of it is dealt with first, and named.
uninstall:
	@[ -n "$(DESTDIR)" ] || .make/leave $(UNITDIR) $(PREFIX)
	rm -f $(DESTDIR)$(PREFIX)/bin/botcrond $(DESTDIR)$(PREFIX)/bin/botcronctl $(DESTDIR)$(UNITDIR)/bot-cron.service \
		$(SHARE)/dbus-1/services/com.aiworkflow.BotCron.service $(addprefix $(SHARE)/dbus-1/interfaces/,$(INTERFACES)) \
		$(SHARE)/applications/com.aiworkflow.BotCron.desktop $(SHARE)/metainfo/com.aiworkflow.BotCron.metainfo.xml \
		$(COMPLETIONS) $(PAGES) $(CATALOG)/bot-cron.catalog
	rm -rf $(SHARE)/doc/bot-cron $(DESTDIR)$(PREFIX)/libexec/botcron
	@.make/catalog "$(DESTDIR)" $(PREFIX)

# The package for Debian 12 and what comes of it, in .build/deb.
deb: build
	.make/packages deb
	@.make/deb

format:
	swift format -i -r -p Package.swift Sources Tests

clean:
	rm -rf .build
