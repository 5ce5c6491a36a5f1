#include "gateway/proc/relay_notice.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/mail/dsn_seven.h"
#include "gateway/proc/relay_hops.h"

enum {
	HEADER_MAX = 16 * 1024,
	FULL_MAX = 2 * 1024 * 1024, /* larger originals go back as their header (RFC 3461 4.3) */
	NOTICE_MAX = 4 * 1024 * 1024,
	MEMORY_MAX = 64 * 1024,
};

/* The header block of what we sent: its first octets to the empty line, or as many whole lines as there is room for.
 * It is outside the encryption already. */
static size_t header_of(struct spool *content, char buf[HEADER_MAX])
{
	size_t got = 0;
	const char *end;

	if (stream_read_at(spool_reader(content), 0, buf, HEADER_MAX, &got, NULL) != 0)
		return 0;
	end = memmem(buf, got, "\r\n\r\n", 4);
	if (end != NULL)
		return (size_t)(end - buf) + 2;
	end = got == HEADER_MAX ? memrchr(buf, '\n', got) : NULL;
	return end == NULL ? 0 : (size_t)(end - buf) + 1;
}

static struct spool *write_notice(struct relay_settle *s, const struct dsn *d, const uint8_t key[SPOOL_KEY])
{
	struct spool *c = spool_new(key, MEMORY_MAX, relay_settle_relay(s)->spool_dir, -1, NOTICE_MAX);
	struct problem pr = {0};

	if (dsn_write(d, spool_writer(c), &pr) != 0 || spool_finish(c, &pr) != 0) {
		log_error(d->queue_id, "relay", "alarm=notice to=<%s> why=\"%s\"", d->to, pr.text);
		spool_free(c);
		return NULL;
	}
	return c;
}

static int queue_notice(
    struct relay_settle *s, const struct relay_notice *about, const struct dsn *d, const char *id, const char *domain)
{
	struct relay *r = relay_settle_relay(s);
	struct arena *a = relay_settle_arena(s);
	uint8_t key[SPOOL_KEY];
	char hop[RELAY_HOP_MAX];
	struct problem pr = {0};
	struct buf wrapped;
	struct queue_rcpt *rc = arena_alloc(a, sizeof(*rc));
	int err = -1;
	bool utf8 = dsn_needs_utf8(d);
	struct queue_msg m = {.kind = QUEUE_NOTICE,
	    .sender = "",
	    .env = {.utf8 = utf8, .body8 = utf8 || (d->full != NULL && about->env->body8 && !about->env->utf8)},
	    .trace = "",
	    .facts = about->to_postmaster ? RELAY_NOTICE_DOUBLE : "",
	    .about = d->queue_id,
	    .rcpts = rc,
	    .nrcpts = 1};

	REQUIRE(rc != NULL);
	relay_data_key(key);
	buf_init(&wrapped, DATAKEYS_WRAPPED_MAX);
	relay_hops_key(r, domain, hop);
	rc->address = d->to;
	rc->nexthop = arena_str(a, hop);
	rc->state = QUEUE_QUEUED;
	rc->treatment = "notice";
	if (datakeys_wrap(r->datakeys, key, &wrapped, &pr) != 0) {
		log_error(d->queue_id, "relay", "alarm=notice to=<%s> why=\"%s\"", d->to, pr.text);
	} else if ((m.content = write_notice(s, d, key)) != NULL) {
		m.id = arena_str(a, id);
		m.message_id = d->message_id;
		m.wrapped = arena_dup(a, wrapped.p, wrapped.len);
		m.wrapped_len = wrapped.len;
		relay_settle_message(s, &m);
		log_info(m.id, "relay", "notice about=%s to=<%s> recipients=%zu", d->queue_id, d->to, d->nrcpts);
		spool_free(m.content);
		err = 0;
	}
	buf_clear(&wrapped);
	mem_wipe(key, sizeof(key));
	return err;
}

