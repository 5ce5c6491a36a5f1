/* Settings of section "find": where partners' certificates are looked for, how much the network is asked for
 * certificates, how long answers are kept, how long a question may take. Role judge and whoever reads the
 * configuration. */
#ifndef POSTERN_CERTSTORE_FIND_SETTINGS_H
#define POSTERN_CERTSTORE_FIND_SETTINGS_H

#include "certstore/find.h"
#include "gateway/base/settings.h"

struct find_settings {
	int64_t timeout, admin_timeout;	     /* ms */
	int64_t found_least, found_most;     /* ms */
	int64_t none_least, none_most;	     /* ms */
	int64_t unsure_for;		     /* ms */
	int64_t kept_max, kept_octets;	     /* answers, octets */
	int64_t asking_max, asking_site;     /* questions under way: in all, of one site */
	int64_t asks_max;		     /* of one question to the judge */
	int64_t waiting_max, waiting_octets; /* questions to the judge that wait */
	int order, srv_order, by_address;    /* as find_options.h counts them */
	struct settings_list tiers, directories, http_stores;
	int64_t place_timeout;	  /* ms */
	int64_t answer_max;	  /* octets */
	int64_t certificates_max; /* of one recipient */
	bool harvest;
	int64_t harvest_max; /* partners and people */
	int64_t traces_max, traces_octets;
};
extern const struct settings_section find_settings_section;

/* 0; -1 with a sentence: lists that are too long. */
int find_settings_options(const struct find_settings *s, struct find_options *o_r, struct problem *pr)
    __attribute__((warn_unused_result));

#endif
