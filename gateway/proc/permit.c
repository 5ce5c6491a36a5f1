/* Permits, see the header. "END.NONCE.MAC", END in unix s, the others in hex. */
#include "gateway/proc/permit.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/encode.h"
#include "gateway/base/log.h"

enum { NONCE = 12, MAC = 32, USED = 4096 };

static struct {
	uint8_t key[PERMIT_KEY];
	bool given;
	struct {
		int64_t end;
		char nonce[2 * NONCE + 1];
	} used[USED]; /* until their end */
	size_t nused;
} me;

void permit_key(const uint8_t *key, size_t n)
{
	if (n != PERMIT_KEY)
		log_fatal("a key for permits has %d octets", PERMIT_KEY);
	memcpy(me.key, key, n);
	me.given = true;
}

/* Hex of what the key makes of all of it. 0; -1: who is no UTF-8, which only a web process says that is not ours any
 * more: no reason to end. */
static int mac_of(const char *end_nonce, const char *verb, const json_t *args, const char *who, char out[2 * MAC + 1])
{
	json_t *name = json_string(who), *o;
	uint8_t mac[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	char *text;

	if (!name)
		return -1;
	o = json_pack("[s, s, o, O]", end_nonce, verb, name, args ? args : json_null());
	text = o ? json_dumps(o, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
	if (!text)
		log_fatal("out of memory: JSON");
	if (!HMAC(EVP_sha256(), me.key, PERMIT_KEY, (const uint8_t *)text, strlen(text), mac, &n) || n != MAC)
		log_fatal("no HMAC");
	encode_hex(mac, n, out);
	free(text);
	json_decref(o);
	return 0;
}

void permit_give(const char *verb, const json_t *args, const char *who, int64_t now, char out[PERMIT_TEXT])
{
	char head[64], nonce[2 * NONCE + 1], mac[2 * MAC + 1];
	uint8_t lot[NONCE];

	out[0] = '\0';
	if (!me.given)
		return;
	if (RAND_bytes(lot, sizeof lot) != 1)
		log_fatal("no random numbers");
	encode_hex(lot, sizeof lot, nonce);
	(void)snprintf(head, sizeof head, "%lld.%s", (long long)(now + PERMIT_SECONDS), nonce);
	if (mac_of(head, verb, args, who, mac) == 0)
		(void)snprintf(out, PERMIT_TEXT, "%s.%s", head, mac);
}

/* 0: the nonce was not seen before. -1 it was, or too many are remembered. */
static int remember(const char *nonce, int64_t end, int64_t now)
{
	size_t n = 0;

	for (size_t i = 0; i < me.nused; i++) {
		if (me.used[i].end < now)
			continue;
		if (strcmp(me.used[i].nonce, nonce) == 0)
			return -1;
		if (n != i)
			me.used[n] = me.used[i];
		n++;
	}
	me.nused = n;
	if (n == USED)
		return -1;
	me.used[n].end = end;
	(void)snprintf(me.used[n].nonce, sizeof me.used[n].nonce, "%s", nonce);
	me.nused++;
	return 0;
}

/* "END.NONCE" into head, NONCE into nonce. The MAC's text, or NULL: it is no permit. */
static const char *taken_apart(const char *permit, char head[64], char nonce[2 * NONCE + 1], int64_t *end_r)
{
	const char *dot = strchr(permit, '.'), *second = dot ? strchr(dot + 1, '.') : NULL;
	char *stop;

	if (!second || second - permit >= 64 || second - dot - 1 != 2 * NONCE || permit[0] < '0' || permit[0] > '9' ||
	    strlen(second + 1) != 2 * MAC)
		return NULL;
	memcpy(head, permit, (size_t)(second - permit));
	head[second - permit] = '\0';
	memcpy(nonce, dot + 1, 2 * NONCE);
	nonce[2 * NONCE] = '\0';
	*end_r = strtoll(permit, &stop, 10);
	return stop == dot ? second + 1 : NULL;
}

int permit_use(const char *permit, enum permit_count count, const char *verb, const json_t *args, const char *who,
    int64_t now, const char **why_r)
{
	char head[64], nonce[2 * NONCE + 1], mac[2 * MAC + 1];
	const char *have;
	int64_t end;

	*why_r = "the judge has not permitted this";
	have = me.given && permit ? taken_apart(permit, head, nonce, &end) : NULL;
	if (!have)
		return -1;
	if (mac_of(head, verb, args, who, mac) < 0 || CRYPTO_memcmp(mac, have, 2 * MAC) != 0)
		return -1;
	*why_r = "the judge's permit has run out, or was used before: ask again";
	/* one from further away than a permit lasts is from before the clock was put back */
	if (end < now || end > now + PERMIT_SECONDS || (count == PERMIT_ONCE && remember(nonce, end, now) < 0))
		return -1;
	return 0;
}
