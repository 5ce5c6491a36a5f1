/*
 * The scout's end of the channel to the judge: each question to the source of its kind, each answer back
 * (certstore/source.h). Role scout.
 */
#ifndef POSTERN_PROC_SCOUT_JUDGE_H
#define POSTERN_PROC_SCOUT_JUDGE_H

#include "gateway/scout/source_dns.h"
#include "gateway/scout/source_http.h"
#include "gateway/scout/source_ldap.h"

struct scout_judge {
	struct source_dns *dns;
	struct source_http *http;
	struct source_ldap *ldap;
};
/* The channel (owned), at start and whenever the judge was replaced: answers to questions of an older one are thrown
 * away. from stays. */
void scout_judge_channel(struct loop *l, const struct scout_judge *from, int fd);

#endif
