/*
 * Whom a question to the network burdens: a directory of the configuration, a host (LDAP, HTTP), or in the DNS the
 * domain: the last two labels of the name, three below country codes with a short second label (co.uk). Role judge.
 * Pure.
 */
#ifndef POSTERN_CERTSTORE_SOURCE_SITE_H
#define POSTERN_CERTSTORE_SOURCE_SITE_H

#include "certstore/source.h"

#define SOURCE_SITE_MAX 300

/* In words; what is longer is cut. */
void source_site(const struct source_ask *a, char out[SOURCE_SITE_MAX]);
/* Upper and lower case are the same. */
uint64_t source_site_hash(const char *site);

/* The part of a name that somebody registered, about: b.example of a.b.example, b.co.uk of a.b.co.uk. In name. */
const char *source_site_domain(const char *name);

#endif
