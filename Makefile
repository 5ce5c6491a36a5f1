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
          gateway/xsmg gateway/queue gateway/smtp gateway/pipeline gateway/proc

PKGS   := libcrypto libssl libevent libevent_pthreads sqlite3 libconfuse jansson gmime-3.0 libidn2 libseccomp libunbound libsystemd
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
all: $(BUILD)/bin/posternd $(BUILD)/bin/postern $(TOOLS)

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

PROC_LIBS := $(call libs_of,gateway/proc)
$(BUILD)/bin/posternd: $(PROC_LIBS)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ -Wl,--whole-archive $(call lib,gateway/proc) -Wl,--no-whole-archive $(PROC_LIBS) $(PKG_LIBS)

CLI_LIBS := $(call libs_of,certstore)
$(BUILD)/bin/postern: $(call objs,admin-ui) $(CLI_LIBS)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $(call objs,admin-ui) $(CLI_LIBS) $(PKG_LIBS)

$(BUILD)/tools/%: $(BUILD)/obj/tests/tools/%.o $(call lib,gateway/base)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $< $(call lib,gateway/base) $(PKG_LIBS)

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
