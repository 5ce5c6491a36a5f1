/* Settings of section "statement": what our own domains say of themselves to other gateways (XSMG), and how their
 * keys change. Judge; and whoever reads the configuration. */
#ifndef POSTERN_PROC_STATEMENT_SETTINGS_H
#define POSTERN_PROC_STATEMENT_SETTINGS_H

#include "gateway/base/settings.h"
#include "gateway/xsmg/statement.h"

struct statement_settings {
	int64_t lifetime, remake;	       /* ms */
	int signs, encrypts;		       /* enum statement_promise */
	int64_t promise;		       /* ms */
	bool test;			       /* promises are on trial */
	struct settings_list demand;	       /* "signed", "encrypted" */
	struct settings_list asserts, notices; /* words */
	struct settings_list urls;	       /* %d stands for the domain */
	struct settings_list withdrawn;	       /* domains of ours that stop */
	int64_t key_days;		       /* of a self-signed statement certificate */
	int64_t before, lead, early, overlap;  /* ms: of rollovers */
};
extern const struct settings_section statement_settings_section;

/* The bits of a list of words. */
uint8_t statement_settings_bits(enum statement_kind kind, const struct settings_list *l);
/* A URL with the domain in place of %d; false when it has no room. */
bool statement_settings_url(const char *text, const char *domain, char *out, size_t cap);

#endif
