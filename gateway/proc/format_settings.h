/* Settings of section "format": how mail is written for whom nothing else is known, and what is never gone below.
 * Judge, relay (hide); and whoever reads the configuration. */
#ifndef POSTERN_PROC_FORMAT_SETTINGS_H
#define POSTERN_PROC_FORMAT_SETTINGS_H

#include "gateway/base/settings.h"

struct format_settings {
	char *dflt;		   /* options, as format_read takes them */
	struct settings_list hide; /* names of fields */
	int64_t cipher_bits_min;   /* of a content key */
	int64_t rsa_bits_min;	   /* of a partner's certificate to encrypt to */
	bool learn;		   /* from SMIMECapabilities */
	int64_t learn_max;	   /* partners and people of whom something is kept */
	int64_t learn_future_max;  /* ms that a signing time may be ahead of our clock */
};
extern const struct settings_section format_settings_section;

#endif