void relay_notice_postmaster(const struct relay *r, char address_r[ADDRESS_TEXT_MAX])
{
	const char *configured = relay_postmaster(r), *at = strrchr(configured, '@'), *first = "";

	if (at != NULL && conf_domain_find(r->conf, at + 1) != NULL) {
		snprintf(address_r, ADDRESS_TEXT_MAX, "%s", configured);
		return;
	}
	conf_domain(r->conf, 0, &first);
	snprintf(address_r, ADDRESS_TEXT_MAX, "postmaster@%s", first);
}

static bool wants_full(const struct relay_notice *about)
{
	return about->clear && !about->env->requiretls && about->env->ret == ENVELOPE_RET_FULL &&
	       about->content != NULL && spool_size(about->content) <= FULL_MAX;
}

/* The Message-ID has the notice's own id: two about one message may be made within a millisecond. */
static void fill(struct relay_settle *s, const struct relay_notice *about, const char *to, const char *id,
    char *header, struct dsn *d)
{
	struct relay *r = relay_settle_relay(s);
	struct arena *a = relay_settle_arena(s);

	d->reporting_mta = r->top->hostname;
	d->postmaster = relay_postmaster(r);
	d->to = arena_str(a, to);
	d->queue_id = relay_settle_id(s);
	d->message_id = arena_printf(a, "<notice.%s@%s>", id, r->top->hostname);
	d->envid = about->env->envid;
	d->utf8 = about->env->utf8;
	d->now = queue_now(r->queue) / 1000;
	d->arrived = about->arrived / 1000;
	REQUIRE(d->to != NULL && d->message_id != NULL);
	if (wants_full(about)) {
		d->full = spool_reader(about->content);
	} else if (about->content != NULL) {
		d->header_len = header_of(about->content, header);
		d->header = d->header_len > 0 ? header : NULL;
	}
}

int relay_notice_make(struct relay_settle *s, const struct relay_notice *about)
{
	struct relay *r = relay_settle_relay(s);
	char postmaster[ADDRESS_TEXT_MAX], id[QUEUE_ID_MAX];
	const char *to = about->to_postmaster ? postmaster : about->sender, *at;
	struct dsn d = {0};
	char *header;
	int err;

	d.rcpts = relay_settle_told(s, &d.nrcpts);
	if (d.nrcpts == 0)
		return 0;
	relay_notice_postmaster(r, postmaster);
	at = strrchr(to, '@');
	if (at == NULL || conf_domain_find(r->conf, at + 1) == NULL) {
		log_warn(relay_settle_id(s), "relay", "%sno-notice to=<%s> why=\"the address is not of our domains\"",
		    about->to_postmaster ? "alarm=double-bounce " : "", to);
		return 0;
	}
	header = mem_new(HEADER_MAX);
	queue_id(r->queue, id);
	fill(s, about, to, id, header, &d);
	err = queue_notice(s, about, &d, id, at + 1);
	if (err != 0 && d.full != NULL) { /* content that cannot be read must not keep the sender from being told */
		d.full = NULL;
		err = queue_notice(s, about, &d, id, at + 1);
	}
	free(header);
	return err;
}

struct spool *relay_notice_seven(const struct relay *r, const char *id, struct spool *content)
{
	uint8_t key[SPOOL_KEY];
	struct problem pr = {0};
	struct spool *c;

	relay_data_key(key);
	c = spool_new(key, MEMORY_MAX, r->spool_dir, -1, 2 * NOTICE_MAX);
	mem_wipe(key, sizeof(key));
	if (dsn_seven(spool_reader(content), spool_writer(c), &pr) == 0 && spool_finish(c, &pr) == 0) {
		log_info(id, "relay", "notice-encoded from=%llu to=%llu why=\"no 8BITMIME\"",
		    (unsigned long long)spool_size(content), (unsigned long long)spool_size(c));
		return c;
	}
	log_warn(id, "relay", "notice-not-encoded why=\"%s\"", pr.text);
	spool_free(c);
	return NULL;
}
