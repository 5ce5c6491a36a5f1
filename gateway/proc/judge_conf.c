/* The configuration as the judge uses it. Role judge. */
#include "gateway/proc/judge_conf.h"

#include <stdio.h>

#include "certstore/find_settings.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/proc/format_settings.h"
#include "gateway/proc/judge_traces.h"
#include "gateway/proc/public_settings.h"
#include "gateway/proc/trust_settings.h"
#include "gateway/queue/queue_settings.h"

/* A try that retry-max says is due may come so much later. */
enum { ISSUER_GAP_MORE_S = 600 };

/* The text was looked at when the file was read. */
static void fill_format(const struct format_settings *f, struct judge_world *w)
{
	struct problem pr = {0};
	unsigned given;

	w->format = format_default();
	if (format_read(f->dflt, &w->format, &given, &pr) < 0)
		log_fatal("format default: %s", pr.text);
	w->cipher_bits_min = (unsigned)f->cipher_bits_min;
	w->rsa_bits_min = (unsigned)f->rsa_bits_min;
	w->learn = f->learn;
	w->learn_max = f->learn_max;
	w->learn_future_max = f->learn_future_max / 1000;
}

static void fill_believing(const struct conf *conf, const struct judge_world *w, struct judge_believing *b)
{
	const struct trust_settings *t = conf_section(conf, "trust");
	const struct queue_settings *queue = conf_section(conf, "queue");
	size_t n = w->ndomains;
	int *modes = mem_new((n + 1) * sizeof(*modes));
	const char *name;

	for (size_t i = 0; i < n; i++)
		modes[i] = conf_domain(conf, i, &name)->revocation;
	*b = (struct judge_believing){.revoke = {.octets_max = (uint32_t)t->list_max,
					  .zone_octets_max = (uint32_t)t->zone_list_max,
					  .keep_s = t->revocation_keep / 1000,
					  .timeout_ms = (uint32_t)t->timeout,
					  .again_s = t->revocation_again / 1000},
	    .domains = w->domains,
	    .modes = modes,
	    .ndomains = n,
	    .fetch_issuers = t->fetch_issuers,
	    .issuer_wait_s = t->issuer_wait / 1000,
	    .issuer_gap_s = queue->retry_max / 1000 + ISSUER_GAP_MORE_S,
	    .bundle_drop_max = (unsigned)t->bundle_drop_max};
	judge_cache_believing_set(w->cache, b);
}

static void fill_find(const struct conf *conf, struct judge_world *w)
{
	const struct find_settings *f = conf_section(conf, "find");
	size_t n = conf_cert_directories(conf);
	const char **names = mem_new((n + 1) * sizeof(*names));
	struct problem pr = {0};

	if (find_settings_options(f, &w->find, &pr) < 0)
		log_fatal("%s", pr.text);
	w->find_limits = (struct find_limits){.timeout_ms = (uint32_t)f->place_timeout,
	    .octets_max = (uint32_t)f->answer_max,
	    .weigh_max = (unsigned)f->certificates_max};
	for (size_t i = 0; i < n; i++)
		(void)conf_cert_directory(conf, i, &names[i]);
	w->directories = names;
	w->ndirectories = n;
	w->harvest = f->harvest;
	w->harvest_max = f->harvest_max;
	w->traces = judge_traces_new((size_t)f->traces_max, (size_t)f->traces_octets);
}

void judge_conf_world(const struct conf *conf, struct judge_world *w, struct judge_believing *b)
{
	size_t n = conf_domains(conf);
	const char **names = mem_new((n + 1) * sizeof(*names));
	struct policy_in_rules *rules = mem_new((n + 1) * sizeof(*rules));

	for (size_t i = 0; i < n; i++) {
		const struct conf_domain *d = conf_domain(conf, i, &names[i]);

		rules[i].unsigned_clear = (enum policy_in_action)d->unsigned_clear;
		rules[i].untrusted = (enum policy_in_action)d->untrusted;
		rules[i].broken = (enum policy_in_action)d->broken;
		rules[i].sealed_unsigned = (enum policy_in_action)d->sealed_unsigned;
		rules[i].dsn_unmatched = (enum policy_in_choice)conf_top(conf)->dsn_unmatched;
		rules[i].part = (enum policy_in_choice)conf_top(conf)->encrypted_part;
		rules[i].promise = (enum policy_in_choice)conf_top(conf)->broken_promise;
	}
	w->conf = conf;
	w->domains = names;
	w->ndomains = n;
	w->in_rules = rules;
	w->treatment = (enum policy_treatment)conf_top(conf)->default_treatment;
	w->strength = (enum policy_strength)conf_top(conf)->default_strength;
	w->tls_verified = conf_top(conf)->relay_tls == CONF_TLS_VERIFY && conf_top(conf)->relay_host[0];
	fill_format(conf_section(conf, "format"), w);
	fill_find(conf, w);
	w->statements = conf_section(conf, "partner-statements");
	w->cache = judge_cache_new();
	fill_believing(conf, w, b);
}

/* Without urls of the admin's, statements are where our own public listener has them. */
void judge_conf_served(const struct conf *conf, struct judge_xsmg_own *own, struct statement_settings *set)
{
	static char url[STATEMENT_URL_MAX + 1], *list[1] = {url};
	const struct public_settings *shown = conf_section(conf, "public");
	char host[256], at[16] = "";
	unsigned port = 443;

	if (shown->address[0] == '\0' || conf_hostport(shown->address, 443, host, NULL, &port, NULL) != 0)
		return;
	judge_xsmg_own_served(own, public_settings_host(conf), port);
	if (port != 443)
		(void)snprintf(at, sizeof(at), ":%u", port);
	if (set->urls.n == 0 &&
	    snprintf(url, sizeof(url), "https://%s%s/.well-known/smg/%%d", public_settings_host(conf), at) <
		(int)sizeof(url)) /* with a domain it may be too long all the same: left out then */
		set->urls = (struct settings_list){list, 1};
}
