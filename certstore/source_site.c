/* Whom a question to the network burdens. Role judge. Pure. */
#include "certstore/source_site.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

uint64_t source_site_hash(const char *site)
{
	uint64_t h = 14695981039346656037u; /* FNV-1a */

	for (; *site != '\0'; site++)
		h = (h ^ (uint64_t)tolower((unsigned char)*site)) * 1099511628211u;
	return h;
}

const char *source_site_domain(const char *name)
{
	const char *dot[3] = {0}; /* from the end */
	size_t k = 0;

	for (const char *p = name + strlen(name); p > name && k < 3;)
		if (*--p == '.')
			dot[k++] = p;
	if (k < 2)
		return name;
	/* co.uk, com.au: nobody's own */
	if (strlen(dot[0]) == 3 && dot[0] - dot[1] <= 4)
		return k < 3 ? name : dot[2] + 1;
	return dot[1] + 1;
}

void source_site(const struct source_ask *a, char out[SOURCE_SITE_MAX])
{
	const char *p = strstr(a->name, "://");

	p = p != NULL ? p + 3 : a->name;
	if (a->kind == SOURCE_DNS)
		(void)snprintf(out, SOURCE_SITE_MAX, "%s", source_site_domain(a->name));
	else if (a->kind == SOURCE_LDAP && a->directory[0] != '\0')
		(void)snprintf(out, SOURCE_SITE_MAX, "directory \"%s\"", a->directory);
	else
		(void)snprintf(out, SOURCE_SITE_MAX, "%.*s", (int)strcspn(p, "/?#"), p);
}
