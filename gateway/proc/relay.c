#include "gateway/proc/relay.h"

#include <openssl/rand.h>
#include <stdio.h>

#include "gateway/base/log.h"

const char *relay_authserv(const struct relay *r)
{
	return r->top->authserv_id[0] ? r->top->authserv_id : r->top->hostname;
}

const char *relay_postmaster(const struct relay *r)
{
	static char text[400];

	if (r->top->postmaster[0])
		return r->top->postmaster;
	snprintf(text, sizeof(text), "postmaster@%s", r->top->hostname);
	return text;
}

void relay_data_key(uint8_t key[KEYS_DATA_KEY])
{
	if (RAND_bytes(key, KEYS_DATA_KEY) != 1)
		log_fatal("no random octets");
}
