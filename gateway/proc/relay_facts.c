#include "gateway/proc/relay_facts.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "gateway/base/encode.h"
#include "gateway/base/log.h"

char *relay_facts_text(const struct relay_facts *f)
{
	char hex[65] = "";
	json_t *o;
	char *text;

	if (f->have_key_hash)
		encode_hex(f->key_hash, sizeof(f->key_hash), hex);
	o = json_pack("{s:s, s:s}", "client", f->client, "key_hash", hex);
	text = o == NULL ? NULL : json_dumps(o, JSON_COMPACT);
	json_decref(o);
	REQUIRE(text != NULL);
	return text;
}

void relay_facts_parse(const char *text, struct relay_facts *f)
{
	const char *client = "", *hex = "";
	json_t *o = json_loads(text, 0, NULL);

	memset(f, 0, sizeof(*f));
	if (o != NULL && json_unpack(o, "{s:s, s:s}", "client", &client, "key_hash", &hex) == 0) {
		snprintf(f->client, sizeof(f->client), "%s", client);
		f->have_key_hash =
		    encode_unhex(hex, strlen(hex), f->key_hash, sizeof(f->key_hash)) == (int)sizeof(f->key_hash);
	}
	json_decref(o);
}
