/*
 * RFC 4387 2.1: "?email=" value, "?uri=" value; what is not unreserved (RFC 3986 2.3) is escaped. A base without a
 * path has one of the two of section 3.3: a host called "certificates" has nothing else, "/search.cgi"; any other
 * shares its host with other things, "/certificates/search.cgi".
 */
#include "certstore/http_search.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* The path behind the host, "" none; NULL: no base. */
static const char *path_of(const char *base)
{
	const char *host = strncasecmp(base, "http://", 7) == 0	   ? base + 7
			   : strncasecmp(base, "https://", 8) == 0 ? base + 8
								   : NULL;

	if (!host || !*host || *host == '/' || strpbrk(base, "?#@\"<>\\"))
		return NULL;
	for (const char *p = base; *p; p++)
		if ((unsigned char)*p <= 0x20 || (unsigned char)*p >= 0x7f)
			return NULL;
	return host + strcspn(host, "/");
}

int http_search_base(const char *base)
{
	return path_of(base) ? 0 : -1;
}

static int escape(const char *s, char *out, size_t cap)
{
	size_t at = strlen(out);

	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;
		int plain = isascii(c) && (isalnum(c) || strchr("-._~", c) != NULL);

		if (at + 4 > cap)
			return -1;
		at += (size_t)snprintf(out + at, cap - at, plain ? "%c" : "%%%02X", c);
	}
	return 0;
}

static const char *usual_path(const char *base)
{
	static const char label[] = "certificates.";
	const char *host = strstr(base, "://") + 3;

	return strncasecmp(host, label, sizeof label - 1) == 0 ? "/search.cgi" : "/certificates/search.cgi";
}

int http_search_url(const char *base, const char *by, const char *value, char *out, size_t cap)
{
	const char *path = path_of(base);
	int n;

	out[0] = '\0';
	if (!path)
		return -1;
	n = snprintf(out, cap, "%s%s?%s=", base,
	    *path == '\0'	     ? usual_path(base)
	    : strcmp(path, "/") == 0 ? usual_path(base) + 1
				     : "",
	    by);
	if (n < 0 || (size_t)n >= cap)
		return -1;
	return escape(value, out, cap);
}
