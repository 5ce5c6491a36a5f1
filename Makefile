# Postern: the one Makefile. `make help` lists the targets.
# A folder of sources is a layer and becomes one static library; a layer links only with those before it in LAYERS.

BUILD   ?= build
PREFIX  ?= /usr/local
DESTDIR ?=
CC      ?= gcc
ifeq ($(origin CC),default)
CC      := gcc
endif
SAN     ?= 0

LAYERS := gateway/base gateway/mail certstore ldap gateway/scout gateway/policy gateway/cms gateway/keys \
          gateway/xsmg gateway/queue gateway/smtp gateway/pipeline admin-ui/page gateway/proc admin-ui

PKGS   := libcrypto libssl zlib libevent libevent_pthreads sqlite3 libconfuse jansson gmime-3.0 libidn2 libseccomp libunbound libsystemd libcurl ldap lber libmicrohttpd gnutls libargon2 liboath
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
PKG_LIBS   := $(shell pkg-config --libs $(PKGS) 2>/dev/null)

WARN   := -Wall -Wextra -Werror -Wshadow -Wpointer-arith -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 \
          -Wundef -Wwrite-strings -Wnull-dereference -Wimplicit-fallthrough -Wno-format-truncation
# cutting a sentence to the room it has is meant: no -Wformat-truncation
ifneq (,$(findstring clang,$(CC)))
WARN   += -Wno-null-dereference -Wno-unknown-warning-option
endif
CFLAGS  ?= -O2 -g
ALL_CFLAGS := -std=gnu11 $(CFLAGS) $(WARN) -fPIE -fstack-protector-strong -fno-strict-aliasing -D_GNU_SOURCE \
          -DOPENSSL_API_COMPAT=30000 -DOPENSSL_NO_DEPRECATED -I. $(PKG_CFLAGS)
ALL_LDFLAGS := -pie -Wl,-z,relro,-z,now -pthread $(LDFLAGS)
ifeq ($(SAN),1)
BUILD      := build/san
ALL_CFLAGS += -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer -DPOSTERN_SAN=1
ALL_LDFLAGS += -fsanitize=address,undefined
else ifeq ($(FUZZING),1)
ALL_CFLAGS  += -fsanitize=fuzzer-no-link,address,undefined -fno-omit-frame-pointer -DPOSTERN_SAN=1
ALL_LDFLAGS += -fsanitize=address,undefined
else
ALL_CFLAGS += -D_FORTIFY_SOURCE=2
endif

