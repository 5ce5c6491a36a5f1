/* Settings of section "trust": what is asked of the network about certificates. Judge; and whoever reads the
 * configuration. */
#ifndef POSTERN_PROC_TRUST_SETTINGS_H
#define POSTERN_PROC_TRUST_SETTINGS_H

#include "gateway/base/settings.h"

struct trust_settings {
	int64_t list_max;	  /* octets of a revocation list */
	int64_t zone_list_max;	  /* the same, of who is no anchor of ours */
	int64_t revocation_keep;  /* ms */
	int64_t revocation_again; /* ms */
	int64_t timeout;	  /* ms of one question about revocation */
	bool fetch_issuers;
	int64_t issuer_wait;	   /* ms */
	int64_t bundle_drop_max;   /* per cent */
	int64_t import_max;	   /* certificates of one file */
	int64_t two_person;	   /* enum trust_two_person */
	int64_t two_person_expiry; /* ms */
};
/* What takes two people: nothing; decisions about what waits; every change that makes trust. */
enum trust_two_person { TRUST_TWO_NONE, TRUST_TWO_DECISIONS, TRUST_TWO_ALL };
extern const struct settings_section trust_settings_section;

#endif
