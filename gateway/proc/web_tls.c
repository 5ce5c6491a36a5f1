/* Asking for the certificate, see the header. Role web, loop thread. */
#include "gateway/proc/web_tls.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/base/encode.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/proc/admin_json.h"
#include "gateway/proc/https_tls.h"

/* TOLD: so many looks in vain between two alarms */
enum { ASK_MS = 10 * 1000, SOON_MS = 1000, LOOK_MS = 5 * 1000, TOLD = 3600 };

static struct {
	struct loop_timer *timer;
	struct admin_peer *judge;
	unsigned vain;
} me;

static void none(const char *host)
{
	if (me.vain++ % TOLD == 0)
		log_error(NULL, "web",
		    "alarm=tls why=\"there is no TLS key of %.200s: make one with postern domain tls %.200s, or name "
		    "another host in web, hostname\"",
		    host, host);
}

/* There is one. */
static bool use(const json_t *said)
{
	const char *host = json_string_value(json_object_get(said, "host"));
	const char *key = json_string_value(json_object_get(said, "key"));
	const char *b64 = json_string_value(json_object_get(said, "certificates"));
	uint8_t *der;
	long n;

	if (!host || !key || !b64)
		return false;
	if (!key[0]) {
		none(host);
		return false;
	}
	der = mem_new(strlen(b64) + 1);
	n = encode_unb64(b64, strlen(b64), der, strlen(b64));
	if (n > 0) {
		me.vain = 0;
		https_tls_certificate(key, der, (size_t)n);
	}
	free(der);
	return n > 0;
}

static void answered(void *ctx, const struct admin_reply *r, const char *why)
{
	char text[640];
	json_t *said = r ? admin_json_data(r->text, text) : NULL;

	(void)ctx;
	(void)why; /* the judge is starting again */
	loop_timer_set(me.timer, use(said) ? LOOK_MS : SOON_MS);
	json_decref(said);
}

static void ask(void *ctx)
{
	static char text[] = "{\"verb\":\"web.tls\",\"args\":{}}";
	struct admin_request rq = {.text = text};

	(void)ctx;
	admin_peer_ask(me.judge, &rq, ASK_MS, answered, NULL);
}

void web_tls_new(struct loop *l, struct admin_peer *judge)
{
	me.judge = judge;
	me.timer = loop_timer_new(l, ask, NULL);
	loop_timer_set(me.timer, 0);
}