lib     = $(BUILD)/lib/libpostern-$(notdir $(1)).a
srcs    = $(wildcard $(1)/*.c)
objs    = $(patsubst %.c,$(BUILD)/obj/%.o,$(call srcs,$(1)))
# the libraries a layer may use, itself first (the linker wants users before the used)
upto    = $(if $(filter $(1),$(firstword $(2))),$(1),$(call upto,$(1),$(wordlist 2,99,$(2))) $(firstword $(2)))
libs_of = $(foreach l,$(call upto,$(1),$(LAYERS)),$(if $(call srcs,$(l)),$(call lib,$(l))))
layer_of_stem = $(firstword $(foreach l,$(LAYERS),$(if $(wildcard $(l)/$(1).c),$(l))))

UNIT   := $(patsubst tests/unit/test_%.c,$(BUILD)/unit/test_%,$(wildcard tests/unit/test_*.c))
TOOLS  := $(patsubst tests/tools/%.c,$(BUILD)/tools/%,$(wildcard tests/tools/*.c))

.PHONY: all
all: $(BUILD)/bin/posternd $(BUILD)/bin/postern $(BUILD)/bin/postern-interop $(TOOLS) $(BUILD)/replay/clock.so

define layer_rule
$(call lib,$(1)): $(call objs,$(1))
	@mkdir -p $$(@D)
	@rm -f $$@
	$$(Q)ar rcs $$@ $$^
endef
$(foreach l,$(LAYERS),$(if $(call srcs,$(l)),$(eval $(call layer_rule,$(l)))))

Q ?= @
$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# templates and what browsers load are in it
$(BUILD)/obj/admin-ui/page/page_files.o: $(wildcard admin-ui/page/html/* admin-ui/page/static/*)
$(BUILD)/obj/gateway/proc/web_answers.o: gateway/proc/web_answers.json

PROC_LIBS := $(call libs_of,gateway/proc)
$(BUILD)/bin/posternd: $(PROC_LIBS)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ -Wl,--whole-archive $(call lib,gateway/proc) -Wl,--no-whole-archive $(PROC_LIBS) $(PKG_LIBS)

CLI_LIBS := $(call libs_of,gateway/queue)
$(BUILD)/bin/postern: $(call objs,admin-ui) $(CLI_LIBS)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS)

$(BUILD)/tools/%: $(BUILD)/obj/tests/tools/%.o $(call lib,gateway/base)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $< $(call lib,gateway/base) $(PKG_LIBS)

# the gateway's CMS on the command line, for the tests with other programs
$(BUILD)/tools/cms: $(BUILD)/obj/tests/tools/cms.o $(call libs_of,gateway/cms)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS)

# a page of the web UI from a file of answers
$(BUILD)/tools/page: $(BUILD)/obj/tests/tools/page.o $(call libs_of,admin-ui/page)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS)

# requests for such pages to a gateway that runs
$(BUILD)/tools/ui: $(BUILD)/obj/tests/tools/ui.o $(PROC_LIBS)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS)

# the test vectors in docs/xsmg/vectors, with the fixtures of the unit tests
$(BUILD)/tools/xsmg_vectors: $(BUILD)/obj/tests/tools/xsmg_vectors.o $(call libs_of,gateway/xsmg)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS)

# the certification kit: a program of its own, with nothing of the gateway in it
KIT_OBJS := $(call objs,interop/kit)
KIT_LIBS  = $(shell pkg-config --libs libcrypto libssl jansson zlib)
$(BUILD)/bin/postern-interop: $(KIT_OBJS)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(KIT_LIBS)
# its tests link with what they need of it, behind their stand-ins for the rest
KIT_UNIT := $(patsubst interop/test/test_%.c,$(BUILD)/kit/test_%,$(wildcard interop/test/test_*.c))
# tables of command lines
$(BUILD)/obj/interop/test/%.o: ALL_CFLAGS += -Wno-write-strings
KIT_STANDS := $(patsubst %.c,$(BUILD)/obj/%.o,$(filter-out interop/test/test_%,$(wildcard interop/test/*.c)))
KIT_STANDS_REPORT := $(filter %/report_stand.o,$(KIT_STANDS))
$(BUILD)/lib/libinterop.a: $(filter-out %/main.o,$(KIT_OBJS))
$(BUILD)/lib/libinterop-stands.a: $(filter-out $(KIT_STANDS_REPORT),$(KIT_STANDS))
$(BUILD)/lib/libinterop.a $(BUILD)/lib/libinterop-stands.a:
	@mkdir -p $(@D)
	@rm -f $@
	$(Q)ar rcs $@ $^
$(BUILD)/kit/test_report $(BUILD)/kit/test_plan: $(BUILD)/kit/%: $(BUILD)/obj/interop/test/%.o $(KIT_STANDS_REPORT) $(BUILD)/lib/libinterop.a
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(KIT_LIBS)
$(BUILD)/kit/test_%: $(BUILD)/obj/interop/test/test_%.o $(BUILD)/lib/libinterop-stands.a $(BUILD)/lib/libinterop.a
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(KIT_LIBS) $(shell pkg-config --libs check)

# a clock that tests put forward; without sanitizers, as it is loaded before them
$(BUILD)/replay/clock.so: tests/replay/clock.c
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -O2 $(WARN) -fPIC -shared -D_GNU_SOURCE -o $@ $<

# tests/unit/test_STEM.c tests STEM.c and links with that file's layer and the ones before it
define unit_rule
$(BUILD)/unit/test_$(1): $(BUILD)/obj/tests/unit/test_$(1).o $(call libs_of,$(or $(call layer_of_stem,$(1)),gateway/proc))
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(ALL_LDFLAGS) -o $$@ $$^ $$(PKG_LIBS) $$(shell pkg-config --libs check)
endef
$(foreach t,$(patsubst tests/unit/test_%.c,%,$(wildcard tests/unit/test_*.c)),$(eval $(call unit_rule,$(t))))

# one unit test by its stem: make unit-buf
unit-%: $(BUILD)/unit/test_%
	$<

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)

# ---- what the machine needs ----
APT_BUILD := gcc make pkg-config libc6-dev libssl-dev libevent-dev libsqlite3-dev libconfuse-dev libjansson-dev libgmime-3.0-dev \
             libidn2-dev libseccomp-dev libunbound-dev libsystemd-dev libcurl4-openssl-dev libldap-dev libmicrohttpd-dev libgnutls28-dev libargon2-dev liboath-dev zlib1g-dev openssl ca-certificates python3
APT_CHECK := check valgrind strace clang-14 libclang-rt-14-dev clang-tidy-14 clang-format-14 postfix swaks nsd ldnsutils slapd gpgsm gpg-agent python3-cryptography-vectors procps iproute2
LIBSSL_LEAST := 3.0.22-1~deb12u2

.PHONY: deps deps-build
deps: ; @APT="$(APT_BUILD) $(APT_CHECK)" LIBSSL_LEAST="$(LIBSSL_LEAST)" tests/scripts/deps
deps-build: ; @APT="$(APT_BUILD)" LIBSSL_LEAST="$(LIBSSL_LEAST)" tests/scripts/deps

# ---- the two commands of the README ----
CORES := $(shell nproc 2>/dev/null || echo 2)
# The build runs in a make of its own, because the packages of `deps` must be there before pkg-config is asked.
.PHONY: demo check
demo: deps-build
	@$(MAKE) --no-print-directory -j$(CORES) all
	@BUILD=$(BUILD) python3 tests/demo/demo.py $(if $(KEEP),--keep)

check: deps
	@$(MAKE) --no-print-directory -j$(CORES) all unit-bins kit-bins
	@$(MAKE) --no-print-directory check-unit check-kit check-layers check-size check-style check-map check-man check-fuzz check-e2e

.PHONY: unit-bins kit-bins check-unit check-e2e check-layers check-size check-style check-map check-valgrind lint
unit-bins: $(UNIT)
kit-bins: $(KIT_UNIT)
check-unit: $(UNIT)
	@tests/scripts/run-unit $(UNIT)
check-valgrind: $(UNIT)
	@tests/scripts/run-unit --valgrind $(UNIT)
check-e2e: all
	@BUILD=$(BUILD) python3 tests/e2e/run.py --jobs=$(shell expr $(CORES) + 1) $(ONLY)
# the whole of it under ASan and UBSan
.PHONY: check-san
check-san:
	@$(MAKE) --no-print-directory -j$(CORES) SAN=1 CC=gcc all
	@BUILD=build/san python3 tests/e2e/run.py --jobs=$(CORES) $(ONLY)
# with Exim and OpenSMTPD, unpacked from their packages because they cannot be installed beside Postfix, and in network namespaces; needs root
.PHONY: neighbours check-neighbours
neighbours: ; @tests/scripts/get-neighbours build/neighbours
check-neighbours: all neighbours
	@FOLDER=tests/neighbours BUILD=$(BUILD) python3 tests/e2e/run.py $(ONLY)

# N gateways that know nothing of each other, in network namespaces (ONLY=many:many for these alone); days that go by, two nodes, somebody else's MX; root
.PHONY: xsmg-many
N ?= 8
xsmg-many: all
	@N=$(N) FOLDER=tests/many BUILD=$(BUILD) python3 tests/e2e/run.py $(ONLY)
# with gpgsm, NSS (Debian's and Thunderbird's), BouncyCastle, PKI.js and openssl, both ways; RFC examples; PKITS (docs/INTEROP.md)
APT_INTEROP := gpgsm gpg-agent libnss3-tools thunderbird libbcmail-java default-jdk-headless python3-cryptography-vectors \
               $(if $(shell command -v node),,nodejs) $(if $(shell command -v npm),,npm)
.PHONY: interop-deps check-interop
interop-deps:
	@APT="$(APT_BUILD) $(APT_INTEROP)" LIBSSL_LEAST="$(LIBSSL_LEAST)" tests/scripts/deps
	@tests/scripts/get-pkijs build/peers/pkijs
	@[ -n "$(RFC_TEXTS)" ] || tests/scripts/get-rfc build/peers/rfc
check-interop: interop-deps
	@$(MAKE) --no-print-directory -j$(CORES) all
	@BUILD=$(BUILD) RFC_TEXTS=$(RFC_TEXTS) python3 tests/peers/run.py $(ONLY)
# the certification kit (docs/CERTIFY.md): its own tests; with every case against our own gateway, with faulty ones, with foreign ones. ONLY="own mutants foreign M07 find-cert-domain ..."
PROFILES := $(notdir $(wildcard interop/requirements/*))
.PHONY: profiles
profiles: all
	@mkdir -p docs/profiles
	@for p in $(PROFILES); do $(BUILD)/bin/postern-interop profile $$p > docs/profiles/$$p.md; done
.PHONY: check-kit interop-kit-deps interop
check-kit: all $(KIT_UNIT)
	@tests/scripts/run-unit $(KIT_UNIT)
	@$(BUILD)/bin/postern-interop check
	@for p in $(PROFILES); do $(BUILD)/bin/postern-interop profile $$p | cmp - docs/profiles/$$p.md || { echo "docs/profiles/$$p.md is not what the cases say: make profiles"; exit 1; }; done
interop-kit-deps:
	@APT="$(APT_BUILD) postfix nsd ldnsutils slapd gpgsm gpg-agent libbcmail-java default-jdk-headless" LIBSSL_LEAST="$(LIBSSL_LEAST)" tests/scripts/deps
interop: interop-kit-deps
	@$(MAKE) --no-print-directory -j$(CORES) all
	@BUILD=$(BUILD) python3 tests/interop/run.py $(ONLY)
# the web UI in Debian's chromium: every page, as each role, in light and dark, at three widths; SHOTS=folder keeps screenshots
APT_BROWSER := chromium python3-cryptography $(if $(shell command -v npm),,nodejs npm)
.PHONY: browser-deps check-browser
browser-deps:
	@APT="$(APT_BROWSER)" LIBSSL_LEAST="$(LIBSSL_LEAST)" tests/scripts/deps
	@tests/scripts/get-browser $(BUILD)/browser
check-browser: all $(BUILD)/tools/page browser-deps
	@FOLDER=$(CURDIR)/tests/browser BUILD=$(BUILD) python3 tests/e2e/run.py $(ONLY)
.PHONY: screenshots
screenshots:
	@BROWSER=pictures SHOTS=$(CURDIR)/docs/screenshots $(MAKE) --no-print-directory check-browser ONLY="looks trust"
check-layers: ; @tests/scripts/check-layers $(LAYERS) interop
check-size:   ; @tests/scripts/check-size gateway certstore ldap admin-ui interop
check-style:  ; @tests/scripts/check-style
# postern.conf(5) is made from the program's own tables
.PHONY: man check-man
man: all
	$(BUILD)/bin/posternd -H | tests/scripts/make-conf-man > docs/man/postern.conf.5
check-man: all
	@$(BUILD)/bin/posternd -H | tests/scripts/make-conf-man | cmp - docs/man/postern.conf.5 || { echo 'docs/man/postern.conf.5 is not what posternd -H says: make man'; exit 1; }
check-map:    ; @tests/scripts/check-map docs/MAP.md

# the fuzz targets compile with the rest as it is now; built and run: make fuzz
.PHONY: check-fuzz
check-fuzz: ; @for f in tests/fuzz/*.c; do $(CC) $(ALL_CFLAGS) -fsyntax-only $$f || exit 1; done; echo "fuzz targets: good"

# clang-tidy over everything: minutes the first time, then only what changed (CHANGED=1, FILES=, JOBS=: the script)
lint:
	@tests/scripts/lint $(ALL_CFLAGS)

# ---- fuzz: each target 60 s with its corpus, what strangers speak to and what mail goes through 10 minutes; FUZZ_SECONDS=n for all of them, ONLY="name ..." for some ----
FUZZ_SECONDS ?=
FUZZ_BUILD   := build/fuzz
FUZZ         := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_KIT     := $(filter kit_%,$(FUZZ))
.PHONY: fuzz fuzz-build
fuzz-build:
	@$(MAKE) --no-print-directory -j$(CORES) BUILD=$(FUZZ_BUILD) CC=clang-14 FUZZING=1 fuzz-bins
fuzz: fuzz-build
	@FUZZ_SECONDS=$(FUZZ_SECONDS) tests/scripts/run-fuzz $(FUZZ_BUILD) $(if $(ONLY),$(ONLY),$(FUZZ))

define fuzz_rule
$(BUILD)/fuzz/fuzz_$(1): $(BUILD)/obj/tests/fuzz/fuzz_$(1).o $(call libs_of,$(or $(call layer_of_stem,$(1)),$(call layer_of_stem,$(firstword $(subst _, ,$(1)))),gateway/proc))
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(ALL_LDFLAGS) -fsanitize=fuzzer -o $$@ $$^ $$(PKG_LIBS)
endef
$(foreach t,$(filter-out $(FUZZ_KIT),$(FUZZ)),$(eval $(call fuzz_rule,$(t))))
# the certification kit's: with nothing of the gateway in them, too
$(FUZZ_KIT:%=$(BUILD)/fuzz/fuzz_%): $(BUILD)/fuzz/fuzz_%: $(BUILD)/obj/tests/fuzz/fuzz_%.o $(BUILD)/lib/libinterop.a
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(KIT_LIBS)
.PHONY: fuzz-bins
fuzz-bins: $(foreach t,$(FUZZ),$(BUILD)/fuzz/fuzz_$(t))

# ---- bench: figures and ratios against Postfix in the same run (LIMITS in docs/BENCH.md) ----
BENCHES := $(patsubst tests/bench/%.c,$(BUILD)/bench/%,$(wildcard tests/bench/*.c))
$(BUILD)/bench/%: $(BUILD)/obj/tests/bench/%.o $(PROC_LIBS)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $< $(filter-out $(call lib,gateway/proc),$(PROC_LIBS)) $(PKG_LIBS)
.PHONY: bench
bench: deps
	@$(MAKE) --no-print-directory -j$(CORES) all $(BENCHES)
	@BUILD=$(BUILD) ONLY=$(ONLY) python3 tests/bench/bench.py
# mail to DOMAINS=n partners that nobody configured (docs/BENCH.md)
.PHONY: find-many
find-many: deps
	@$(MAKE) --no-print-directory -j$(CORES) all
	@BUILD=$(BUILD) python3 tests/bench/find_many.py $(or $(DOMAINS),10000)

# ---- install ----
SYSTEMD_DIR  ?= /usr/lib/systemd/system
SYSUSERS_DIR ?= /usr/lib/sysusers.d
.PHONY: install clean help
install: all
	install -d $(DESTDIR)$(PREFIX)/sbin $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/man/man1 $(DESTDIR)$(PREFIX)/share/man/man5 \
	    $(DESTDIR)$(PREFIX)/share/man/man8 $(DESTDIR)$(PREFIX)/share/doc/postern $(DESTDIR)/etc/postern \
	    $(DESTDIR)$(SYSTEMD_DIR) $(DESTDIR)$(SYSUSERS_DIR)
	install -m 755 $(BUILD)/bin/posternd $(DESTDIR)$(PREFIX)/sbin/posternd
	install -m 755 $(BUILD)/bin/postern $(DESTDIR)$(PREFIX)/bin/postern
	install -m 755 $(BUILD)/bin/postern-interop $(DESTDIR)$(PREFIX)/bin/postern-interop
	install -d $(DESTDIR)$(PREFIX)/share/postern-interop
	cp -R interop/cases interop/requirements interop/judges interop/gateways interop/CASES.md $(DESTDIR)$(PREFIX)/share/postern-interop/
	install -m 644 docs/man/postern-interop.1 $(DESTDIR)$(PREFIX)/share/man/man1/
	install -m 644 docs/man/postern.1 $(DESTDIR)$(PREFIX)/share/man/man1/
	install -m 644 docs/man/postern.conf.5 $(DESTDIR)$(PREFIX)/share/man/man5/
	install -m 644 docs/man/posternd.8 $(DESTDIR)$(PREFIX)/share/man/man8/
	install -m 644 README.md docs/ADMIN.md docs/CERTIFY.md docs/postern.conf.example $(DESTDIR)$(PREFIX)/share/doc/postern/
	sed 's|@SBIN@|$(PREFIX)/sbin|' packaging/postern.service > $(BUILD)/postern.service
	install -m 644 $(BUILD)/postern.service $(DESTDIR)$(SYSTEMD_DIR)/postern.service
	install -m 644 packaging/postern.sysusers $(DESTDIR)$(SYSUSERS_DIR)/postern.conf

clean:
	rm -rf build

help:
	@echo 'make demo            set up, build, two gateways exchange sealed mail before your eyes (KEEP=1 leaves them running)'
	@echo 'make check           set up, build, all tests'
	@echo 'make deps            install the Debian packages that are missing'
	@echo 'make all             build (SAN=1: with ASan and UBSan, into build/san)'
	@echo 'make unit-STEM       one unit test; make check-e2e ONLY=name one end-to-end test'
	@echo 'make check-san       the end-to-end tests under ASan and UBSan'
	@echo 'make check-neighbours  with Postfix, Exim and OpenSMTPD around; DANE and MTA-STS in network namespaces (docs/NEIGHBOURS.md)'
	@echo 'make xsmg-many       N=8 gateways (up to 50) that know nothing of each other exchange mail and change their keys, in network namespaces (root); days go by; two nodes; a third-party MX (ONLY=name)'
	@echo 'make check-interop   gpgsm, NSS, Thunderbird, BouncyCastle, PKI.js and openssl, both ways; RFC examples; PKITS (docs/INTEROP.md)'
	@echo 'make interop         the certification kit against our gateway, against faulty ones (each must be caught) and two foreign ones (ONLY=own|mutants|foreign|case)'
	@echo 'make check-browser   the web UI in a browser: every page as each role, with axe, at three widths (BROWSER=quick: some of it)'
	@echo 'make soak            a random role is killed every few hundred milliseconds during 20,000 messages (MESSAGES=n SEED=n)'
	@echo 'make fuzz            every target a minute; the server session, the client reply parser, MIME, CMS and the whole ways of mail ten (ONLY="name ...", FUZZ_SECONDS=n)'
	@echo 'make find-many       mail to 10,000 partners that nobody configured, found in signed zones (DOMAINS=n)'
	@echo 'make bench lint check-valgrind install (DESTDIR, PREFIX) clean'

.PHONY: soak
# the crash campaign; MESSAGES=n, SEED=n to repeat one
soak: all ; @BUILD=$(BUILD) python3 tests/crash/soak.py $(or $(MESSAGES),20000) $(SEED)
