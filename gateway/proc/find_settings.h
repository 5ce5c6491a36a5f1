/* Settings of section "find": where partners' certificates are looked for. Judge; and whoever reads the
 * configuration.
 */
#ifndef POSTERN_PROC_FIND_SETTINGS_H
#define POSTERN_PROC_FIND_SETTINGS_H

#include "certstore/find.h"
#include "gateway/base/settings.h"

struct find_settings {
	int order, srv_order, by_address; /* as find_options.h counts them */
	struct settings_list tiers, directories, http_stores;
	int64_t timeout;    /* ms */
	int64_t answer_max; /* octets */
	int64_t certificates_max;
	bool harvest;
	int64_t harvest_max; /* partners and people */
};
extern const struct settings_section find_settings_section;

/* 0; -1 with a sentence: lists that are too long. */
int find_settings_options(const struct find_settings *s, struct find_options *o_r, struct problem *pr)
    __attribute__((warn_unused_result));

#endif
