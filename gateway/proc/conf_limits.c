#include "gateway/proc/conf_limits.h"

#include <string.h>

#include "certstore/find_settings.h"
#include "gateway/proc/alert_settings.h"
#include "gateway/proc/trust_settings.h"
#include "gateway/scout/source_settings.h"

/* Two settings, the first of which must not be more than the second (strict: must be less). */
struct pair {
	const char *section, *less, *more;
	int64_t a, b;
	bool strict;
	const char *unit, *why;
};

static int check(const struct pair *p, size_t n, const char *file, struct problem *pr)
{
	for (size_t i = 0; i < n; i++)
		if (p[i].a > p[i].b || (p[i].strict && p[i].a == p[i].b))
			return problem_perm(pr,
			    "%s: %s: %s (%lld%s) must be %s %s (%lld%s): %s; set %s to %lld%s or less, or %s to "
			    "%lld%s or more",
			    file, p[i].section, p[i].less, (long long)p[i].a, p[i].unit,
			    p[i].strict ? "less than" : "at most", p[i].more, (long long)p[i].b, p[i].unit, p[i].why,
			    p[i].less, (long long)(p[i].b - p[i].strict), p[i].unit, p[i].more,
			    (long long)(p[i].a + p[i].strict), p[i].unit);
	return 0;
}

/* They are told through our own queue, in the clear to the inside server: strangers would need to be sealed to. */
static int check_alerts(const struct conf *c, const char *file, struct problem *pr)
{
	const struct alert_settings *a = conf_section(c, "alerts");

	for (size_t i = 0; i < a->mail.n; i++) {
		const char *at = strrchr(a->mail.v[i], '@');

		if (at == NULL || conf_domain_find(c, at + 1) == NULL)
			return problem_perm(pr,
			    "%s: alerts: alert-mail: %.200s is not of a domain of ours: alerts go to the inside "
			    "server "
			    "alone",
			    file, a->mail.v[i]);
	}
	return 0;
}

int conf_limits_check(const struct conf *c, const char *file, struct problem *pr)
{
	static const char most[] = "the least time cannot be longer than the most";
	static const char known[] = "else a server's silence is not known yet when the client is answered";
	static const char whole[] = "else an answer would be forgotten before it is used";
	static const char part[] = "it is a part of them";
	const struct find_settings *f = conf_section(c, "find");
	const struct trust_settings *t = conf_section(c, "trust");
	const struct source_settings *s = conf_section(c, "sources");
	const struct pair pairs[] = {
	    {"find", "found-least", "found-most", f->found_least, f->found_most, false, " ms", most},
	    {"find", "none-least", "none-most", f->none_least, f->none_most, false, " ms", most},
	    {"find", "place-timeout", "timeout", f->place_timeout, f->timeout, true, " ms", known},
	    {"find", "place-timeout", "admin-timeout", f->place_timeout, f->admin_timeout, true, " ms", known},
	    {"find", "answer-max", "kept-octets", f->answer_max, f->kept_octets, true, " octets", whole},
	    {"trust", "revocation-again", "revocation-keep", t->revocation_again, t->revocation_keep, false, " ms",
		most},
	    {"trust", "revocation-list-max", "find, kept-octets", t->list_max, f->kept_octets, true, " octets",
		whole},
	    {"sources", "http-per-host", "http-connections", s->http_per_host, s->http_connections, false, "", part},
	    {"sources", "http-waiting-per-host", "http-waiting", s->http_waiting_per_host, s->http_waiting, false, "",
		part},
	    {"sources", "ldap-per-server", "ldap-connections", s->ldap_per_server, s->ldap_connections, false, "",
		part},
	    {"sources", "ldap-waiting-per-server", "ldap-waiting", s->ldap_waiting_per_server, s->ldap_waiting, false,
		"", part},
	};

	if (check(pairs, sizeof(pairs) / sizeof(pairs[0]), file, pr) != 0)
		return -1;
	return check_alerts(c, file, pr);
}
